"""JSON Schema of events: one document in which every type stands by its name, with the object it carries."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from connect.kit.event_types import EventType
from connect.shapes.events import EventOut

_REFERENCE: Final = "#/$defs/{name}"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def document(types: Iterable[EventType]) -> dict[str, Any]:
    """A schema that any event of these types meets; `$defs` holds one for each type, under the type's name."""
    known = sorted(types, key=lambda event_type: event_type.name)
    definitions = _structs({EventOut, *(event_type.shape for event_type in known)})
    event = definitions.pop("EventOut")
    for event_type in known:
        definitions[event_type.name] = _event(event, event_type)
    return {
        "$schema": _DIALECT,
        "title": "Events",
        "description": "Every event is one of these. An id that the API can expand is always an id here.",
        "oneOf": [{"$ref": _REFERENCE.format(name=event_type.name)} for event_type in known],
        "$defs": dict(sorted(definitions.items())),
    }


def _event(base: dict[str, Any], event_type: EventType) -> dict[str, Any]:
    schema = copy.deepcopy(base)
    schema["description"] = event_type.description
    schema["properties"]["type"] = {"type": "string", "const": event_type.name}
    schema["properties"]["data"] = {
        "type": "object",
        "properties": {
            "object": {"$ref": _REFERENCE.format(name=event_type.shape.__name__)},
            "previous_attributes": {"type": "object"},
        },
        "required": ["object"],
    }
    return schema


def _structs(shapes: set[type[msgspec.Struct]]) -> dict[str, dict[str, Any]]:
    """The schemas of structs and of all inside them, made to describe what is written instead of what may be read."""
    ordered = sorted(shapes, key=lambda shape: shape.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    for schema in components.values():
        schema.pop("title", None)
        for name, part in schema.get("properties", {}).items():
            default = part.pop("default", None)
            if name == "object" and isinstance(default, str):
                part.pop("enum", None)
                part.update(type="string", const=default)
    return components
