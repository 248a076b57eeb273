"""What a bank says, in our words: accounts, balances, entries. Connectors make these, and nothing else leaves them.

Amounts are whole minor units; negative is money out. Text is what the bank wrote, trimmed; an empty or meaningless
value (`NOTPROVIDED`) is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal


class EntryStatus(StrEnum):
    """Whether the bank has booked it."""

    BOOKED = "booked"
    PENDING = "pending"


class BalanceKind(StrEnum):
    """Which balance: what is in the books, and what can be spent."""

    BOOKED = "booked"
    AVAILABLE = "available"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceData:
    """One balance. `as_of` is the bank's own moment for it, where it says one."""

    kind: BalanceKind
    amount_minor: int
    currency: str
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountData:
    """One account. `resource_id` is the bank's handle for it and may change when a consent is renewed; the IBAN, or the
    national number, stays. `currency` is `xxx` for an account of several currencies.
    """

    resource_id: str
    iban: str | None
    national_number: str | None
    currency: str
    name: str | None
    owner_name: str | None
    product: str | None
    cash_account_type: str | None
    status: Literal["enabled", "blocked", "deleted"] = "enabled"
    balances: tuple[BalanceData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyData:
    """The other side of an entry, as far as the bank names it."""

    name: str | None = None
    account: str | None = None
    bic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeData:
    """What the entry was before it was converted. `rate` is the bank's text: how many of one for one of the other."""

    amount_minor: int | None
    currency: str
    rate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryData:
    """One line of an account. `transaction_id` and `entry_reference` are the bank's, and banks re-issue them.

    `booking_date` is None only while it is pending.
    """

    status: EntryStatus
    amount_minor: int
    currency: str
    transaction_id: str | None = None
    entry_reference: str | None = None
    end_to_end_id: str | None = None
    booking_date: date | None = None
    value_date: date | None = None
    counterparty: PartyData = PartyData()
    remittance: str | None = None
    structured_reference: str | None = None
    purpose_code: str | None = None
    bank_transaction_code: str | None = None
    exchange: ExchangeData | None = None
    balance_after_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """A page of entries in the bank's order. `next_page` is its own link, to be followed as it is; None ends the list.

    `pending_included` says that the list would hold pending entries if there were any.
    """

    entries: tuple[EntryData, ...]
    next_page: str | None
    pending_included: bool
    balances: tuple[BalanceData, ...] = ()
