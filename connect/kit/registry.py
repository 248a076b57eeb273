"""Which object stands behind an id: its prefix, its shape on the wire, its loader, its page and the scope it needs.

Apps fill it in `ready()`. Expand, events and the search by id reach upward through it, so that the floor never
imports the apps above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from connect.kit import ids
from connect.kit.caller import Caller

Loader = Callable[[Caller, Sequence[UUID]], Mapping[UUID, Any]]
"""Reads many objects at once, rendered; an id that the caller cannot see is simply absent from the answer."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object.

    `load` runs inside the caller's environment and reads a whole batch in one go. `page` is the dashboard's address
    with `{id}` in it, or None. `scope` is the text a key must hold to read it (`customers:read`), `permission` what a
    person must hold to see it in the dashboard where that has another name. `includes` are the attributes that are
    absent unless expanded, each with a loader keyed by the parent's id (`line_items`).
    """

    prefix: str
    object: str
    shape: type[msgspec.Struct]
    load: Loader
    page: str | None
    scope: str
    includes: Mapping[str, Loader] = field(default_factory=dict)
    permission: str = ""


class PublicId(NamedTuple):
    """A public id taken apart. `str()` of it is the id again."""

    prefix: str
    uuid: UUID

    def __str__(self) -> str:
        return ids.encode(self.prefix, self.uuid)


_by_prefix: dict[str, Resource] = {}
_by_object: dict[str, Resource] = {}
_by_shape: dict[type[msgspec.Struct], Resource] = {}


def register(resource: Resource) -> None:
    """Add a resource. The same one again changes nothing; another under its prefix or name raises ValueError."""
    for index, key in ((_by_prefix, resource.prefix), (_by_object, resource.object)):
        known = index.get(key)
        if known is not None and known.shape is not resource.shape:
            raise ValueError(f"{key!r} is already registered for {known.shape.__name__}")
    _by_prefix[resource.prefix] = resource
    _by_object[resource.object] = resource
    _by_shape[resource.shape] = resource


def unregister(resource: Resource) -> None:
    """Take a resource out again: for tests that bring their own."""
    _by_prefix.pop(resource.prefix, None)
    _by_object.pop(resource.object, None)
    _by_shape.pop(resource.shape, None)


def by_prefix(prefix: str) -> Resource | None:
    """The resource whose ids start with `prefix`."""
    return _by_prefix.get(prefix)


def object_name(prefix: str) -> str:
    """What an id of this prefix is called in error texts: `payment_intent`, or the prefix when nobody knows it."""
    resource = _by_prefix.get(prefix)
    return resource.object if resource else prefix


def by_object(name: str) -> Resource | None:
    """The resource whose objects say `"object": name`."""
    return _by_object.get(name)


def by_shape(shape: type) -> Resource | None:
    """The resource that travels as this struct."""
    return _by_shape.get(shape)


def by_id(text: str) -> tuple[Resource, UUID] | None:
    """The resource and UUID behind any public id, or None when it is not one of ours."""
    parts = ids.split(text)
    resource = _by_prefix.get(parts[0]) if parts else None
    identifier = ids.decode(resource.prefix, text) if resource else None
    return (resource, identifier) if resource and identifier else None


def resources() -> Iterator[Resource]:
    """Every resource, in the order of its prefix."""
    yield from (_by_prefix[prefix] for prefix in sorted(_by_prefix))
