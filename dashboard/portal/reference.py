"""The API reference, read from `docs/openapi.yaml`: one page per resource, and on it every operation.

The description is read once per process, when the reference is first asked for.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml
from django.conf import settings
from django.urls import resolve
from django.utils.html import escape
from markdown_it import MarkdownIt

from connect.api import field_words
from connect.domain import scopes
from connect.kit import registry
from dashboard.portal import markdown
from dashboard.portal.guides import FOLDER, REFERENCE

DEPTH: Final = 2
"""How many levels of an object within an object are spelled out."""
KEY: Final = "FC_SECRET_KEY_OF_THE_READER"
"""Stands for the reader's key in a sample, and is replaced when the page is drawn."""
_GROUPS: Final = (
    ("Payments", ("payment_intents", "setup_intents", "payment_methods", "charges", "refunds", "customers", "checkout",
                  "products", "prices", "balance", "balance_transactions")),
    ("Banks", ("banking",)),
    ("Ledger", ("ledger",)),
    ("Developers", ("events", "webhook_endpoints", "test_helpers")),
)  # fmt: skip
_OTHERS: Final = "More"
_IN_HEADERS: Final = "header"
_GIVEN: Final[Mapping[str, Mapping[str, str]]] = {
    "payment_intents.create": {
        "amount": "2000", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true",
    },
    "payment_intents.update": {"description": "Order 1001"},
    "payment_intents.confirm": {"payment_method": "pm_card_visa"},
    "payment_intents.capture": {"amount_to_capture": "1500"},
    "payment_intents.increment_authorization": {"amount": "2500"},
    "payment_intents.search": {"query": "status:'succeeded'"},
    "setup_intents.create": {"payment_method": "pm_card_visa", "confirm": "true"},
    "setup_intents.confirm": {"payment_method": "pm_card_visa"},
    "payment_methods.create": {"type": "card", "card[token]": "tok_visa"},
    "payment_methods.attach": {"customer": "cus_…"},
    "customers.create": {"email": "ana@example.com", "name": "Ana Petrovska"},
    "customers.update": {"metadata[order]": "1001"},
    "customers.search": {"query": "email:'ana@example.com'"},
    "charges.update": {"description": "Order 1001"},
    "refunds.create": {"payment_intent": "pi_…", "amount": "500"},
    "products.create": {"name": "Coffee"},
    "prices.create": {"currency": "eur", "unit_amount": "1250", "product_data[name]": "Coffee"},
    "checkout.sessions.create": {
        "mode": "payment", "success_url": "https://shop.example/thanks",
        "line_items[0][price_data][currency]": "eur", "line_items[0][price_data][unit_amount]": "1250",
        "line_items[0][price_data][product_data][name]": "Coffee", "line_items[0][quantity]": "2",
    },
    "banking.link_sessions.create": {"client_reference_id": "user-7", "history_days": "90"},
    "banking.connections.create": {"public_token": "…"},
    "banking.transactions.sync": {"connection": "conn_…"},
    "banking.institutions.list": {"query": "sandbox"},
    "ledger.accounts.create": {"path": "shop:till", "currency": "eur"},
    "ledger.holds.create": {
        "source": "shop:till", "destination": "shop:safe", "amount": "500", "currency": "eur",
    },
    "ledger.transactions.create": {
        "lines[0][account]": "shop:till", "lines[0][direction]": "debit", "lines[0][amount]": "500",
        "lines[0][currency]": "eur", "lines[1][account]": "shop:safe", "lines[1][direction]": "credit",
        "lines[1][amount]": "500", "lines[1][currency]": "eur",
    },
    "events.resend": {"webhook_endpoint": "we_…"},
    "webhook_endpoints.create": {"url": "https://shop.example/hooks", "enabled_events[]": "*"},
    "webhook_endpoints.replay": {"since": "1793491200"},
    "webhook_endpoints.test": {"type": "payment_intent.succeeded"},
    "webhook_endpoints.rotate_secret": {"overlap_seconds": "3600"},
    "test_helpers.test_clocks.create": {"frozen_time": "1793491200"},
    "test_helpers.test_clocks.advance": {"frozen_time": "1793577600"},
}  # fmt: skip
"""What the sample of an operation sends; the others send what is required, or nothing."""
_words = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a property of an object. `type` and `text` are HTML."""

    name: str
    type: str
    text: str
    is_required: bool
    children: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusals:
    """The codes that come with one HTTP status."""

    status: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. `text` and `body_text` are HTML, `answer` says in words what comes back."""

    id: str
    anchor: str
    method: str
    path: str
    summary: str
    description: str
    text: str
    scope: str
    query: tuple[Field, ...]
    headers: tuple[Field, ...]
    body: tuple[Field, ...]
    body_text: str
    answer: str
    refusals: tuple[Refusals, ...]
    sample: str

    @property
    def field_names(self) -> str:
        """The names of everything that can be sent, for the search."""
        return " ".join(field.name for field in (*self.query, *self.body))


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as it is answered. `always_null` are the names of what is sent for Stripe's libraries alone, and left
    out of `example`, which is HTML.
    """

    anchor: str
    title: str
    text: str
    fields: tuple[Field, ...]
    always_null: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A page of the reference. `text` is HTML."""

    slug: str
    title: str
    text: str
    group: str
    operations: tuple[Operation, ...]
    shapes: tuple[Shape, ...]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{REFERENCE}/{self.slug}"


@cache
def resources() -> tuple[Resource, ...]:
    """Every resource in the order of the navigation."""
    return tuple(_Description(_read()).resources())


def resource(slug: str) -> Resource | None:
    """One page, or None."""
    return next((found for found in resources() if found.slug == slug), None)


def groups() -> list[tuple[str, list[Resource]]]:
    """The resources as the navigation shows them."""
    found: dict[str, list[Resource]] = {}
    for each in resources():
        found.setdefault(each.group, []).append(each)
    return list(found.items())


def _read() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is thirty times as fast, where there is one
    with (FOLDER / "openapi.yaml").open("rb") as file:
        return dict(yaml.load(file, Loader=loader))  # noqa: S506 - both loaders make plain values only


class _Description:
    """The document, with what it refers to."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.paths: Mapping[str, Any] = document["paths"]
        self.tags = {tag["name"]: tag["description"] for tag in document["tags"]}
        self.components: Mapping[str, Any] = document["components"]

    @property
    def schemas(self) -> Mapping[str, Any]:
        return self.components["schemas"]

    def resources(self) -> Iterator[Resource]:
        by_tag: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
        for path, methods in self.paths.items():
            for method, told in methods.items():
                by_tag.setdefault(told["tags"][0], []).append((path, method, told))
        for tag in sorted(by_tag):  # lists of what belongs to one object stand on the page of its kind
            parent = tag.rpartition(".")[0]
            if parent in by_tag:
                by_tag[parent] += by_tag.pop(tag)
        for tag in sorted(by_tag, key=_rank):
            shapes: dict[str, Shape] = {}
            operations = [self._operation(path, method, told, shapes) for path, method, told in by_tag[tag]]
            yield Resource(
                slug=tag.replace("_", "-").replace(".", "-"),
                title=_title(tag),
                text=_words.render(self.tags[tag]),
                group=_group(tag),
                operations=tuple(sorted(operations, key=lambda each: _rank_on_page(each.id, tag))),
                shapes=tuple(shapes.values()),
            )

    def _operation(self, path: str, method: str, told: Mapping[str, Any], shapes: dict[str, Shape]) -> Operation:
        parameters = [self._resolved(parameter) for parameter in told.get("parameters", ())]
        content = told.get("requestBody", {}).get("content", {})
        schema = self._resolved(content.get("application/json", {}).get("schema", {}))
        identifier = told["operationId"]
        cls = resolve(path.replace("{id}", "x")).func.cls  # type: ignore[attr-defined]
        return Operation(
            id=identifier,
            anchor=identifier,
            method=method.upper(),
            path=path,
            summary=told["summary"],
            description=told.get("description", ""),
            text=_words.render(told.get("description", "")),
            scope=f"{cls.scope_resource}:{scopes.verb(method.upper())}",
            query=tuple(self._parameter(each) for each in parameters if each["in"] == "query"),
            headers=tuple(self._parameter(each) for each in parameters if each["in"] == _IN_HEADERS),
            body=tuple(sorted(self._fields(schema, DEPTH), key=lambda field: not field.is_required)),
            body_text=_words.render(_tidy(schema.get("description", ""))),
            answer=self._answer(told["responses"]["200"], shapes),
            refusals=tuple(
                Refusals(status, tuple(re.findall(r"^\* `(\w+)`:", answer["description"], re.MULTILINE)))
                for status, answer in sorted(told["responses"].items())
                if status != "200"
            ),
            sample=self._sample(path, method, identifier),
        )

    def _parameter(self, told: Mapping[str, Any]) -> Field:
        schema = told.get("schema", {})
        return Field(
            told["name"],
            self._type(schema),
            _words.renderInline(told.get("description", "")),
            told.get("required", False),
            tuple(self._fields(self._resolved(schema), 1)),
        )

    def _fields(self, schema: Mapping[str, Any], depth: int) -> Iterator[Field]:
        required = schema.get("required", ())
        for name, part in schema.get("properties", {}).items():
            if part.get(field_words.MARK):
                continue
            inner = self._object(part)
            children = tuple(self._fields(inner, depth - 1)) if inner and depth > 1 else ()
            text = _words.renderInline(_tidy(part.get("description", "")))
            yield Field(name, self._type(part), text, name in required, children)

    def _object(self, part: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The object behind a property, unless it is one of the API's own that has a page of its own."""
        if part.get("x-expandable"):
            return None
        for choice in (part, *part.get("anyOf", ()), *part.get("oneOf", ()), part.get("items", {})):
            schema = self._resolved(choice)
            if schema.get("properties") and "id" not in schema["properties"]:
                return schema
        return None

    def _type(self, part: Mapping[str, Any]) -> str:
        choices = [
            choice for choice in (*part.get("anyOf", ()), *part.get("oneOf", ())) if choice.get("type") != "null"
        ]
        is_nullable = len(choices) < len((*part.get("anyOf", ()), *part.get("oneOf", ())))
        if part.get("x-expandable"):
            return "id, can be expanded" + (", or null" if is_nullable else "")
        if choices:
            words = " or ".join(dict.fromkeys(self._type(choice) for choice in choices))
            return words + (", or null" if is_nullable else "")
        resolved = self._resolved(part)
        if "const" in resolved:
            return f"<code>{escape(str(resolved['const']))}</code>"
        if "enum" in resolved:
            values = [f"<code>{escape(str(value))}</code>" for value in resolved["enum"] if value is not None]
            return "one of " + ", ".join(values) if len(values) > 1 else values[0]
        named = resolved.get("type", "anything")
        kinds = [kind for kind in (named if isinstance(named, list) else [named]) if kind != "null"]
        if kinds == ["array"]:
            return f"list of {self._type(resolved.get('items', {}))}"
        null = ", or null" if isinstance(named, list) and "null" in named else ""
        form = {"unix-time": "unix seconds", "uri": "address"}.get(resolved.get("format", ""))
        return (form or " or ".join(kinds)) + null

    def _answer(self, told: Mapping[str, Any], shapes: dict[str, Shape]) -> str:
        schema = told["content"]["application/json"]["schema"]
        resolved = self._resolved(schema)
        listed = resolved.get("properties", {}).get("data", {}).get("items")
        names = [ref.rpartition("/")[2] for ref in _references(listed or schema)]
        links = []
        for name in names:
            shape = shapes.setdefault(name, self._shape(name))
            links.append(f'<a href="#{shape.anchor}">{escape(shape.title)}</a>')
        words = " or ".join(links)
        return f"A list of {words}" if listed else words

    def _shape(self, name: str) -> Shape:
        schema = self.schemas[name]
        said = schema.get("properties", {}).get("object", {}).get("const", name)
        deleted = ", deleted" if name.startswith("Deleted") else ""
        always_null = tuple(part for part, told in schema.get("properties", {}).items() if told.get(field_words.MARK))
        return Shape(
            anchor=f"object-{name}",
            title=f"{said}{deleted}",
            text=_words.render(_tidy(schema.get("description", ""))),
            fields=tuple(self._fields(schema, DEPTH)),
            always_null=always_null,
            example=_example(schema, always_null),
        )

    def _sample(self, path: str, method: str, identifier: str) -> str:
        given = _GIVEN.get(identifier)
        if given is None:
            given = {"limit": "3"} if identifier.endswith(".list") else {}
        address = settings.FC_PUBLIC_URL.rstrip("/") + path.replace("{id}", self._example_id(path))
        start = "curl -G" if method == "get" and given else "curl"
        if method == "delete" or (method == "post" and not given):
            start = f"curl -X {method.upper()}"
        lines = [f"{start} {shlex.quote(address) if '…' not in address else address}", f'-u "{KEY}:"']
        flag = "--data-urlencode" if method == "get" else "-d"
        lines += [f"{flag} {shlex.quote(f'{name}={value}')}" for name, value in given.items()]
        return " \\\n  ".join(lines)

    def _example_id(self, path: str) -> str:
        """`pi_…` for an address below `/v1/payment_intents/`."""
        start, _, _ = path.partition("{id}")
        retrieve = self.paths.get(f"{start}{{id}}", {}).get("get")
        if retrieve is None:
            return "…"
        schema = self._resolved(retrieve["responses"]["200"]["content"]["application/json"]["schema"])
        for choice in (
            schema,
            *(self._resolved(each) for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))),
        ):
            if known := registry.by_object(choice.get("properties", {}).get("object", {}).get("const", "")):
                return f"{known.prefix}_…"
        return "…"

    def _resolved(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in part:
            _, _, kind, name = part["$ref"].split("/")
            part = self.components[kind][name]
        return part


_ORDER: Final = {
    name: position for position, name in enumerate(("create", "retrieve", "update", "list", "search", "delete"))
}


def _rank_on_page(identifier: str, tag: str) -> int:
    return _ORDER.get(identifier.removeprefix(f"{tag}."), len(_ORDER))


def _references(schema: Mapping[str, Any]) -> list[str]:
    found = [schema["$ref"]] if "$ref" in schema else []
    return found + [ref for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) for ref in _references(each)]


def _rank(tag: str) -> tuple[int, int, str]:
    for group, (_, starts) in enumerate(_GROUPS):
        for place, start in enumerate(starts):
            if tag == start or tag.startswith(f"{start}."):
                return group, place, tag
    return len(_GROUPS), 0, tag


def _group(tag: str) -> str:
    position = _rank(tag)[0]
    return _GROUPS[position][0] if position < len(_GROUPS) else _OTHERS


def _title(tag: str) -> str:
    area, _, rest = tag.rpartition(".")
    words = (rest if area in {"banking", "test_helpers"} else tag).replace("_", " ").replace(".", " ")
    return f"Bank {words}" if area == "banking" else words.capitalize()


def _example(schema: Mapping[str, Any], left_out: Collection[str]) -> str:
    """The example of an object as code, or nothing."""
    for shown in schema.get("examples", ()):
        kept = {name: value for name, value in shown.items() if name not in left_out}
        return markdown.code(json.dumps(kept, indent=2, ensure_ascii=False), "json")
    return ""


def _tidy(text: str) -> str:
    """A docstring's text without the indentation of its lines."""
    return "\n".join(line.strip() for line in text.splitlines())
