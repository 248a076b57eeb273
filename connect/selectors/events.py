"""Events as pages and the API read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connect.kit import ids
from connect.kit.caller import Caller
from connect.models import Event


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
    rows = Event.objects.filter(account_id=caller.account, object_id=object_id).order_by("-id")
    return [
        EventInfo(ids.encode("evt", row.id), row.type, row.object_id, row.created_at, row.request_id, row.payload)
        for row in rows
    ]
