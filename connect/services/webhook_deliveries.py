"""The everyday way of a webhook: events are fanned out to deliveries, deliveries are claimed, answers are recorded.

Whoever sends opens the environment, claims, commits, sends outside of any transaction, and records. Any number may do
so at once: rows are picked with SKIP LOCKED, held by a lease, and an answer counts only for the attempt it belongs to.
A sender that dies leaves its attempts open; once the lease is over somebody else sends them again, so every event
arrives at least once.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.db import connection

from connect.domain import webhook_deliveries as domain
from connect.domain import webhook_signatures
from connect.domain.retry_schedule import Decision, decide
from connect.domain.webhook_deliveries import Answer, Outgoing, Recorded
from connect.domain.webhook_endpoints import FailureRun, after_failure, is_given_up
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.clock import unix
from connect.kit.secretbox import SealBroken
from connect.models import WebhookEndpoint
from connect.selectors.events import pending_webhooks
from connect.services import webhook_endpoints
from connect.shapes import events as event_shapes

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 60
"""Longer than any attempt may take, so that nothing is sent twice unless its sender died."""
USER_AGENT: Final = "Facturino-Connect/1 (webhooks)"


def fan_out(caller: Caller, *, limit: int = 500) -> int:
    """Make the deliveries of up to `limit` events that have none yet; returns how many events that were.

    An endpoint gets what happened after it was made or last enabled, in its own account, of the types it wants. Events
    that another transaction is fanning out are passed over.
    """
    now = caller.clock.wall()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, account_id, type FROM connect_event WHERE fanned_out_at IS NULL ORDER BY id LIMIT %s"
            " FOR UPDATE SKIP LOCKED",
            [limit],
        )
        events = cursor.fetchall()
        if not events:
            return 0
        event_ids = [row[0] for row in events]
        # The lock keeps an endpoint from being disabled or deleted before its new deliveries can be canceled with it.
        cursor.execute(
            "SELECT id, account_id, enabled_after, enabled_events FROM connect_webhook_endpoint"
            " WHERE status = 'enabled' AND deleted_at IS NULL AND account_id = ANY (%s) ORDER BY id FOR SHARE",
            [list({row[1] for row in events})],
        )
        endpoints = cursor.fetchall()
        pairs = [
            (event_id, endpoint_id)
            for event_id, account_id, event_type in events
            for endpoint_id, owner, enabled_after, wanted in endpoints
            if owner == account_id and enabled_after < event_id and (event_type in wanted or "*" in wanted)
        ]
        if pairs:
            cursor.execute(
                "INSERT INTO connect_webhook_delivery (id, event_id, endpoint_id, state, attempts, failures,"
                " next_attempt_at, created_at) SELECT id, event_id, endpoint_id, 'pending', 0, 0, %s, %s"
                " FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS t(id, event_id, endpoint_id)"
                " ON CONFLICT (event_id, endpoint_id) DO NOTHING",
                [now, now, [ids.new() for _ in pairs], *map(list, zip(*pairs, strict=True))],
            )
        cursor.execute("UPDATE connect_event SET fanned_out_at = %s WHERE id = ANY (%s)", [now, event_ids])
    return len(events)


def claim(
    caller: Caller,
    *,
    endpoint_id: UUID | None = None,
    limit: int = 100,
    rooms: Mapping[UUID, int] | None = None,
    room: int | None = None,
    lease_seconds: float = LEASE_SECONDS,
) -> list[Outgoing]:
    """Take up to `limit` deliveries that are due, of one endpoint or of any, under a lease.

    `rooms` says how many to take at most of an endpoint, `room` of one that it does not name (None: up to `limit`).

    Their attempts are written, so commit before sending. Each endpoint's are in the order they became due. A delivery
    whose endpoint's secret cannot be unsealed is recorded as a failed attempt instead, and is not among them.
    """
    now = caller.clock.wall()
    taken = _lease(endpoint_id, limit, rooms or {}, room, now, now + timedelta(seconds=lease_seconds))
    if not taken:
        return []
    events = _events([row.event_id for row in taken])
    pending = pending_webhooks(list(events))
    endpoints = {row.id: row for row in WebhookEndpoint.objects.filter(pk__in={row.endpoint_id for row in taken})}
    keys = {identifier: _secrets(caller, row) for identifier, row in endpoints.items()}
    outgoing, unsigned = [], []
    bodies: dict[UUID, tuple[str, bytes]] = {}
    for row in taken:
        if row.event_id not in bodies:
            event = event_shapes.render(
                events[row.event_id], livemode=caller.livemode, pending_webhooks=pending.get(row.event_id, 0)
            )
            bodies[row.event_id] = event.id, msgspec.json.encode(event)
        message_id, body = bodies[row.event_id]
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": USER_AGENT}
        secrets = keys[row.endpoint_id]
        if secrets:
            headers |= webhook_signatures.headers(body, message_id=message_id, secrets=secrets, at=unix(now))
        url = endpoints[row.endpoint_id].url
        outgoing.append(Outgoing(row.id, row.endpoint_id, row.number, url, body, headers))
        if not secrets:
            unsigned.append(row)
    _begin_attempts(outgoing, now)
    if unsigned:
        message = "The signing secret cannot be unsealed; rotate it."
        record(caller, [Answer(row.id, row.number, None, 0, error_kind=domain.UNREADABLE, error=message)
                        for row in unsigned])  # fmt: skip
    without = {row.id for row in unsigned}
    return [one for one in outgoing if one.delivery_id not in without]


def give_back(caller: Caller, outgoing: Sequence[Outgoing]) -> None:  # noqa: ARG001 - a service begins with its caller
    """Undo a claim of what was never sent: its lease ends and its attempt is forgotten, as if nobody had taken it."""
    if not outgoing:
        return
    columns: list[list[Any]] = [[one.delivery_id for one in outgoing], [one.number for one in outgoing]]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE connect_webhook_delivery d SET attempts = d.attempts - 1, lease_until = NULL"
            " FROM unnest(%s::uuid[], %s::int[]) AS t(id, number)"
            " WHERE d.id = t.id AND d.attempts = t.number RETURNING d.id, t.number",
            columns,
        )
        ours = cursor.fetchall()
        cursor.execute(
            "DELETE FROM connect_webhook_attempt a USING unnest(%s::uuid[], %s::int[]) AS t(id, number)"
            " WHERE a.delivery_id = t.id AND a.number = t.number AND a.finished_at IS NULL",
            [[row[0] for row in ours], [row[1] for row in ours]],
        )


def record(
    caller: Caller, answers: Sequence[Answer], *, draw: Callable[[float, float], float] = random.uniform
) -> Recorded:
    """Write down what became of attempts and decide what follows: done, the next attempt, or giving up.

    Recording the same answer twice changes nothing. An answer that comes after its lease was over completes its
    attempt; for the delivery it counts only if it was a success. `draw` gives the jitter, from -1 to 1.
    """
    if not answers:
        return Recorded()
    now = caller.clock.wall()
    endpoints = _lock_endpoints(answers)
    rows = _lock_deliveries([answer.delivery_id for answer in answers])
    fresh = _complete_attempts({(answer.delivery_id, answer.number): answer for answer in answers}, now)
    decisions: dict[UUID, list[Decision]] = {}
    changes: dict[UUID, _Change] = {}
    for key in sorted(fresh):
        answer, row = fresh[key], rows[key[0]]
        decision = decide(
            status=answer.status, headers=answer.headers, failures=row.failures, now=now, jitter=draw(-1, 1)
        )
        decisions.setdefault(row.endpoint_id, []).append(decision)
        if decision.state == "succeeded":
            if row.state != "succeeded":
                changes[row.id] = _Change(row, decision)
        elif row.state == "pending" and row.attempts == answer.number:
            changes.setdefault(row.id, _Change(row, decision))
    _change_deliveries(list(changes.values()), now)
    return _judge_endpoints(caller, endpoints, decisions, now)


# --- claiming ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Taken:
    """A delivery under our lease, and the number of the attempt that begins."""

    id: UUID
    event_id: UUID
    endpoint_id: UUID
    number: int


def _lease(
    endpoint_id: UUID | None, limit: int, rooms: Mapping[UUID, int], room: int | None, now: datetime, until: datetime
) -> list[_Taken]:
    """Each endpoint's queue is read by itself, so that one with a long queue does not hide the others."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH due AS (SELECT d.id, d.next_attempt_at FROM connect_webhook_endpoint w CROSS JOIN LATERAL"
            " (SELECT id, next_attempt_at FROM connect_webhook_delivery WHERE endpoint_id = w.id AND state = 'pending'"
            " AND next_attempt_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)"
            " ORDER BY next_attempt_at LIMIT coalesce((%(rooms)s::jsonb ->> w.id::text)::int, %(room)s)"
            " FOR UPDATE SKIP LOCKED) d"
            " WHERE w.status = 'enabled' AND w.deleted_at IS NULL"
            " AND (w.paused_until IS NULL OR w.paused_until <= %(now)s)"
            " AND (%(endpoint)s::uuid IS NULL OR w.id = %(endpoint)s) ORDER BY d.next_attempt_at LIMIT %(limit)s)"
            " UPDATE connect_webhook_delivery d SET attempts = d.attempts + 1, lease_until = %(until)s"
            " FROM due WHERE d.id = due.id RETURNING d.id, d.event_id, d.endpoint_id, d.attempts,"
            " extract(epoch FROM due.next_attempt_at)::float8",
            {
                "now": now,
                "until": until,
                "limit": limit,
                "endpoint": endpoint_id,
                "rooms": msgspec.json.encode(rooms).decode(),
                "room": limit if room is None else room,
            },
        )
        rows = sorted(cursor.fetchall(), key=lambda row: (row[4], row[1]))
        again = [row[0] for row in rows if row[3] > 1]
        if again:  # whoever began their last attempt and did not end it will not come back
            cursor.execute(
                "UPDATE connect_webhook_attempt SET finished_at = %s, error_kind = %s, error = %s"
                " WHERE delivery_id = ANY (%s) AND finished_at IS NULL",
                [now, domain.INTERRUPTED, "We stopped before an answer came, and sent it again.", again],
            )
    return [_Taken(*row[:4]) for row in rows]


def _events(event_ids: list[UUID]) -> dict[UUID, Any]:
    """What the shape of an event needs, its JSON untouched."""
    names = "id, account_id, type, api_version, created_at, request_id, idempotency_key, payload, previous_attributes"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, account_id, type, api_version, created_at, request_id, idempotency_key, payload::text,"
            " previous_attributes::text FROM connect_event WHERE id = ANY (%s)",
            [event_ids],
        )
        found = {}
        for row in cursor.fetchall():
            event = SimpleNamespace(**dict(zip(names.split(", "), row, strict=True)))
            event.payload = msgspec.Raw(event.payload.encode())
            if event.previous_attributes is not None:
                event.previous_attributes = msgspec.Raw(event.previous_attributes.encode())
            found[event.id] = event
    return found


def _secrets(caller: Caller, row: WebhookEndpoint) -> list[str]:
    """Empty where there is none to sign with: it cannot be unsealed, or the endpoint is just being deleted."""
    if row.secret is None:
        return []
    try:
        return webhook_endpoints.secrets(caller, row)
    except SealBroken:
        log.exception("webhooks.secret_unreadable", endpoint=str(row.id))
        return []


def _begin_attempts(outgoing: Sequence[Outgoing], now: datetime) -> None:
    # One body goes to every endpoint that wants its event.
    digests = {body: hashlib.sha256(body).hexdigest() for body in {one.body for one in outgoing}}
    rows = [
        {
            "id": ids.new(),
            "delivery_id": one.delivery_id,
            "number": one.number,
            "url": one.url,
            "headers": one.headers,
            "sha256": digests[one.body],
            "size": len(one.body),
        }
        for one in outgoing
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO connect_webhook_attempt (id, delivery_id, number, requested_at, url, request_headers,"
            " body_sha256, body_bytes, response_body, error_kind, error)"
            " SELECT id, delivery_id, number, %s, url, headers, decode(sha256, 'hex'), size, '', '', ''"
            " FROM jsonb_to_recordset(%s::jsonb) AS t(id uuid, delivery_id uuid, number int, url text, headers jsonb,"
            " sha256 text, size int)",
            [now, _json(rows)],
        )


# --- recording --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Delivery:
    id: UUID
    endpoint_id: UUID
    state: str
    attempts: int
    failures: int


@dataclass(frozen=True, slots=True)
class _Change:
    """A delivery, and the decision that becomes its state."""

    row: _Delivery
    decision: Decision


def _lock_endpoints(answers: Sequence[Answer]) -> list[WebhookEndpoint]:
    """The endpoints whose run of failures these answers begin, lengthen or end. They are locked before deliveries, as
    whoever disables or deletes an endpoint does. Those that are well, and stay so, are neither locked nor written.
    """
    known = [answer.delivery_id for answer in answers]
    failed = [answer.delivery_id for answer in answers if answer.status is None or not 200 <= answer.status < 300]
    with connection.cursor() as cursor:  # not by models: for a thousand ids they take a quarter of the recording
        cursor.execute(
            "SELECT id FROM connect_webhook_endpoint WHERE status = 'enabled' AND deleted_at IS NULL"
            " AND id IN (SELECT endpoint_id FROM connect_webhook_delivery WHERE id = ANY (%s))"
            " AND (first_failure_at IS NOT NULL"
            " OR id IN (SELECT endpoint_id FROM connect_webhook_delivery WHERE id = ANY (%s)))"
            " ORDER BY id FOR NO KEY UPDATE",
            [known, failed],
        )
        locked = [row[0] for row in cursor.fetchall()]
    return list(WebhookEndpoint.objects.filter(pk__in=locked).order_by("id")) if locked else []


def _lock_deliveries(identifiers: Sequence[UUID]) -> dict[UUID, _Delivery]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, endpoint_id, state, attempts, failures FROM connect_webhook_delivery WHERE id = ANY (%s)"
            " ORDER BY id FOR UPDATE",
            [list(identifiers)],
        )
        return {row[0]: _Delivery(*row) for row in cursor.fetchall()}


def _complete_attempts(answers: dict[tuple[UUID, int], Answer], now: datetime) -> dict[tuple[UUID, int], Answer]:
    """Fill in the attempts; returns the answers to those that were still open, or given up as interrupted."""
    rows = [
        {
            "delivery_id": answer.delivery_id,
            "number": answer.number,
            "duration": answer.duration_ms,
            "status": answer.status,
            "headers": None if answer.status is None else domain.kept_headers(answer.headers),
            "body": domain.readable(answer.body, domain.ANSWER_MAX),
            "kind": answer.error_kind[:20],
            "error": answer.error[:300],
        }
        for answer in answers.values()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE connect_webhook_attempt a SET finished_at = %s, duration_ms = t.duration,"
            " response_status = t.status, response_headers = t.headers,"
            " response_body = t.body, error_kind = t.kind, error = t.error"
            " FROM jsonb_to_recordset(%s::jsonb) AS t(delivery_id uuid, number int, duration int, status int,"
            " headers jsonb, body text, kind text, error text)"
            " WHERE a.delivery_id = t.delivery_id AND a.number = t.number"
            " AND (a.finished_at IS NULL OR a.error_kind = %s) RETURNING a.delivery_id, a.number",
            [now, _json(rows), domain.INTERRUPTED],
        )
        return {key: answers[key] for key in cursor.fetchall()}


def _change_deliveries(changes: Sequence[_Change], now: datetime) -> None:
    if not changes:
        return
    rows = [
        {
            "id": change.row.id,
            "state": change.decision.state,
            "failures": change.row.failures + (change.decision.state != "succeeded"),
            "next_attempt_at": change.decision.next_attempt_at,
            "finished_at": None if change.decision.state == "pending" else now,
        }
        for change in changes
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE connect_webhook_delivery d SET state = t.state, failures = t.failures,"
            " next_attempt_at = t.next_attempt_at, finished_at = t.finished_at, lease_until = NULL"
            " FROM jsonb_to_recordset(%s::jsonb) AS t(id uuid, state text, failures int,"
            " next_attempt_at timestamptz, finished_at timestamptz) WHERE d.id = t.id",
            [_json(rows)],
        )


def _judge_endpoints(
    caller: Caller, rows: Sequence[WebhookEndpoint], decisions: dict[UUID, list[Decision]], now: datetime
) -> Recorded:
    """Keep each endpoint's run of failures, and disable those that are gone or have failed for too long."""
    disabled: set[UUID] = set()
    paused: dict[UUID, datetime] = {}
    for row in rows:
        made = decisions.get(row.id, [])
        run = FailureRun(row.first_failure_at, row.failure_count, row.failing_since)
        if any(decision.state == "succeeded" for decision in made):
            run = FailureRun()
        else:
            for _ in made:
                run = after_failure(run, now)
        row.first_failure_at, row.failure_count, row.failing_since = run.first_at, run.count, run.since
        pauses = [decision.pause_until for decision in made if decision.pause_until is not None]
        if pauses:
            row.paused_until = paused[row.id] = max([*pauses, row.paused_until or now])
        if any(decision.gone for decision in made):
            reason = WebhookEndpoint.DisabledReason.GONE
        elif is_given_up(run, now):
            reason = WebhookEndpoint.DisabledReason.FAILING
        else:
            row.save(update_fields=["first_failure_at", "failure_count", "failing_since", "paused_until"])
            continue
        webhook_endpoints.disable(caller, row, reason)
        disabled.add(row.id)
    return Recorded(frozenset(disabled), paused)


def _json(value: Any) -> str:
    """Rows travel as JSON: psycopg writes arrays of text several times slower than all of this takes."""
    return msgspec.json.encode(value).decode()
