"""Deliveries asked for by hand: send again, replay a range, send a test.

The everyday way, from event to sent request, is `webhook_deliveries`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from connect.domain.errors import EventTypeUnknown, WebhookEndpointDisabled
from connect.domain.webhook_endpoints import EVERY_EVENT
from connect.kit import event_samples, event_types, ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ParameterInvalid, ResourceMissing
from connect.models import Event, WebhookEndpoint
from connect.selectors import webhook_deliveries as selectors
from connect.services import audit, event_hints, webhook_endpoints
from connect.shapes import webhook_endpoints as shapes
from connect.shapes.webhook_endpoints import DELIVERY_PREFIX, WebhookDeliveryOut, WebhookReplayOut

REPLAY_MAX: Final = 10_000
"""Deliveries that one replay sets going at most."""


def resend(caller: Caller, *, delivery_id: str) -> WebhookDeliveryOut:
    """Send a delivery once more, at once and with a new series of retries, whatever became of it before.

    Raises `ResourceMissing`, `WebhookEndpointDisabled`.
    """
    found = selectors.get(caller, delivery_id)
    return resend_event(caller, event_id=found.event, endpoint_id=found.webhook_endpoint)


def resend_event(caller: Caller, *, event_id: str, endpoint_id: str) -> WebhookDeliveryOut:
    """Send an event to an endpoint, once more or for the first time; the endpoint need not want its type.

    Raises `ResourceMissing` for the event, `MissingParameterTarget` for the endpoint, `WebhookEndpointDisabled`.
    """
    event = Event.objects.one(account_id=caller.account, id=ids.lookup("evt", event_id))
    if event is None:
        raise ResourceMissing(resource="event", id=event_id, param="id")
    try:
        endpoint = _enabled(caller, endpoint_id)
    except ResourceMissing as missing:
        raise MissingParameterTarget(resource="webhook_endpoint", id=endpoint_id, param="webhook_endpoint") from missing
    made = _set_going(caller, endpoint.id, [event.id])
    if not made:  # it was deleted in this moment: it had been kept long enough
        raise ResourceMissing(resource="event", id=event_id, param="id")
    (delivery_id,) = made
    audit.record(caller, action="webhook_delivery.resent", target=event_id, endpoint=endpoint_id)
    return selectors.get(caller, ids.encode(DELIVERY_PREFIX, delivery_id))


def replay(
    caller: Caller, *, endpoint_id: str, since: datetime, until: datetime | None = None, only_failed: bool = True
) -> WebhookReplayOut:
    """Send again what was recorded from `since` to before `until` (wall time; now if None) and is of a type it wants.

    With `only_failed` that is what the endpoint has not confirmed: failed, canceled, or never sent because it was
    disabled or did not exist. Otherwise it is everything. What is already waiting to be sent is left as it is.
    Raises `ResourceMissing`, `WebhookEndpointDisabled`, and `ParameterInvalid` for a range that is empty or too large.
    """
    until = until or until_now(caller)
    endpoint, wanted = _replayable(caller, endpoint_id, since, until, only_failed=only_failed)
    made = _set_going(caller, endpoint.id, wanted)
    audit.record(
        caller,
        action="webhook_endpoint.replayed",
        target=endpoint_id,
        since=since.isoformat(),
        until=until.isoformat(),
        only_failed=only_failed,
        deliveries=len(made),
    )
    return shapes.replay(endpoint.id, len(made))


def until_now(caller: Caller) -> datetime:
    """The end of a range that holds everything recorded so far."""
    return caller.clock.wall() + timedelta(milliseconds=1)


def count_replay(caller: Caller, *, endpoint_id: str, since: datetime, until: datetime, only_failed: bool) -> int:
    """How many deliveries `replay` would set going now. Changes nothing; refuses what it refuses."""
    _, wanted = _replayable(caller, endpoint_id, since, until, only_failed=only_failed)
    return len(wanted)


def send_test(caller: Caller, *, endpoint_id: str, type: str) -> WebhookDeliveryOut:  # noqa: A002 - as on the wire
    """Send an event of this type with an example in it to one endpoint. It tells of nothing and is in no list.

    Raises `ResourceMissing`, `EventTypeUnknown`, `WebhookEndpointDisabled`.
    """
    event_type = event_types.get(type)
    if event_type is None or type == EVERY_EVENT:
        raise EventTypeUnknown(type=type[:80], param="type")
    endpoint = _enabled(caller, endpoint_id)
    payload: dict[str, Any] = event_samples.of_type(event_type)
    if "livemode" in payload:
        payload["livemode"] = caller.livemode
    now = caller.clock.wall()
    event = Event(
        account_id=caller.account,
        type=type,
        api_version=caller.api_version,
        object_id=str(payload.get("id", "")),
        payload=payload,
        request_id=caller.request_id,
        created_at=now,
        fanned_out_at=now,
        only_endpoint_id=endpoint.id,
    )
    event.save(force_insert=True)
    (delivery_id,) = _set_going(caller, endpoint.id, [event.id])
    return selectors.get(caller, ids.encode(DELIVERY_PREFIX, delivery_id))


def _enabled(caller: Caller, endpoint_id: str) -> WebhookEndpoint:
    row = webhook_endpoints.lock(caller, endpoint_id)
    if row.status != WebhookEndpoint.Status.ENABLED:
        raise WebhookEndpointDisabled
    return row


def _replayable(
    caller: Caller, endpoint_id: str, since: datetime, until: datetime, *, only_failed: bool
) -> tuple[WebhookEndpoint, list[UUID]]:
    """The endpoint, locked, and the events to send it again."""
    if since >= until:
        raise ParameterInvalid("since must be earlier than until, and not in the future.", param="since")
    endpoint = _enabled(caller, endpoint_id)
    wanted = _replayed(endpoint, since, until, only_failed=only_failed)
    if len(wanted) > REPLAY_MAX:
        raise ParameterInvalid(
            f"More than {REPLAY_MAX} events fall into this range. Choose a shorter one and repeat.", param="since"
        )
    return endpoint, wanted


def _replayed(endpoint: WebhookEndpoint, since: datetime, until: datetime, *, only_failed: bool) -> list[UUID]:
    """The events, oldest first; one more than `REPLAY_MAX` where there are too many."""
    states = ("failed", "canceled") if only_failed else ("failed", "canceled", "succeeded")
    types: list[str] = [] if EVERY_EVENT in endpoint.enabled_events else list(endpoint.enabled_events)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id FROM connect_event e LEFT JOIN connect_webhook_delivery d"
            " ON d.event_id = e.id AND d.endpoint_id = %s"
            " WHERE e.account_id = %s AND e.id >= %s AND e.id < %s AND e.only_endpoint_id IS NULL"
            " AND (%s OR e.type = ANY (%s)) AND (d.id IS NULL OR d.state = ANY (%s)) ORDER BY e.id LIMIT %s",
            [
                endpoint.id, endpoint.account_id, ids.first_at(since), ids.first_at(until), not types, types,
                list(states), REPLAY_MAX + 1,
            ],
        )  # fmt: skip
        return [row[0] for row in cursor.fetchall()]


def _set_going(caller: Caller, endpoint_id: UUID, event_ids: list[UUID]) -> list[UUID]:
    """Make these events' deliveries, or begin those that exist anew; returns their ids. One that is just being sent
    keeps its lease: should that attempt succeed, it is the one that was asked for. The lock keeps `retention` from
    deleting an event that is now to be sent; one that it has deleted already gets no delivery.
    """
    if not event_ids:
        return []
    now = caller.clock.wall()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO connect_webhook_delivery (id, event_id, endpoint_id, state, attempts, failures,"
            " next_attempt_at, created_at) SELECT t.id, t.event_id, %s, 'pending', 0, 0, %s, %s"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS t(id, event_id) JOIN connect_event e ON e.id = t.event_id"
            " FOR KEY SHARE OF e ON CONFLICT (event_id, endpoint_id) DO UPDATE"
            " SET state = 'pending', failures = 0, next_attempt_at = excluded.next_attempt_at, finished_at = NULL"
            " RETURNING id",
            [endpoint_id, now, now, [ids.new() for _ in event_ids], event_ids],
        )
        made = [row[0] for row in cursor.fetchall()]
    transaction.on_commit(partial(event_hints.note, caller.environment.id))
    return made
