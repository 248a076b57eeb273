"""`expand[]`: replace ids in an answer by the objects they name.

It works on rendered structs. A shape says which of its attributes hold ids that can be expanded, and annotates them as
the ids they are (msgspec allows only one struct in a union, and shapes need not import each other):

    class Charge(msgspec.Struct):
        expandable: ClassVar = {"customer": "cus", "source": ("ch", "py")}
        customer: str | None

Every level of all paths is read in one batch per kind of object, through `connect.kit.registry`, whatever the number of
objects. Structs are copied before they are changed, so cached ones stay as they are.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from connect.domain import scopes
from connect.domain.errors import PermissionMissing
from connect.kit import ids, registry
from connect.kit.caller import Caller
from connect.kit.errors import ParameterInvalid

DEPTH_MAX: Final = 4
PATHS_MAX: Final = 20

Tree = dict[str, "Tree"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place in a copied struct that waits for an object; `tree` is what to expand inside of it."""

    owner: msgspec.Struct
    attribute: str
    batch: tuple[str, str]
    load: registry.Loader
    identifier: UUID
    tree: Tree
    path: str


def split(parameters: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The validated `expand` of a request's parameters (`[]` when there is none), and the parameters without it."""
    rest = dict(parameters)
    given = rest.pop("expand", [])
    if not isinstance(given, list) or not all(isinstance(path, str) for path in given):
        raise ParameterInvalid("Invalid array: send expand as expand[], once for each property.", param="expand")
    if len(given) > PATHS_MAX:
        raise ParameterInvalid(f"You can expand up to {PATHS_MAX} properties at once.", param="expand")
    for path in given:
        steps = path.split(".")
        if not all(steps):
            raise _cannot(path)
        if sum(step != "data" for step in steps) > DEPTH_MAX:
            raise ParameterInvalid(
                f"You cannot expand more than {DEPTH_MAX} levels of a property ({path}).", param="expand"
            )
    return list(given), rest


def apply(
    caller: Caller,
    objects: Sequence[T],
    paths: Sequence[str],
    *,
    in_list: bool = False,
    shape: type[msgspec.Struct] | None = None,
) -> list[T]:
    """`objects` with every path filled in: copies, the given ones stay as they are.

    `in_list` says that they travel in a list envelope, where paths begin with `data.`. `shape` is what they are: with
    it a wrong path is refused even when there are no objects. Raises `ParameterInvalid` for what cannot be expanded and
    `PermissionMissing` for what the caller may not read. Runs inside the caller's environment.
    """
    if not paths:
        return list(objects)
    tree = _tree(paths)
    prefix = ""
    if in_list:
        wrong = next((path for path in paths if not path.startswith("data.")), None)
        if wrong is not None:
            raise ParameterInvalid(
                f"This property cannot be expanded ({wrong}). In a list, write data.{wrong}.", param="expand"
            )
        tree, prefix = tree["data"], "data"
    for kind in dict.fromkeys([shape] if shape else [type(value) for value in objects]):
        _check(caller, (kind,), tree, prefix)
    results = [copy.copy(value) for value in objects]
    _fill(caller, [(result, tree, prefix) for result in results])
    return results


def _tree(paths: Sequence[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
    return tree


# --- filling ----------------------------------------------------------------------------------------------------------


def _fill(caller: Caller, frontier: list[tuple[Any, Tree, str]]) -> None:
    """Level by level: collect the ids that wait, read each kind once, put the objects in, go on inside of them."""
    while frontier:
        batches: dict[tuple[str, str], list[_Slot]] = {}
        for owner, tree, path in frontier:
            for slot in _visit(caller, owner, tree, path):
                batches.setdefault(slot.batch, []).append(slot)
        frontier = []
        for waiting in batches.values():
            objects = waiting[0].load(caller, list(dict.fromkeys(slot.identifier for slot in waiting)))
            frontier += _place(waiting, objects)


def _visit(caller: Caller, owner: Any, tree: Tree, prefix: str) -> Iterator[_Slot]:
    """What waits in an already copied struct, and in the structs inside of it that a path leads through.

    Wrong paths were refused by `_check`; what is merely not there (a deleted object has few fields) is passed over.
    """
    expandable = getattr(owner, "expandable", {})
    own = registry.by_shape(type(owner))
    for attribute, subtree in tree.items():
        path = f"{prefix}.{attribute}" if prefix else attribute
        if own is not None and attribute in own.includes:
            identifier = ids.decode(own.prefix, owner.id)
            if identifier is not None:
                batch = (own.prefix, attribute)
                yield _Slot(owner, attribute, batch, own.includes[attribute], identifier, subtree, path)
            continue
        current = getattr(owner, attribute, None)
        if current is None or current == "":
            continue
        if attribute in expandable and isinstance(current, str):
            found = registry.by_id(current)
            if found is not None and found[0].prefix in _prefixes(expandable[attribute]):
                _require(caller, found[0])
                yield _Slot(owner, attribute, (found[0].prefix, ""), found[0].load, found[1], subtree, path)
        elif subtree:
            yield from _descend(caller, owner, attribute, current, subtree, path)


def _descend(caller: Caller, owner: Any, attribute: str, current: Any, subtree: Tree, path: str) -> Iterator[_Slot]:
    if isinstance(current, msgspec.Struct):
        inner = copy.copy(current)
        msgspec.structs.force_setattr(owner, attribute, inner)
        yield from _visit(caller, inner, subtree, path)
    elif isinstance(current, list) and all(isinstance(element, msgspec.Struct) for element in current):
        elements = [copy.copy(element) for element in current]
        msgspec.structs.force_setattr(owner, attribute, elements)
        for element in elements:
            yield from _visit(caller, element, subtree, path)


def _place(waiting: list[_Slot], objects: Mapping[UUID, Any]) -> list[tuple[Any, Tree, str]]:
    """Put loaded objects where they are awaited; what could not be found stays the id it was."""
    frontier: list[tuple[Any, Tree, str]] = []
    for slot in waiting:
        loaded = objects.get(slot.identifier)
        if loaded is None:
            continue
        if slot.tree:
            loaded = copy.copy(loaded)
            frontier.append((loaded, slot.tree, slot.path))
        msgspec.structs.force_setattr(slot.owner, slot.attribute, loaded)
    return frontier


# --- checking ---------------------------------------------------------------------------------------------------------


def _check(caller: Caller, shapes: tuple[type, ...], tree: Tree, prefix: str) -> None:
    """Refuse a wrong path, or one into what the caller may not read, before anything is loaded."""
    for attribute, subtree in tree.items():
        path = f"{prefix}.{attribute}" if prefix else attribute
        targets: list[type] = []
        known = False
        for shape in shapes:
            step = _step(shape, attribute, leaf=not subtree)
            if step is None:
                continue
            known = True
            resources, inner = step
            for resource in resources:
                _require(caller, resource)
            targets += [resource.shape for resource in resources] or inner
        if not known or (subtree and not targets):
            raise _cannot(path)
        if subtree:
            _check(caller, tuple(targets), subtree, path)


def _step(shape: Any, attribute: str, *, leaf: bool) -> tuple[list[registry.Resource], list[type]] | None:
    """Where one step leads from a shape: to registered resources, or to structs inside; None when it leads nowhere."""
    plain = typing.get_origin(shape) or shape
    prefixes = _prefixes(getattr(plain, "expandable", {}).get(attribute, ()))
    if prefixes:
        return [resource for prefix in prefixes if (resource := registry.by_prefix(prefix))], []
    hint = _hints(plain).get(attribute)
    if hint is None:
        return None
    inner = list(_structs(hint, typing.get_args(shape)))
    own = registry.by_shape(plain)
    if own is not None and attribute in own.includes:
        return [], inner
    return None if leaf or not inner else ([], inner)


def _structs(hint: Any, parameters: tuple[Any, ...] = ()) -> Iterator[type]:
    """Every struct in an annotation, through unions, lists and list envelopes; a type variable is its parameter."""
    origin = typing.get_origin(hint) or hint
    if isinstance(hint, TypeVar):
        for parameter in parameters:
            yield from _structs(parameter)
    elif isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        yield hint
    else:
        for argument in typing.get_args(hint):
            yield from _structs(argument, parameters)


@lru_cache(maxsize=512)
def _hints(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: hint for name, hint in typing.get_type_hints(shape).items() if name in shape.__struct_fields__}


def _prefixes(declared: str | Sequence[str]) -> tuple[str, ...]:
    return (declared,) if isinstance(declared, str) else tuple(declared)


def _require(caller: Caller, resource: registry.Resource) -> None:
    if caller.actor.kind != "system" and not scopes.allows(caller.scopes, resource.scope):
        raise PermissionMissing(param="expand", scope=resource.scope)


def _cannot(path: str) -> ParameterInvalid:
    return ParameterInvalid(f"This property cannot be expanded ({path}).", param="expand")
