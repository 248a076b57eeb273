"""Columns as the statements of services and selectors read them, and rows of those as records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from ledger.domain.records import Account, Balance, Entry, Hold, Transaction

ACCOUNT: Final = (
    "a.id, a.path, a.name, a.currency, a.normal_side, a.floor_minor, a.stripes, a.account_id, a.metadata::text,"
    " a.created_at, a.closed_at"
)
HOLD: Final = (
    "h.id, h.source_account, s.path, h.destination_account, d.path, h.currency, h.amount_minor, h.posted_minor,"
    " h.voided_minor, h.state, h.void_reason, h.expires_at, h.description, h.reference, h.idempotency_key,"
    " h.metadata::text, h.created_at"
)
HOLD_ACCOUNTS: Final = (
    " JOIN ledger_account s ON s.id = h.source_account JOIN ledger_account d ON d.id = h.destination_account"
)
TRANSACTION: Final = (
    "t.id, t.seq, t.kind, t.idempotency_key, t.description, t.reference, t.metadata::text, t.effective_at,"
    " t.created_at, t.reverses, (SELECT r.id FROM ledger_transaction r WHERE r.reverses = t.id), t.hold_id,"
    " (SELECT json_agg(json_build_array(e.line, e.account_id, a.path, e.currency, e.amount_minor) ORDER BY e.line)"
    "::text FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id WHERE e.transaction_id = t.id)"
)
"""A transaction with its lines as JSON: one statement for a page of transactions."""

_LINES: Final = msgspec.json.Decoder(list[tuple[int, UUID, str, str, int]])
_METADATA: Final = msgspec.json.Decoder(dict[str, str])


def account(row: Sequence[Any]) -> Account:
    """A row of `ACCOUNT`."""
    values = list(row)
    values[8] = _METADATA.decode(values[8])
    return Account(*values)


def hold(row: Sequence[Any]) -> Hold:
    """A row of `HOLD`."""
    values = list(row)
    values[15] = _METADATA.decode(values[15])
    return Hold(*values)


def transaction(row: Sequence[Any]) -> Transaction:
    """A row of `TRANSACTION`."""
    values = list(row)
    values[6] = _METADATA.decode(values[6])
    values[12] = tuple(Entry(*line) for line in _LINES.decode(values[12]))
    return Transaction(*values)


def balance(row: Sequence[Any]) -> Balance:
    """A row of id, path, currency, normal side, posted, held in and held out."""
    return Balance(*row)
