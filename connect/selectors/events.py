"""Events as pages and the API read them. Test sends are in no list; they can be read by their id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange, require_cursor, slice_queryset
from connect.models import Event, WebhookDelivery
from connect.shapes import events as shapes
from connect.shapes.events import PREFIX, EventOut

_SLACK: Final = timedelta(seconds=2)
"""Two processes do not draw their ids by exactly the same clock."""


@dataclass(frozen=True, slots=True)
class EventInfo:
    """One event: `id` is its public id, `payload` the object as it was."""

    id: str
    type: str
    object_id: str
    created_at: datetime
    request_id: str
    payload: dict[str, Any]


def for_object(caller: Caller, object_id: str) -> list[EventInfo]:
    """What happened to one object, newest first."""
    rows = _listed(caller).filter(object_id=object_id).order_by("-id")
    return [_info(row) for row in rows]


def get(caller: Caller, event_id: str) -> EventOut:
    """The caller's event. Raises `ResourceMissing`."""
    row = Event.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, event_id))
    if row is None:
        raise ResourceMissing(resource="event", id=event_id, param="id")
    (shown,) = _shapes(caller, [row])
    return shown


def page(
    caller: Caller,
    page: Page,
    *,
    type: str | None = None,  # noqa: A002 - the filter's name on the wire
    types: Collection[str] = (),
    created: TimeRange | None = None,
    delivery_success: bool | None = None,
    object_id: str | None = None,
) -> tuple[list[EventOut], bool]:
    """A page of the caller's events, newest first, and whether there are more.

    `type` may end in `*`. `delivery_success` keeps events that every endpoint confirmed (or that none was to get), or
    those that one has not.
    """
    rows = _listed(caller)
    if type:
        rows = rows.filter(type__startswith=type[:-1]) if type.endswith("*") else rows.filter(type=type)
    if types:
        rows = rows.filter(type__in=list(types))
    if created is not None:
        rows = rows.filter(**created.filters("created_at"))
    if object_id:
        rows = rows.filter(object_id=object_id)
    if delivery_success is not None:
        open_ = Exists(WebhookDelivery.objects.filter(~Q(state="succeeded"), event_id=OuterRef("pk")))
        rows = rows.filter(~open_ if delivery_success else open_)
    require_cursor(page, PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    return _shapes(caller, found), has_more


def for_request(caller: Caller, request_id: str, *, within: timedelta) -> list[EventInfo]:
    """What one request (`req_…`) caused, oldest first; `within` is how long the request took.

    Ids tell when they were made, so the key's index finds the events of that time, however many there are.
    """
    made_at = clock.from_unix(0) + timedelta(milliseconds=ids.lookup("req", request_id).int >> 80)
    rows = _listed(caller).filter(
        request_id=request_id, id__gte=ids.first_at(made_at - _SLACK), id__lt=ids.first_at(made_at + within + _SLACK)
    )
    return [_info(row) for row in rows.order_by("id")]


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, EventOut]:
    """Many at once."""
    rows = list(Event.objects.filter(account_id=caller.account, pk__in=identifiers))
    return {row.id: shown for row, shown in zip(rows, _shapes(caller, rows), strict=True)}


def pending_webhooks(event_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many endpoints have yet to confirm each event; events that none is waiting for are absent.

    For an event whose deliveries are still to be made these are the endpoints that will get one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, count(*) FROM connect_webhook_delivery WHERE event_id = ANY (%(ids)s)"
            " AND state = 'pending' GROUP BY event_id"
            " UNION ALL SELECT e.id, count(*) FROM connect_event e JOIN connect_webhook_endpoint w"
            " ON w.account_id = e.account_id AND w.enabled_after < e.id AND w.status = 'enabled'"
            " AND w.deleted_at IS NULL AND w.enabled_events && ARRAY['*', e.type]::varchar[]"
            " WHERE e.id = ANY (%(ids)s) AND e.fanned_out_at IS NULL AND NOT EXISTS (SELECT 1 FROM"
            " connect_webhook_delivery d WHERE d.event_id = e.id AND d.endpoint_id = w.id) GROUP BY e.id",
            {"ids": list(event_ids)},
        )
        counts: dict[UUID, int] = {}
        for identifier, count in cursor.fetchall():
            counts[identifier] = counts.get(identifier, 0) + count
    return counts


def _info(row: Event) -> EventInfo:
    return EventInfo(ids.encode(PREFIX, row.id), row.type, row.object_id, row.created_at, row.request_id, row.payload)


def _listed(caller: Caller) -> QuerySet[Event]:
    return Event.objects.filter(account_id=caller.account, only_endpoint_id=None)


def _shapes(caller: Caller, rows: Sequence[Any]) -> list[EventOut]:
    pending = pending_webhooks([row.id for row in rows]) if rows else {}
    return [shapes.render(row, livemode=caller.livemode, pending_webhooks=pending.get(row.id, 0)) for row in rows]
