"""JSON Schema of output structs, as they are really sent: every field present, ids that can become objects."""

from __future__ import annotations

import copy
import re
import types
import typing
from typing import Any

import msgspec

from connect.kit import registry

_REFERENCE = "#/components/schemas/{name}"

Components = dict[str, tuple[type, dict[str, Any]]]
"""By component name: the struct and its schema."""


def struct_schema(output: Any) -> tuple[dict[str, Any], Components]:
    """The schema of a struct or a union of structs, and the components it refers to, expandable ones included."""
    components: Components = {}
    if isinstance(output, types.UnionType):
        return {"anyOf": [_add(choice, components) for choice in output.__args__]}, components
    return _add(output, components), components


def _add(output: Any, components: Components) -> dict[str, Any]:
    (schema,), named = msgspec.json.schema_components([output], ref_template=_REFERENCE)
    for info in _struct_types(msgspec.inspect.type_info(output)):
        name = component_name(info.cls)
        if name not in components:
            part = copy.deepcopy(named[name])
            components[name] = (info.cls, part)
            _finish(info, part, components)
    return schema


def _finish(info: msgspec.inspect.StructType, schema: dict[str, Any], components: Components) -> None:
    """Make msgspec's schema, which describes what may be read, describe what is written."""
    shape: Any = typing.get_origin(info.cls) or info.cls
    schema.pop("title", None)
    omits = shape.__struct_config__.omit_defaults
    schema["required"] = [field.encode_name for field in info.fields if not _can_be_absent(field, omits_defaults=omits)]
    for field in info.fields:
        part = schema["properties"][field.encode_name]
        default = part.pop("default", None)
        if field.name == "object" and isinstance(default, str):
            part["const"] = default
            part.pop("enum", None)
        targets = getattr(shape, "expandable", {}).get(field.name)
        if targets:
            schema["properties"][field.encode_name] = _expandable(part, targets, components)


def _expandable(part: dict[str, Any], targets: str | tuple[str, ...], components: Components) -> dict[str, Any]:
    """An id, or the object behind it."""
    choices = list(part["anyOf"]) if "anyOf" in part else [part]
    for prefix in [targets] if isinstance(targets, str) else targets:
        resource = registry.by_prefix(prefix)
        if resource is None:
            continue
        reference = {"$ref": _REFERENCE.format(name=component_name(resource.shape))}
        if component_name(resource.shape) not in components:
            _add(resource.shape, components)
        if reference not in choices:
            choices.append(reference)
    described = {"description": part["description"]} if "description" in part else {}
    return {"anyOf": choices, "x-expandable": True, **described}


def _can_be_absent(field: msgspec.inspect.Field, *, omits_defaults: bool) -> bool:
    """Whether an answer may lack the field: msgspec shows an UNSET default as optional without any default."""
    if field.required:
        return False
    unset = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
    return unset or omits_defaults


def component_name(shape: Any) -> str:
    """What msgspec calls a struct's component: `Customer`, and `ListObject_Customer_` for a generic one."""
    origin = typing.get_origin(shape)
    if origin is None:
        return shape.__name__
    return re.sub(
        r"[^A-Za-z0-9.\-_]", "_", f"{origin.__name__}[{', '.join(a.__name__ for a in typing.get_args(shape))}]"
    )


def _struct_types(kind: Any, seen: dict[Any, Any] | None = None) -> list[msgspec.inspect.StructType]:
    """Every struct inside a type, itself included."""
    seen = {} if seen is None else seen
    if isinstance(kind, msgspec.inspect.StructType):
        if id(kind) not in seen:
            seen[id(kind)] = kind
            for field in kind.fields:
                _struct_types(field.type, seen)
    elif isinstance(kind, msgspec.inspect.UnionType):
        for choice in kind.types:
            _struct_types(choice, seen)
    elif isinstance(kind, msgspec.inspect.CollectionType):
        _struct_types(kind.item_type, seen)
    elif isinstance(kind, msgspec.inspect.DictType):
        _struct_types(kind.value_type, seen)
    elif isinstance(kind, msgspec.inspect.TupleType):
        for choice in kind.item_types:
            _struct_types(choice, seen)
    return list(seen.values())
