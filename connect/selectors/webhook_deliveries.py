"""Deliveries and attempts as they are read, and which endpoints have something to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange, require_cursor, slice_queryset
from connect.models import Event, InboxMessage, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from connect.shapes import webhook_endpoints as shapes
from connect.shapes.webhook_endpoints import DELIVERY_PREFIX, WebhookAttemptOut, WebhookDeliveryOut

DUE: Final = (
    "connect_webhook_delivery",
    "state = 'pending' AND next_attempt_at <= now() AND coalesce(lease_until, '-infinity') <= now()",
)
"""Table and condition of deliveries that wait to be sent, for `sweeps.environments_where`."""
NEW: Final = ("connect_event", "fanned_out_at IS NULL")
"""The same of events that have no deliveries yet."""


def due_endpoints(now: datetime) -> list[UUID]:
    """The endpoints of the open environment that `webhook_deliveries.claim` would find something for at `now`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM connect_webhook_endpoint w WHERE status = 'enabled' AND deleted_at IS NULL"
            " AND (paused_until IS NULL OR paused_until <= %(now)s) AND EXISTS (SELECT 1 FROM connect_webhook_delivery"
            " WHERE endpoint_id = w.id AND state = 'pending' AND next_attempt_at <= %(now)s"
            " AND (lease_until IS NULL OR lease_until <= %(now)s)) ORDER BY id",
            {"now": now},
        )
        return [row[0] for row in cursor.fetchall()]


def next_due(now: datetime) -> datetime | None:
    """When the open environment has something to send next: `now` or later; None while nothing waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(greatest(d.next_attempt_at, d.lease_until, w.paused_until, %s)) FROM connect_webhook_delivery d"
            " JOIN connect_webhook_endpoint w ON w.id = d.endpoint_id AND w.status = 'enabled'"
            " AND w.deleted_at IS NULL WHERE d.state = 'pending'",
            [now],
        )
        (moment,) = cursor.fetchone()
        return moment


def get(caller: Caller, delivery_id: str) -> WebhookDeliveryOut:
    """One delivery of the caller's. Raises `ResourceMissing`."""
    row = _own(caller).filter(pk=ids.lookup(DELIVERY_PREFIX, delivery_id)).first()
    if row is None:
        raise ResourceMissing(resource="webhook_delivery", id=delivery_id, param="id")
    (shown,) = _shapes(caller, [row])
    return shown


def page(
    caller: Caller,
    page: Page,
    *,
    endpoint_id: UUID | None = None,
    event: UUID | None = None,
    status: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[WebhookDeliveryOut], bool]:
    """A page of deliveries, newest first, and whether there are more; of one endpoint, of one event, or of all."""
    rows = _own(caller)
    if endpoint_id is not None:
        rows = rows.filter(endpoint_id=endpoint_id)
    if event is not None:
        rows = rows.filter(event_id=event)
    if status:
        rows = rows.filter(state=status)
    if created is not None:
        rows = rows.filter(**created.filters("created_at"))
    require_cursor(page, DELIVERY_PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    return _shapes(caller, found), has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, WebhookDeliveryOut]:
    """Many at once."""
    rows = list(_own(caller).filter(pk__in=identifiers))
    return {row.id: shown for row, shown in zip(rows, _shapes(caller, rows), strict=True)}


def outcomes(event_ids: Sequence[UUID]) -> dict[UUID, str]:
    """How the deliveries of each event ended, in one word: the status that asks for attention most. Events that went
    to nobody are absent.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (event_id) event_id, state FROM connect_webhook_delivery WHERE event_id = ANY (%s)"
            " ORDER BY event_id, array_position(ARRAY['failed', 'pending', 'canceled', 'succeeded'], state::text)",
            [list(event_ids)],
        )
        return dict(cursor.fetchall())


def attempts(caller: Caller, delivery_id: str) -> list[WebhookAttemptOut]:
    """Every attempt of one of the caller's deliveries, newest first; none of a delivery that is not theirs."""
    own = _own(caller).filter(pk=ids.lookup(DELIVERY_PREFIX, delivery_id))
    found = WebhookAttempt.objects.filter(delivery_id__in=own.values("id")).order_by("-number")
    return [shapes.attempt(attempt) for attempt in found]


def attempts_of(delivery: UUID) -> list[WebhookAttemptOut]:
    """Every attempt of a delivery that is known to be the caller's, newest first."""
    found = WebhookAttempt.objects.filter(delivery_id=delivery).order_by("-number")
    return [shapes.attempt(attempt) for attempt in found]


def inbox(limit: int = 200) -> QuerySet[InboxMessage]:
    """What reached the open environment's webhook inbox, newest first."""
    return InboxMessage.objects.order_by("-id")[:limit]


def _own(caller: Caller) -> QuerySet[WebhookDelivery]:
    """Those of the caller's endpoints, deleted ones included: their log stays."""
    endpoints = WebhookEndpoint.objects.filter(account_id=caller.account).values("id")
    return WebhookDelivery.objects.filter(endpoint_id__in=endpoints)


def _shapes(caller: Caller, rows: Sequence[WebhookDelivery]) -> list[WebhookDeliveryOut]:
    types = dict(Event.objects.filter(pk__in={row.event_id for row in rows}).values_list("id", "type"))
    newest: Any = WebhookAttempt.objects.filter(delivery_id__in=[row.id for row in rows])
    last = {row.delivery_id: row for row in newest.order_by("delivery_id", "-number").distinct("delivery_id")}
    return [
        shapes.delivery(
            row, event_type=types.get(row.event_id, ""), last_attempt=last.get(row.id), livemode=caller.livemode
        )
        for row in rows
    ]
