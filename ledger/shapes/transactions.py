"""A ledger transaction on the wire."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from ledger.domain.records import Entry, Transaction

PREFIX = "ltxn"


class LedgerLineOut(msgspec.Struct, kw_only=True, gc=False):
    """One line: `amount` is positive minor units, `direction` says to which side it went."""

    expandable: ClassVar[dict[str, str]] = {"account": "lacct"}

    account: str
    amount: int
    currency: str
    direction: Literal["debit", "credit"]
    path: str


class LedgerTransactionOut(msgspec.Struct, kw_only=True):
    """A balanced, immutable transaction. `effective_at` is when it counts, `created` when it was posted."""

    expandable: ClassVar[dict[str, str]] = {
        "hold": "lhold",
        "reversed_by": "ltxn",
        "reverses": "ltxn",
        "lines.account": "lacct",
    }

    id: str
    object: Literal["ledger.transaction"] = "ledger.transaction"
    created: int
    description: str | None
    effective_at: int
    hold: str | None
    kind: str
    lines: list[LedgerLineOut]
    livemode: bool
    metadata: dict[str, str]
    reference: str | None
    reversed_by: str | None
    reverses: str | None


def render(transaction: Transaction, *, livemode: bool) -> LedgerTransactionOut:
    """The wire shape of a transaction and its lines."""
    return LedgerTransactionOut(
        id=encode(PREFIX, transaction.id),
        created=unix(transaction.created_at),
        description=transaction.description or None,
        effective_at=unix(transaction.effective_at),
        hold=encode("lhold", transaction.hold_id) if transaction.hold_id else None,
        kind=transaction.kind,
        lines=[line(entry) for entry in transaction.lines],
        livemode=livemode,
        metadata=transaction.metadata,
        reference=transaction.reference or None,
        reversed_by=encode(PREFIX, transaction.reversed_by) if transaction.reversed_by else None,
        reverses=encode(PREFIX, transaction.reverses) if transaction.reverses else None,
    )


def line(entry: Entry) -> LedgerLineOut:
    """The wire shape of a line."""
    return LedgerLineOut(
        account=encode("lacct", entry.account_id),
        amount=abs(entry.amount_minor),
        currency=entry.currency,
        direction="credit" if entry.amount_minor > 0 else "debit",
        path=entry.path,
    )
