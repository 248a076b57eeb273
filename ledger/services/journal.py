"""Posting: one call of one SQL function, for one transaction or for many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from ledger.domain.postings import Posting
from ledger.domain.records import Balance, PostedTransaction
from ledger.models import arrays, functions

POST: Final = (
    "SELECT ids, existed, created_at, effective_at, accounts, normal_sides, posted, held_in, held_out FROM ledger_post("
    "%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],"
    " %s::text[], %s::text[], %s::text[], %s::bigint[], %s::smallint[], %s::uuid[], %s::uuid[],"
    " %s::int[], %s::int[], %s::int[], %s::bigint[])"
)
_REVERSE: Final = "SELECT id, existed, created_at, effective_at FROM ledger_reverse(%s, %s, %s, %s, %s, %s::jsonb)"


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
    parameters, named = arrays.of_postings(postings, caller.clock.business())
    row = functions.call(caller, POST, parameters)
    found, existed, created, effective, accounts, sides, posted, held_in, held_out = row
    balances = {
        path: Balance(account, path, currency, side, amount, incoming, outgoing)
        for (path, currency), account, side, amount, incoming, outgoing in zip(
            named, accounts, sides, posted, held_in, held_out, strict=True
        )
        if amount is not None
    }
    if len(postings) == 1:
        return [PostedTransaction(found[0], existed[0], created[0], effective[0], balances)]
    return [
        PostedTransaction(
            found[index],
            existed[index],
            created[index],
            effective[index],
            {line.path: balances[line.path] for line in posting.lines if line.path in balances},
        )
        for index, posting in enumerate(postings)
    ]


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
