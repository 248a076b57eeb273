"""Publishing events: the outbox row is written in the transaction of its cause, and frozen there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from django.db import connection, transaction

from connect.kit import event_types, ids, tenancy
from connect.kit.caller import Caller
from connect.services import event_hints

PREFIX = "evt"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """`type` is an event name (`payment_intent.succeeded`), `payload` the object's wire shape as it is now.

    `object_id` is for the few objects that have no id, such as the balance.
    """

    type: str
    payload: Any
    previous_attributes: dict[str, Any] | None = None
    object_id: str = ""


def updated(event_type: str, *, before: Any, after: Any) -> NewEvent:
    """The event of an update: `before` and `after` are the object's wire shape, and what differs is told as it was.

    Inside of objects only what differs is told, also there; a name that is new, as in metadata, was null.
    """
    return NewEvent(event_type, after, _differences(msgspec.to_builtins(before), msgspec.to_builtins(after)))


def publish(caller: Caller, *events: NewEvent) -> None:
    """Write events in order, in one statement. Once they are committed the dispatcher is told that there is work.

    Raises `EnvironmentRequired` outside of an environment, and `UnknownEventType` for a type that no app registered.
    """
    if not events:
        return
    environment = tenancy.current()
    if environment is None:
        raise tenancy.EnvironmentRequired("an event is written in the transaction of its cause")
    created = caller.clock.business()
    rows: list[Any] = []
    for event in events:
        event_types.require(event.type)
        payload = msgspec.json.encode(event.payload)
        previous = (
            None if event.previous_attributes is None else msgspec.json.encode(event.previous_attributes).decode()
        )
        rows += [
            ids.new(), caller.account, event.type, caller.api_version, event.object_id or event.payload.id,
            payload.decode(), previous, caller.request_id, caller.idempotency_key or "", created,
        ]  # fmt: skip
    _insert(len(events), rows)
    transaction.on_commit(partial(event_hints.note, environment.id))


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in before | after:
        was, now = before.get(name), after.get(name)
        if was != now:
            found[name] = _differences(was, now) if isinstance(was, dict) and isinstance(now, dict) else was
    return found


def _insert(count: int, values: Sequence[Any]) -> None:
    rows = ", ".join(["(%s, %s, %s, 1, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s)"] * count)
    statement = (
        "INSERT INTO connect_event (id, account_id, type, schema_version, api_version, object_id, payload,"  # noqa: S608
        f" previous_attributes, request_id, idempotency_key, created_at) VALUES {rows}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
