"""Which events there are: every type by its name, with the object it carries. Apps fill it in `ready()`.

Publishing refuses what is not here, the catalogue page and the JSON Schemas are made from it, and webhook endpoints can
ask only for types it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class EventType:
    """`object` is the kind of thing in `data.object`, `shape` its struct, `description` its line in the catalogue."""

    name: str
    object: str
    shape: type[msgspec.Struct]
    description: str


class UnknownEventType(LookupError):
    """An event of a type that no app registered; add it to the app's `domain/events.py`."""


_types: dict[str, EventType] = {}


def register(types: Iterable[EventType]) -> None:
    """Add types. The same one again changes nothing; another under its name raises ValueError."""
    for event_type in types:
        known = _types.setdefault(event_type.name, event_type)
        if known != event_type:
            raise ValueError(f"the event type {event_type.name!r} is already registered for {known.shape.__name__}")


def unregister(name: str) -> None:
    """Take a type out again: for tests that bring their own."""
    _types.pop(name, None)


def get(name: str) -> EventType | None:
    """The type of this name, or None."""
    return _types.get(name)


def require(name: str) -> EventType:
    """The type of this name. Raises `UnknownEventType`."""
    try:
        return _types[name]
    except KeyError:
        raise UnknownEventType(f"nobody registered the event type {name!r}") from None


def every() -> Iterator[EventType]:
    """All of them, by name."""
    yield from (_types[name] for name in sorted(_types))
