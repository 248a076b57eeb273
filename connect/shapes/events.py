"""An event on the wire: the same in lists, when retrieved, and in the body of a webhook."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from connect.kit.caller import PLATFORM_ACCOUNT
from connect.kit.clock import unix
from connect.kit.ids import encode

PREFIX = "evt"


class EventDataOut(msgspec.Struct, kw_only=True):
    """`object` is as the API showed it when the event happened; `previous_attributes` are its changed fields before."""

    object: dict[str, Any]
    previous_attributes: dict[str, Any] | UnsetType = UNSET


class EventRequestOut(msgspec.Struct, kw_only=True):
    """The request that caused the event; both are null when the cause was no request."""

    id: str | None = None
    idempotency_key: str | None = None


class EventOut(msgspec.Struct, kw_only=True):
    """Something that happened. `pending_webhooks` counts the endpoints that have yet to confirm it."""

    id: str
    object: Literal["event"] = "event"
    account: str | UnsetType = UNSET
    api_version: str
    created: int
    data: EventDataOut
    livemode: bool
    pending_webhooks: int
    request: EventRequestOut
    type: str


def render(row: Any, *, livemode: bool, pending_webhooks: int) -> EventOut:
    """The event of `row`. Its `payload` and `previous_attributes` may be values or `msgspec.Raw` JSON."""
    previous = row.previous_attributes
    return EventOut(
        id=encode(PREFIX, row.id),
        account=UNSET if row.account_id == PLATFORM_ACCOUNT else encode("acct", row.account_id),
        api_version=row.api_version,
        created=unix(row.created_at),
        data=EventDataOut(object=row.payload, previous_attributes=UNSET if previous is None else previous),
        livemode=livemode,
        pending_webhooks=pending_webhooks,
        request=EventRequestOut(id=row.request_id or None, idempotency_key=row.idempotency_key or None),
        type=row.type,
    )
