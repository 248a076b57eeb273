"""A bank transaction on the wire, and the answer of a sync."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode

PREFIX = "btx"


class CounterpartyOut(msgspec.Struct, kw_only=True):
    """The other side, as far as the bank names it. `name_latin` is `name` in Latin letters."""

    account: str | None = None
    bic: str | None = None
    name: str | None = None
    name_latin: str | None = None


class ReferenceOut(msgspec.Struct, kw_only=True):
    """A payment reference found in the entry: its scheme, and its value without blanks."""

    scheme: str
    value: str


class ExchangeOut(msgspec.Struct, kw_only=True):
    """What was exchanged: `amount` in minor units of `currency`, and the bank's rate as it wrote it."""

    amount: int | None = None
    currency: str
    rate: str | None = None


class BankTransactionOut(msgspec.Struct, kw_only=True):
    """One entry of a linked account.

    `amount` is in minor units of `currency`; **negative is money out**. `id` stays when a pending entry is booked and
    when the bank renumbers it; `version` grows with every change. Dates are the bank's, `YYYY-MM-DD`.
    """

    expandable: ClassVar[dict[str, str]] = {"account": "bka", "connection": "conn"}

    id: str
    object: Literal["banking.transaction"] = "banking.transaction"
    account: str
    amount: int
    balance_after: int | None = None
    bank_transaction_code: str | None = None
    booking_date: str | None = None
    connection: str
    counterparty: CounterpartyOut
    created: int
    currency: str
    description: str | None = None
    direction: Literal["in", "out"]
    end_to_end_id: str | None = None
    entry_reference: str | None = None
    exchange: ExchangeOut | None = None
    fetched_at: int
    institution_transaction_id: str | None = None
    livemode: bool
    purpose_code: str | None = None
    reference: ReferenceOut | None = None
    status: Literal["booked", "pending", "removed"]
    value_date: str | None = None
    version: int


class RemovedTransactionOut(msgspec.Struct, kw_only=True):
    """A transaction that the bank took back."""

    id: str
    object: Literal["banking.transaction"] = "banking.transaction"
    account: str
    deleted: Literal[True] = True


class TransactionSyncOut(msgspec.Struct, kw_only=True):
    """What changed behind a cursor. Keep `next_cursor` once you have kept the rest; ask on while `has_more`.

    The same cursor always gives at least the same changes, so a lost answer loses nothing.
    """

    object: Literal["banking.transaction_sync"] = "banking.transaction_sync"
    added: list[BankTransactionOut]
    as_of: int | None = None
    connection: str
    has_more: bool
    livemode: bool
    modified: list[BankTransactionOut]
    next_cursor: str
    removed: list[RemovedTransactionOut]
    stale: bool


def render(row: Any, *, livemode: bool, name_latin: str | None) -> BankTransactionOut:
    """The transaction of `row`. `name_latin` is the counterparty's name as `banks.domain.names.latin` writes it."""
    return BankTransactionOut(
        id=encode(PREFIX, row.id),
        account=encode("bka", row.bank_account_id),
        amount=row.amount_minor,
        balance_after=row.balance_after_minor,
        bank_transaction_code=row.bank_transaction_code,
        booking_date=row.booking_date.isoformat() if row.booking_date else None,
        connection=encode("conn", row.connection_id),
        counterparty=CounterpartyOut(
            account=row.counterparty_account,
            bic=row.counterparty_bic,
            name=row.counterparty_name,
            name_latin=name_latin,
        ),
        created=unix(row.created_at),
        currency=row.currency,
        description=row.remittance,
        direction="out" if row.amount_minor < 0 else "in",
        end_to_end_id=row.end_to_end_id,
        entry_reference=row.entry_reference,
        exchange=ExchangeOut(**row.exchange) if row.exchange else None,
        fetched_at=unix(row.fetched_at),
        institution_transaction_id=row.institution_transaction_id,
        livemode=livemode,
        purpose_code=row.purpose_code,
        reference=(
            ReferenceOut(scheme=row.reference_scheme, value=row.reference_value) if row.reference_scheme else None
        ),
        status=row.status,
        value_date=row.value_date.isoformat() if row.value_date else None,
        version=row.version,
    )


def render_removed(transaction_id: Any, bank_account_id: Any) -> RemovedTransactionOut:
    """What is left to say of a transaction that is gone."""
    return RemovedTransactionOut(id=encode(PREFIX, transaction_id), account=encode("bka", bank_account_id))
