"""Events as pages and the API read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.models import Event

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
    rows = Event.objects.filter(account_id=caller.account, object_id=object_id).order_by("-id")
    return [
        EventInfo(ids.encode("evt", row.id), row.type, row.object_id, row.created_at, row.request_id, row.payload)
        for row in rows
    ]


def for_request(caller: Caller, request_id: str, *, within: timedelta) -> list[EventInfo]:
    """What one request (`req_…`) caused, oldest first; `within` is how long the request took.

    Ids tell when they were made, so the key's index finds the events of that time, however many there are.
    """
    identifier = ids.lookup("req", request_id)
    made_at = clock.from_unix(0) + timedelta(milliseconds=identifier.int >> 80)
    rows = Event.objects.filter(
        account_id=caller.account, request_id=request_id, id__gte=_first_at(made_at - _SLACK),
        id__lt=_first_at(made_at + within + _SLACK),
    )  # fmt: skip
    return [
        EventInfo(ids.encode("evt", row.id), row.type, row.object_id, row.created_at, row.request_id, row.payload)
        for row in rows.order_by("id")
    ]


def _first_at(moment: datetime) -> UUID:
    """The least UUIDv7 of a millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
