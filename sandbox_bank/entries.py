"""Lines of accounts: reading them, adding them, booking what is pending. Balances follow from them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet, Sum

from sandbox_bank import clock, money
from sandbox_bank.models import Account, Entry

COLUMNS = (
    "transaction_id", "entry_reference", "end_to_end_id", "booking_date", "value_date", "amount", "counterparty",
    "counterparty_iban", "remittance", "reference", "purpose_code", "bank_code", "exchange", "shown",
)  # fmt: skip


@dataclass(frozen=True)
class Balances:
    """What is booked, and what is left when everything pending is booked."""

    booked: int
    available: int


def balances(account: Account) -> Balances:
    """The sums of an account's entries."""
    sums = {
        row["pending"]: row["sum"]
        for row in Entry.objects.filter(account=account).values("pending").annotate(sum=Sum("amount")).order_by()
    }
    booked = sums.get(False, 0)
    return Balances(booked, booked + min(sums.get(True, 0), 0))


def select(account: Account, *, pending: bool, since: date | None, until: date | None) -> QuerySet[Entry]:
    """Booked entries by booking date, or pending ones by the day they came; newest first."""
    found = Entry.objects.filter(account=account, pending=pending).select_related("account")
    day = "created_at__date" if pending else "booking_date"
    if since:
        found = found.filter(**{f"{day}__gte": since})
    if until:
        found = found.filter(**{f"{day}__lte": until})
    return found.order_by(*(["-created_at", "-pk"] if pending else ["-booking_date", "-pk"]))


def add(account: Account, *, amount: int, pending: bool = False, **columns: Any) -> Entry:
    """Write a line. What is not given is made up: a new id, today's dates."""
    today = clock.today()
    given = {name: value for name, value in columns.items() if name in COLUMNS and value is not None}
    made_up = {"transaction_id": f"T{uuid.uuid4().hex[:16].upper()}", "value_date": today}
    if not pending:
        made_up |= {"booking_date": today, "entry_reference": f"R{uuid.uuid4().hex[:12].upper()}"}
    return Entry.objects.create(
        account=account, amount=amount, pending=pending, created_at=clock.now(), **{**made_up, **given}
    )


def book(entry: Entry, **columns: Any) -> Entry:
    """Book what was pending. As banks do, it becomes another line with another id, unless one is given."""
    kept = {
        name: getattr(entry, name) for name in COLUMNS if name not in {"transaction_id", "booking_date", "value_date"}
    }
    kept["entry_reference"] = None
    booked = add(entry.account, pending=False, **{**kept, **columns})
    entry.delete()
    return booked


def shown(entry: Entry) -> dict[str, Any]:
    """An entry as the standard writes it."""
    currency = entry.account.currency
    other = "creditor" if entry.amount < 0 else "debtor"
    fields: dict[str, Any] = {
        "transactionId": entry.transaction_id,
        "entryReference": entry.entry_reference,
        "endToEndId": entry.end_to_end_id,
        "bookingDate": entry.booking_date and entry.booking_date.isoformat(),
        "valueDate": entry.value_date and entry.value_date.isoformat(),
        f"{other}Name": entry.counterparty,
        f"{other}Account": {"iban": entry.counterparty_iban} if entry.counterparty_iban else None,
        "remittanceInformationUnstructured": entry.remittance,
        "remittanceInformationStructured": {"reference": entry.reference} if entry.reference else None,
        "purposeCode": entry.purpose_code,
        "proprietaryBankTransactionCode": entry.bank_code,
        "currencyExchange": [entry.exchange] if entry.exchange else None,
    }
    told = {name: value for name, value in fields.items() if value}
    return {**told, "transactionAmount": money.shown(entry.amount, currency), **entry.shown}


def shown_balances(account: Account) -> list[dict[str, Any]]:
    """Both balances of an account, as of now."""
    sums, moment = balances(account), clock.now()
    return [
        {
            "balanceType": kind,
            "balanceAmount": money.shown(minor, account.currency),
            "referenceDate": moment.date().isoformat(),
            "lastChangeDateTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for kind, minor in (("interimBooked", sums.booked), ("interimAvailable", sums.available))
    ]
