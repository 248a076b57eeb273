"""Posting: one call of one SQL function, for one transaction or for many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from connect.kit import ids
from connect.kit.caller import Caller
from ledger.domain.accounts import NormalSide
from ledger.domain.postings import Posting
from ledger.domain.records import Balance, PostedTransaction
from ledger.models import arrays, functions

POST: Final = (
    "SELECT row_to_json(ledger_post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s))::text"
)
"""One literal per array and one text back: no casts, because the function's signature types the literals."""
_REVERSE: Final = "SELECT id, existed, created_at, effective_at FROM ledger_reverse(%s, %s, %s, %s, %s, %s::jsonb)"


class _Answer(msgspec.Struct, gc=False):
    """What `ledger_post` says. `ids` to `effective_at` are empty unless one of the keys existed."""

    posted_at: datetime
    accounts: list[UUID]
    normal_sides: list[NormalSide]
    posted: list[int | None]
    held_in: list[int | None]
    held_out: list[int | None]
    ids: list[UUID]
    existed: list[bool]
    created_at: list[datetime]
    effective_at: list[datetime]


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def post(caller: Caller, posting: Posting) -> PostedTransaction:
    """Post one transaction, in one round trip, inside the caller's open environment.

    The same idempotency key with the same content gives back what it made, `existed` set; with other content it raises
    `DuplicateTransaction`. Raises `InsufficientFunds`, `AccountUnknown`, `AccountClosed`, `CurrencyMismatch` and
    `AccountMismatch`; the transaction around it is then lost unless the caller opened a savepoint.
    """
    return post_many(caller, (posting,))[0]


def post_many(caller: Caller, postings: Sequence[Posting]) -> list[PostedTransaction]:
    """Post transactions together, in one round trip; about 100 at a time is fastest. All stand, or none does.

    Floors are checked once, after the last of them. The answers come in the order of `postings`; their balances are
    those after all of them. Raises as `post` does.
    """
    if not postings:
        return []
    now = caller.clock.business()
    batch = arrays.of_postings(postings, now)
    answer = _ANSWER.decode(functions.call(caller, POST, batch.parameters)[0])
    balances = {
        path: Balance(account, path, currency, side, amount, incoming, outgoing)
        for (path, currency), account, side, amount, incoming, outgoing in zip(
            batch.accounts,
            answer.accounts,
            answer.normal_sides,
            answer.posted,
            answer.held_in,
            answer.held_out,
            strict=True,
        )
        if amount is not None and incoming is not None and outgoing is not None
    }
    if not answer.existed:
        return [
            PostedTransaction(
                identifier, False, answer.posted_at, posting.effective_at or now, _touched(postings, posting, balances)
            )
            for identifier, posting in zip(batch.ids, postings, strict=True)
        ]
    return [
        PostedTransaction(identifier, existed, created_at, effective_at, _touched(postings, posting, balances))
        for identifier, existed, created_at, effective_at, posting in zip(
            answer.ids, answer.existed, answer.created_at, answer.effective_at, postings, strict=True
        )
    ]


def _touched(postings: Sequence[Posting], posting: Posting, balances: dict[str, Balance]) -> dict[str, Balance]:
    if len(postings) == 1:
        return balances
    return {path: balances[path] for path in (line.path for line in posting.lines) if path in balances}


def reverse(
    caller: Caller,
    *,
    transaction_id: UUID,
    idempotency_key: str,
    description: str = "",
    effective_at: datetime | None = None,
    metadata: Mapping[str, str] | None = None,
) -> PostedTransaction:
    """Post the mirror image of a transaction. Its kind is `reversal`, its reference that of the original.

    Raises `TransactionUnknown`, `AlreadyReversed`, `InsufficientFunds`, `AccountClosed` and `DuplicateTransaction`. The
    balances are left out: the original may have any number of lines.
    """
    effective = effective_at or caller.clock.business()
    row = functions.call(
        caller,
        _REVERSE,
        [transaction_id, ids.new(), idempotency_key, effective, description, arrays.json_text(metadata or {})],
    )
    return PostedTransaction(*row)
