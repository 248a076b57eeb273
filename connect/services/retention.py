"""Deleting what has been kept long enough, by the rules of `connect/domain/retention.py`.

Rows go in batches, each in a transaction of its own, and rows that somebody else holds are left for the next run: no
request waits for long, and any number of runs may be at it at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from connect.domain import retention, tiers
from connect.domain.retention import Rule
from connect.kit import clock, ids
from connect.kit.caller import EnvironmentRef
from connect.kit.tenancy import use_environment

BATCH: Final = 1_000
BATCHES_MAX: Final = 200
"""In one run; what is left goes with the next."""

Condition = Callable[[EnvironmentRef], str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where a rule's rows stand. `condition` is true for those that may go.

    In it `{before}` is the moment that they must be older than, `{first}` the least id of that moment (ids are in the
    order of time, so the primary key finds the old ones), and `{schema}` the environment's.
    """

    table: str
    condition: str
    order: str = "id"


_TO_BE_DELIVERED: Final = (
    'EXISTS (SELECT 1 FROM "{schema}".connect_webhook_delivery d WHERE d.event_id = connect_event.id'
    " AND d.state = 'pending')"
)
_PUBLIC_TABLES: Final = (
    (retention.PUBLIC_REQUEST_LOG, "connect_public_request_log"),
    (retention.SIGN_INS, "connect_sign_in"),
)
_TABLES: Final = {
    retention.IDEMPOTENCY_KEYS.name: _Kept(
        "connect_idempotency_key", "created_at < '{before}' AND state = 'done'", order="created_at"
    ),
    retention.REQUEST_LOG.name: _Kept("connect_request_log", "id < '{first}'"),
    retention.WEBHOOK_ATTEMPTS.name: _Kept("connect_webhook_attempt", "id < '{first}'"),
    retention.WEBHOOK_DELIVERIES.name: _Kept(
        "connect_webhook_delivery",
        # An old one that was sent again lately shows in the log for as long as any other.
        "id < '{first}' AND state <> 'pending' AND coalesce(finished_at, created_at) < '{before}'",
    ),
    retention.EVENTS.name: _Kept(
        "connect_event", f"id < '{{first}}' AND fanned_out_at IS NOT NULL AND NOT {_TO_BE_DELIVERED}"
    ),
}


def old(rule: Rule) -> tuple[str, Condition]:
    """Table and condition of what may go, for `sweeps.environments_where`."""
    kept, now = _TABLES[rule.name], clock.wall()
    return kept.table, lambda environment: _condition(rule, environment, now)


def prune(environment: EnvironmentRef, rule: Rule) -> int:
    """Delete what the environment's tier keeps no longer; returns how many rows of the rule's table."""
    kept, condition = _TABLES[rule.name], _condition(rule, environment, clock.wall())
    deleted = 0
    for _ in range(BATCHES_MAX):
        with use_environment(environment):
            found = _lock(kept, condition)
            deleted += _delete_events(environment, found) if rule is retention.EVENTS else _delete(kept.table, found)
        if len(found) < BATCH:
            break
    return deleted


def prune_public() -> int:
    """The same for what belongs to no environment: the log of such requests, and the sign-ins of people."""
    return sum(_prune_public(rule, table) for rule, table in _PUBLIC_TABLES)


def _prune_public(rule: Rule, table: str) -> int:
    assert rule.kept is not None
    kept = _Kept(table, f"id < '{ids.first_at(clock.wall() - rule.kept)}'")
    deleted = 0
    for _ in range(BATCHES_MAX):
        with transaction.atomic():
            found = _lock(kept, kept.condition)
            deleted += _delete(kept.table, found)
        if len(found) < BATCH:
            break
    return deleted


def _condition(rule: Rule, environment: EnvironmentRef, now: datetime) -> str:
    before = now - rule.kept_by(tiers.of(environment))
    return _TABLES[rule.name].condition.format(
        before=before.isoformat(), first=ids.first_at(before), schema=environment.schema_name
    )


def _lock(kept: _Kept, condition: str) -> list[UUID]:
    """The oldest that may go, at most `BATCH`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {kept.table} WHERE {condition}"  # noqa: S608 - our own text
            f" ORDER BY {kept.order} LIMIT %s FOR UPDATE SKIP LOCKED",
            [BATCH],
        )
        return [row[0] for row in cursor.fetchall()]


def _delete(table: str, found: list[UUID]) -> int:
    if not found:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = ANY (%s)", [found])  # noqa: S608
        return cursor.rowcount


def _delete_events(environment: EnvironmentRef, found: list[UUID]) -> int:
    """Delete locked events, their deliveries and attempts.

    Somebody may have asked for one to be sent again just before it was locked: a second look, by a statement of its
    own, sees that delivery. After it, whoever sends again waits for the lock and finds the event gone.
    """
    if not found:
        return 0
    waiting = _TO_BE_DELIVERED.format(schema=environment.schema_name)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM connect_event WHERE id = ANY (%s) AND NOT {waiting} RETURNING id",  # noqa: S608
            [found],
        )
        gone = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "DELETE FROM connect_webhook_attempt WHERE delivery_id IN"
            " (SELECT id FROM connect_webhook_delivery WHERE event_id = ANY (%s))",
            [gone],
        )
        cursor.execute("DELETE FROM connect_webhook_delivery WHERE event_id = ANY (%s)", [gone])
    return len(gone)
