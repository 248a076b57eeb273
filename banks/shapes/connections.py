"""A connection on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar, Literal

import msgspec

from banks.domain import institution_ids
from banks.domain.failures import MEANINGS, FailureKind
from connect.kit.clock import unix
from connect.kit.ids import encode

PREFIX = "conn"


class ConnectionErrorOut(msgspec.Struct, kw_only=True):
    """Why the bank could not be read last. `needs_customer`: send them a link session in update mode."""

    code: str
    message: str
    needs_customer: bool
    since: int


class ConnectionOut(msgspec.Struct, kw_only=True):
    """A customer's consent at one bank.

    Its data is as the bank had it at `as_of`; `stale` says that the bank should have been read since and could not be.
    `consent_expires_at` is the last second of the consent.
    """

    expandable: ClassVar[dict[str, str]] = {"institution": institution_ids.PREFIX}

    id: str
    object: Literal["banking.connection"] = "banking.connection"
    as_of: int | None = None
    client_reference_id: str | None = None
    consent_expires_at: int | None = None
    consented_at: int
    created: int
    error: ConnectionErrorOut | None = None
    history_complete: bool
    history_days: int
    institution: str
    livemode: bool
    metadata: dict[str, str] = {}
    permissions: list[Literal["accounts", "balances", "transactions"]]
    stale: bool
    status: Literal["pending", "active", "login_required", "expired", "revoked"]


class ChangeCountsOut(msgspec.Struct, kw_only=True):
    """How many transactions came, changed and went."""

    added: int
    modified: int
    removed: int


class ChangedConnectionOut(ConnectionOut, kw_only=True):
    """A connection whose transactions changed. `changes` are those since the last event that told of any."""

    changes: ChangeCountsOut


class DeletedConnectionOut(msgspec.Struct, kw_only=True):
    """A connection that was removed."""

    id: str
    object: Literal["banking.connection"] = "banking.connection"
    deleted: Literal[True] = True


def render(row: Any, *, livemode: bool) -> ConnectionOut | DeletedConnectionOut:
    """The connection of `row`."""
    if row.removed_at is not None:
        return DeletedConnectionOut(id=encode(PREFIX, row.id))
    return ConnectionOut(
        id=encode(PREFIX, row.id),
        as_of=unix(row.synced_at) if row.synced_at else None,
        client_reference_id=row.client_reference_id,
        consent_expires_at=_last_second(row.consent_until) if row.consent_until else None,
        consented_at=unix(row.consented_at),
        created=unix(row.created_at),
        error=_error(row),
        history_complete=row.history_complete,
        history_days=row.history_days,
        institution=encode(institution_ids.PREFIX, row.institution_id),
        livemode=livemode,
        metadata=row.metadata,
        permissions=row.permissions,
        stale=row.error is not None,
        status=row.status,
    )


def render_changed(row: Any, *, livemode: bool, added: int, modified: int, removed: int) -> ChangedConnectionOut:
    """The connection of `row`, which was not removed, with how many of its transactions changed."""
    changes = ChangeCountsOut(added=added, modified=modified, removed=removed)
    return ChangedConnectionOut(**msgspec.structs.asdict(render(row, livemode=livemode)), changes=changes)


def _last_second(day: Any) -> int:
    return unix(datetime.combine(day + timedelta(days=1), time(), UTC)) - 1


def _error(row: Any) -> ConnectionErrorOut | None:
    if row.error is None:
        return None
    meaning = MEANINGS[FailureKind(row.error)]
    return ConnectionErrorOut(
        code=row.error, message=meaning.message, needs_customer=meaning.needs_customer, since=unix(row.error_at)
    )
