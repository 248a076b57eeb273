"""Holds: money set aside, then posted in whole or in part, voided, or expired. Each is one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.money import Money
from ledger.domain.accounts import AccountSpec
from ledger.domain.postings import Line, check_balanced
from ledger.domain.records import Hold, PostedHold
from ledger.models import arrays, functions, rows

_ACCOUNTS: Final = "%s::text[], %s::text[], %s::text[], %s::bigint[], %s::smallint[], %s::uuid[], %s::uuid[]"
_PLACE: Final = (
    f"SELECT {rows.HOLD} FROM ledger_hold_place(%s, %s, %s, %s, %s, %s, %s, %s::jsonb, {_ACCOUNTS}) p"  # noqa: S608
    " CROSS JOIN LATERAL (SELECT (p.hold).*) h"
    " CROSS JOIN (SELECT %s::text AS path) s CROSS JOIN (SELECT %s::text AS path) d"
)
"""The paths are given back to the statement: it does not see the accounts that its own function call opens."""
_POST: Final = (
    f"SELECT {rows.HOLD}, p.id, p.existed FROM ledger_hold_post("  # noqa: S608
    f"%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, {_ACCOUNTS}, %s::int[], %s::bigint[]) p"
    f" CROSS JOIN LATERAL (SELECT (p.hold).*) h{rows.HOLD_ACCOUNTS}"
)
_VOID: Final = f"SELECT {rows.HOLD} FROM ledger_hold_void(%s, %s) h{rows.HOLD_ACCOUNTS}"  # noqa: S608
_EXPIRE: Final = f"SELECT {rows.HOLD} FROM ledger_hold_expire(%s, %s) h{rows.HOLD_ACCOUNTS}"  # noqa: S608


def place(
    caller: Caller,
    *,
    source: str | AccountSpec,
    destination: str | AccountSpec,
    amount: Money,
    idempotency_key: str,
    expires_at: datetime | None = None,
    reference: str = "",
    description: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Hold:
    """Set `amount` (> 0) aside: it will be debited from `source` and credited to `destination`.

    Where that lowers what an account has available it counts at once, and may not pass the account's floor. The same
    key with the same content gives back the hold that exists. Raises `InsufficientFunds`, `AccountUnknown`,
    `AccountClosed`, `CurrencyMismatch`, `AccountMismatch` and `DuplicateTransaction`.
    """
    if amount.minor <= 0:
        raise ValueError("a hold is for a positive amount")
    accounts = arrays.Accounts()
    lines = (Line(source, amount), Line(destination, amount))
    for line in lines:
        accounts.position(line)
    if len(accounts.specs) != 2:
        raise ValueError("a hold moves money between two different accounts")
    row = functions.call(
        caller,
        _PLACE,
        [
            ids.new(), idempotency_key, amount.currency, amount.minor, expires_at, reference, description,
            arrays.json_text(metadata or {}), *accounts.parameters(), *(line.path for line in lines),
        ],
    )  # fmt: skip
    return rows.hold(row)


def post(
    caller: Caller,
    *,
    hold_id: UUID,
    idempotency_key: str,
    amount: int | None = None,
    final: bool = True,
    kind: str = "hold.post",
    lines: Sequence[Line] = (),
    reference: str | None = None,
    description: str = "",
    effective_at: datetime | None = None,
    metadata: Mapping[str, str] | None = None,
) -> PostedHold:
    """Post `amount` minor units of a hold (None: all that is open), from its source to its destination.

    `final` releases the rest; otherwise the hold stays pending for further posts. `lines`, balanced in themselves, join
    the same transaction: a fee, a split. The same key gives back what it posted. Raises `HoldUnknown`,
    `HoldNotPending`, `HoldExpired` (by the caller's business clock), `HoldExceeded`, and what `journal.post` raises.
    """
    check_balanced(tuple(lines))
    now = caller.clock.business()
    row = functions.call(
        caller,
        _POST,
        [
            hold_id, amount, final, now, ids.new(), kind, idempotency_key, effective_at or now, reference, description,
            arrays.json_text(metadata or {}), *arrays.of_lines(lines),
        ],
    )  # fmt: skip
    return PostedHold(rows.hold(row[:-2]), row[-2], row[-1])


def void(caller: Caller, *, hold_id: UUID, reason: str = "requested") -> Hold:
    """Release what a hold still has open. Raises `HoldUnknown` and `HoldNotPending`."""
    return rows.hold(functions.call(caller, _VOID, [hold_id, reason]))


def expire_due(caller: Caller, *, limit: int = 500) -> list[Hold]:
    """Void pending holds whose time is over by the caller's business clock, at most `limit` of them.

    Run it until it answers fewer than `limit`. Holds that another transaction works on are left for the next run.
    """
    expired = functions.rows(caller, _EXPIRE, [caller.clock.business(), limit])
    return [rows.hold(row) for row in expired]
