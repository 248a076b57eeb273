"""What a request says, as one plain tree: the same for a JSON body, a form body and a query string.

    amount=10&metadata[order]=7&items[0][price]=price_1   ->   {"amount": "10", "metadata": {"order": "7"},
                                                               "items": [{"price": "price_1"}]}

Forms carry only text; the fields of `connect.api.serializers` turn it into numbers. An empty text means *unset*.
Everything has a limit, and what is ambiguous (a name sent twice, a list that is also an object) is refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn
from urllib.parse import unquote_plus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from connect.kit.errors import BodyInvalid

BODY_BYTES_MAX: Final = 1024 * 1024
DEPTH_MAX: Final = 10
KEYS_MAX: Final = 1000
LIST_LENGTH_MAX: Final = 1000
NUMBER_CHARACTERS_MAX: Final = 32

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INDEX = re.compile(r"0|[1-9][0-9]{0,2}")
_APPEND = ""


class FormList(list):
    """A list that came from a form's indexes. `metadata[0]=x` looks the same, so the metadata field may undo it."""


def parameters(request: Request) -> dict[str, Any]:
    """All parameters of a request: of the body for POST, of the query string for everything else.

    A GET or DELETE with a body, and a POST with a query string, are refused: silently ignored parameters are how
    money gets lost.
    """
    if request.method == "POST":
        if request.META.get("QUERY_STRING"):
            raise BodyInvalid("Send the parameters of a POST request in its body, not in its address.")
        data = request.data
        return data if type(data) is dict else {}
    if _content_length(request.META) > 0:
        raise BodyInvalid(f"A {request.method} request has no body. Send its parameters in the address.")
    return parse_query(request)


def parse_query(request: Request | HttpRequest) -> dict[str, Any]:
    """The tree of a query string; the brackets may be percent-encoded, as official SDKs send them."""
    return parse_form_text(request.META.get("QUERY_STRING", ""))


def parse_form(body: bytes) -> dict[str, Any]:
    """The tree of an `application/x-www-form-urlencoded` body."""
    return parse_form_text(_decode(body))


def parse_form_text(text: str) -> dict[str, Any]:
    """The tree of a form; raises `BodyInvalid` with the parameter's name for anything that is not clear."""
    if not text:
        return {}
    pairs = text.split("&")
    if len(pairs) > KEYS_MAX:
        raise BodyInvalid(reason=f"it has more than {KEYS_MAX} parameters")
    tree: dict[str, Any] = {}
    nested: list[tuple[str, list[str], str]] = []
    for pair in pairs:
        if not pair:
            continue
        name, _, value = pair.partition("=")
        name, value = _unquote(name), _unquote(value)
        if "[" not in name and "]" not in name:
            if name in tree or not name:
                _twice(name)
            tree[name] = value
            continue
        match = _NAME.fullmatch(name)
        if match is None:
            raise BodyInvalid(reason=f"the parameter name {name!r} has brackets that do not match", param=name)
        nested.append((name, [match[1], *match[2][1:-1].split("][")], value))
    if nested:
        _plant_all(tree, nested)
    return tree


def parse_json(body: bytes) -> dict[str, Any]:
    """The tree of a JSON body, which must be an object. Whole numbers stay whole; others become exact decimals."""
    text = _decode(body)
    try:
        tree = json.loads(
            text,
            object_pairs_hook=_object_without_twins,
            parse_constant=_refuse_constant,
            parse_int=_whole_number,
            parse_float=_decimal,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        reason = f"{error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else _too_deep()
        raise BodyInvalid(reason=f"it is not valid JSON: {reason}") from error
    if not isinstance(tree, dict):
        raise BodyInvalid(reason='the JSON must be an object, such as {"amount": 1000}')
    _measure(tree, depth=1, keys=0, check_text="\\u" in text)
    return tree


class JsonParser(BaseParser):
    """`application/json` for DRF."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return parse_json(_body(media_type, parser_context))


class FormParser(BaseParser):
    """`application/x-www-form-urlencoded` with brackets for DRF."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return parse_form(_body(media_type, parser_context))


# --- reading ----------------------------------------------------------------------------------------------------------


def _content_length(meta: Mapping[str, Any]) -> int:
    try:
        return int(meta.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _body(media_type: str | None, context: Any) -> bytes:
    """The raw body, refused by its announced length before it is read, and kept by Django for whoever else needs it."""
    request: Request = context["request"]
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", media_type or "", re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise BodyInvalid(reason=f"the character set {charset[1]!r} is not supported, send UTF-8")
    if _content_length(request.META) > BODY_BYTES_MAX:
        raise BodyInvalid(reason=f"it is larger than {BODY_BYTES_MAX} bytes")
    try:
        return request.body  # the underlying HttpRequest's
    except RequestDataTooBig as error:
        raise BodyInvalid(reason=f"it is larger than {BODY_BYTES_MAX} bytes") from error
    except UnreadablePostError as error:
        raise BodyInvalid(reason="the connection ended before it was complete") from error


def _decode(body: bytes) -> str:
    if len(body) > BODY_BYTES_MAX:
        raise BodyInvalid(reason=f"it is larger than {BODY_BYTES_MAX} bytes")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyInvalid(reason=f"byte {error.start} is not valid UTF-8") from error


def _unquote(text: str) -> str:
    """One side of a pair, decoded; NUL and what is not UTF-8 are refused, PostgreSQL could not keep them."""
    if "%" in text or "+" in text:
        try:
            text = unquote_plus(text, errors="strict")
        except UnicodeDecodeError as error:
            raise BodyInvalid(reason=f"{text[:40]!r} is not valid percent-encoded UTF-8") from error
    if "\0" in text:
        raise BodyInvalid(reason="it holds a NUL character")
    return text


# --- brackets ---------------------------------------------------------------------------------------------------------


def _plant_all(tree: dict[str, Any], nested: list[tuple[str, list[str], str]]) -> None:
    for name, path, value in nested:
        if len(path) > DEPTH_MAX:
            raise BodyInvalid(reason=f"{name!r} is nested deeper than {DEPTH_MAX} levels", param=name)
        _plant(tree, name, path, value)
    for key in {path[0] for _, path, _ in nested}:
        tree[key] = _lists(tree[key])


def _plant(node: Any, name: str, path: list[str], value: str) -> None:
    """Put one value where its name points. Containers are dicts until `_lists`, except those filled by `[]`."""
    for depth, step in enumerate(path[:-1]):
        upcoming = path[depth + 1]
        if step == _APPEND:
            node = _append_point(node, name, path[depth + 1 :])
            continue
        child = node.get(step) if type(node) is dict else _mixed(name)
        if child is None:
            child = node[step] = FormList() if upcoming == _APPEND else {}
        elif type(child) is not (FormList if upcoming == _APPEND else dict):
            _mixed(name)
        node = child
    last = path[-1]
    if last == _APPEND:
        node.append(value)
    elif type(node) is not dict:
        _mixed(name)
    elif last in node:
        _twice(name)
    else:
        node[last] = value


def _append_point(node: FormList, name: str, rest: list[str]) -> Any:
    """`a[][x]=1&a[][y]=2&a[][x]=3` is two elements: a name seen already in the last element begins the next."""
    if rest[0] == _APPEND:
        raise BodyInvalid(reason=f"{name!r} has a list directly inside a list; write the indexes out", param=name)
    if not node or type(node[-1]) is not dict or _holds(node[-1], rest):
        node.append({})
    return node[-1]


def _holds(element: Any, rest: list[str]) -> bool:
    for step in rest:
        if step == _APPEND or type(element) is not dict or step not in element:
            return False
        element = element[step]
    return True


def _lists(node: Any) -> Any:
    """Turn every object whose names are exactly 0, 1, 2 … into a list."""
    if type(node) is FormList:
        if len(node) > LIST_LENGTH_MAX:
            raise BodyInvalid(reason=f"a list has more than {LIST_LENGTH_MAX} elements")
        node[:] = [_lists(element) for element in node]
        return node
    if type(node) is not dict:
        return node
    for key, child in node.items():
        if type(child) is not str:
            node[key] = _lists(child)
    if "0" in node and all(_INDEX.fullmatch(key) and int(key) < len(node) for key in node):
        return FormList(node[str(index)] for index in range(len(node)))
    return node


def _twice(name: str) -> NoReturn:
    if not name:
        raise BodyInvalid(reason="a parameter has no name")
    raise BodyInvalid(reason=f"the parameter {name!r} was sent more than once", param=name)


def _mixed(name: str) -> NoReturn:
    raise BodyInvalid(reason=f"the parameter {name!r} is used in two different forms", param=name)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _object_without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        names = [name for name, _ in pairs]
        _twice(next(name for name in names if names.count(name) > 1))
    return tree


def _refuse_constant(text: str) -> NoReturn:
    raise BodyInvalid(reason=f"{text} is not a number of JSON")


def _whole_number(text: str) -> int:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise BodyInvalid(reason=f"a number has more than {NUMBER_CHARACTERS_MAX} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    """An exact decimal; an exponent that would make it huge is refused before anybody writes it out."""
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise BodyInvalid(reason=f"a number has more than {NUMBER_CHARACTERS_MAX} digits")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BodyInvalid(reason=f"{text} is out of range") from error
    if abs(number.adjusted()) > NUMBER_CHARACTERS_MAX:
        raise BodyInvalid(reason=f"{text} is out of range")
    return number


def _too_deep() -> str:
    return f"it is nested deeper than {DEPTH_MAX} levels"


def _measure(node: Any, *, depth: int, keys: int, check_text: bool) -> int:
    """Count names and elements on the way down; refuse what is too deep, too many, or not storable text."""
    if depth > DEPTH_MAX:
        raise BodyInvalid(reason=_too_deep())
    items = node.items() if type(node) is dict else enumerate(node)
    keys += len(node)
    if keys > KEYS_MAX:
        raise BodyInvalid(reason=f"it has more than {KEYS_MAX} parameters")
    for key, child in items:
        if check_text:
            _check_text(key)
            _check_text(child)
        if type(child) is dict or type(child) is list:
            keys = _measure(child, depth=depth + 1, keys=keys, check_text=check_text)
    return keys


def _check_text(value: Any) -> None:
    """An escaped NUL or half a surrogate pair is legal JSON, but not text that could be stored."""
    if type(value) is str and ("\0" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise BodyInvalid(reason="a text holds a NUL character or half a surrogate pair")
