"""An example of an object, made from its struct alone: for the catalogue of events and for test sends.

The same struct always gives the same example. Names decide the values (`currency` is `eur`), types decide the rest.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connect.kit import registry
from connect.kit.event_types import EventType
from connect.kit.ids import BODY_LENGTH

MOMENT: Final = 1_767_225_600
"""Every timestamp of an example: 1 January 2026, 00:00 UTC."""

_BODY: Final = "0" + "EXAMPLE".ljust(BODY_LENGTH - 1, "0")
_MOMENTS: Final = ("created", "_at", "_on", "_until", "_since", "expires")
_AMOUNTS: Final = ("amount", "net", "balance")
_NOTHING_YET: Final = ("_refunded", "_capturable", "_reversed", "_fee", "fee", "_reserved")
_USUAL: Final = ("succeeded", "enabled", "card", "automatic")
_TEXTS: Final = {
    "currency": "eur", "country": "MK", "email": "ana@example.com", "name": "Ana Petrovska", "phone": "+38970123456",
    "description": "An example", "url": "https://shop.example.com/webhooks", "last4": "4242", "brand": "visa",
    "line1": "Partizanska 1", "city": "Skopje", "postal_code": "1000", "exp_month": "12", "exp_year": "2030",
}  # fmt: skip
_WHOLE: Final = {"exp_month": 12, "exp_year": 2030}


def of_type(event_type: EventType) -> dict[str, Any]:
    """An example of what an event of this type carries; its status is the one that the type is named after, if any."""
    shown = sample(event_type.shape)
    resource = registry.by_object(event_type.object)
    if resource is not None and "id" in shown:  # a shape that only events have is not in the register
        shown["id"] = f"{resource.prefix}_{_BODY}"
    wanted = event_type.name.rpartition(".")[2]
    for field in _info(event_type.shape).fields:
        if field.name == "status" and wanted in getattr(field.type, "values", ()):
            shown["status"] = wanted
    return shown


def sample(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """An example of `shape` as JSON would carry it: optional parts are null, lists hold one element."""
    return _struct(_info(shape))


def _info(shape: type[msgspec.Struct]) -> msgspec.inspect.StructType:
    info = msgspec.inspect.type_info(shape)
    assert isinstance(info, msgspec.inspect.StructType)
    return info


def _struct(info: msgspec.inspect.StructType) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    resource = registry.by_shape(info.cls)
    for field in info.fields:
        if field.name == "id" and resource is not None:
            shown[field.encode_name] = f"{resource.prefix}_{_BODY}"
        elif field.default is not msgspec.NODEFAULT:
            if info.cls.__struct_config__.omit_defaults:
                continue
            shown[field.encode_name] = field.default
        elif field.required:
            shown[field.encode_name] = _value(field.type, field.name, info)
        elif field.default_factory is not msgspec.NODEFAULT:
            shown[field.encode_name] = msgspec.to_builtins(field.default_factory())
    return shown


def _value(kind: Any, name: str, owner: msgspec.inspect.StructType) -> Any:
    types = msgspec.inspect
    if isinstance(kind, types.UnionType):
        if any(isinstance(choice, types.NoneType) for choice in kind.types):
            return None
        return _value(kind.types[0], name, owner)
    if isinstance(kind, types.LiteralType):
        return next((value for value in _USUAL if value in kind.values), kind.values[0])
    if isinstance(kind, types.StructType):
        return _struct(kind)
    if isinstance(kind, types.CollectionType):
        return [_value(kind.item_type, name.removesuffix("s"), owner)]
    if isinstance(kind, types.DictType):
        return {}
    if isinstance(kind, types.BoolType):
        return False
    if isinstance(kind, types.IntType):
        return _number(name)
    if isinstance(kind, types.FloatType):
        return 1.0
    if isinstance(kind, types.StrType):
        return _text(name, owner)
    return None


def _number(name: str) -> int:
    if name.endswith(_MOMENTS) or name in _MOMENTS:
        return MOMENT
    if name in _WHOLE:
        return _WHOLE[name]
    amount = any(word in name for word in _AMOUNTS)
    return 0 if name.endswith(_NOTHING_YET) else 2_000 if amount else 1


def _text(name: str, owner: msgspec.inspect.StructType) -> str:
    expandable = getattr(owner.cls, "expandable", {}).get(name)
    if expandable:
        return f"{expandable if isinstance(expandable, str) else expandable[0]}_{_BODY}"
    return _TEXTS.get(name, "example")
