"""Accounts and entries for `FakeConnector`, and the sandbox bank's row as it is reached in tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from banks.domain.bank_data import AccountData, BalanceData, BalanceKind, EntryData, EntryStatus, PartyData

TODAY = date(2026, 11, 26)


def account(resource_id: str = "acc-1", iban: str | None = "MK07999000000000195", **given: Any) -> AccountData:
    """An account in denars with 1,000.00 on it unless told otherwise."""
    values: dict[str, Any] = {
        "national_number": None, "currency": "mkd", "name": "Main", "owner_name": "Ана Петрова", "product": "Current",
        "cash_account_type": "CACC",
        "balances": (BalanceData(kind=BalanceKind.BOOKED, amount_minor=100_000, currency="mkd"),),
    }  # fmt: skip
    return AccountData(resource_id=resource_id, iban=iban, **{**values, **given})


def entry(amount_minor: int, *, day: date | None = TODAY, name: str | None = "EVN", **given: Any) -> EntryData:
    """A booked entry; with `day` None a pending one."""
    values: dict[str, Any] = {
        "currency": "mkd", "booking_date": day, "counterparty": PartyData(name=name), "remittance": "Invoice 1",
        "status": EntryStatus.PENDING if day is None else EntryStatus.BOOKED,
    }  # fmt: skip
    return EntryData(amount_minor=amount_minor, **{**values, **given})
