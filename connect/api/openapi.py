"""The API's own description, generated from what runs: routes, inputs, output structs and error classes.

    class PaymentIntentViewSet(ApiViewSet):
        @operation(PaymentIntent, input=PaymentIntentCreate, errors=(AmountTooSmall,))
        def create(self, request): ...

A method without `@operation` is a warning, and `manage.py openapi` fails on warnings: nothing is published undescribed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from drf_spectacular import openapi
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction

from connect.api import field_words
from connect.api.errors import ErrorBody, ServiceUnavailable
from connect.api.fields import InputField
from connect.api.pagination import list_parameters, list_schema, search_schema
from connect.api.schemas import struct_schema
from connect.api.serializers import InputSerializer, NoInput
from connect.domain import errors as credentials
from connect.domain import scopes
from connect.domain.tiers import RateLimit
from connect.kit import errors
from connect.kit.errors import DomainError

ViewMethod = TypeVar("ViewMethod", bound=Callable[..., Any])

_MEDIA_TYPES: Final = ("application/x-www-form-urlencoded", "application/json")
_VERBS: Final = {"destroy": "delete"}
_ALWAYS: Final = (
    credentials.ApiKeyMissing, credentials.ApiKeyInvalid, credentials.AccessTokenInvalid,
    credentials.AccessTokenExpired, credentials.PermissionMissing, RateLimit,
    errors.InternalError, ServiceUnavailable, errors.ParameterUnknown, errors.ParameterInvalid, errors.BodyInvalid,
)  # fmt: skip
_WITH_INPUT: Final = (errors.ParameterMissing, errors.ParameterInvalidEmpty, errors.ParameterInvalidInteger)
_WITH_BODY: Final = (credentials.IdempotencyMismatch, credentials.IdempotencyKeyInUse)


@dataclass(frozen=True, slots=True)
class Operation:
    """What one endpoint takes, answers and refuses."""

    output: Any
    input: type[InputSerializer]
    lists: bool
    searches: bool
    errors: tuple[type[DomainError], ...]
    summary: str


def operation(
    output: Any,
    *,
    input: type[InputSerializer] = NoInput,  # noqa: A002 - reads as what it is
    lists: bool = False,
    searches: bool = False,
    errors: Iterable[type[DomainError]] = (),
    summary: str = "",
) -> Callable[[ViewMethod], ViewMethod]:
    """Describe a view's method; put it under `@action`.

    `output` is a struct (or a union of structs); with `lists=True` or `searches=True` it is what is listed or found.
    `input` is the body of a POST and the query of anything else. `errors` are those the service raises; what every
    endpoint can answer is added.
    `summary` defaults to the docstring's first line.
    """
    described = Operation(output, input, lists, searches, tuple(errors), summary)

    def mark(method: ViewMethod) -> ViewMethod:
        method.operation = described  # type: ignore[attr-defined]
        return method

    return mark


def only_the_api(endpoints: list[Any], **_: Any) -> list[Any]:
    """drf-spectacular's hook: describe what stands under `/v1/`, nothing else."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/v1/")]


class AutoSchema(openapi.AutoSchema):
    """Describes one endpoint from its `Operation`."""

    method: str
    path: str
    top_input: type[InputSerializer] | None = None

    @property
    def described(self) -> Operation:
        """The operation of the method that is being described."""
        found = getattr(self._method(), "operation", None)
        if found is None:
            warn(f"{self.method} {self.path} has no @operation")
            return Operation(None, NoInput, lists=False, searches=False, errors=(), summary="")
        return found

    def get_operation_id(self) -> str:
        """`payment_intents.create`, `checkout.sessions.expire`, `customers.payment_methods.list`: as SDKs name them."""
        words = [word for word in self.path.removeprefix("/v1/").strip("/").split("/") if not word.startswith("{")]
        verb = getattr(self.view, "action", None) or self.method.lower()
        verb = _VERBS.get(verb, verb)
        if words[-1] == verb and len(words) > 1:
            if self.described.lists:
                verb = "list"  # an action that lists what belongs to the object
            else:
                words.pop()
        return ".".join([*words, verb])

    def get_summary(self) -> str:
        return self.described.summary or self._docstring().split("\n", 1)[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular takes the arguments away
        return self._docstring().partition("\n")[2].strip()

    def get_tags(self) -> list[str]:
        words = self.get_operation_id().split(".")
        return [words[0] if len(words) < 3 else ".".join(words[:2])]

    def get_auth(self) -> list[dict[str, list[str]]]:
        if not self.view.authentication_classes:
            return [{}]
        view: Any = self.view
        scope = f"{view.scope_resource}:{scopes.verb(self.method)}"
        return [{"bearer": []}, {"basic": []}, {"oauth2": [scope]}]

    def _get_parameters(self) -> list[dict[str, Any]]:
        found = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": "The object's id.",
            }
            for name in re.findall(r"{(\w+)}", self.path)
        ]
        if self.method != "POST":
            found += self._query_parameters()
        headers = ["IdempotencyKey"] if self.method == "POST" else []
        headers += ["FacturinoVersion"]
        return [*found, *({"$ref": f"#/components/parameters/{name}"} for name in headers)]

    def _query_parameters(self) -> list[dict[str, Any]]:
        schema = self._map_serializer(self.described.input(), "request")  # type: ignore[no-untyped-call]
        required = schema.get("required", [])
        properties = {**schema["properties"], "expand": expand_schema()}
        found = list_parameters() if self.described.lists else []
        for name, part in properties.items():
            parameter = {"name": name, "in": "query", "schema": part, **_style(part)}
            if text := part.get("description") or field_words.of(self.described.input.__name__, name):
                parameter["description"] = text
            if name in required:
                parameter["required"] = True
            found.append(parameter)
        return found

    def _get_request_body(self, direction: Direction = "request") -> dict[str, Any] | None:
        if self.method != "POST":
            return None
        self.top_input = self.described.input
        reference = self.resolve_serializer(self.described.input(), direction)
        schema = reference.schema
        encoding = {name: style for name, part in schema["properties"].items() if (style := _style(part))}
        form, json = ({"schema": reference.ref} for _ in _MEDIA_TYPES)
        if encoding:
            form["encoding"] = encoding
        return {"content": dict(zip(_MEDIA_TYPES, (form, json), strict=True)), "required": bool(schema.get("required"))}

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        described = self.described
        schema = self._output_schema(described.output)
        if described.lists:
            answers = {"200": _answer("The list.", list_schema(schema))}
        elif described.searches:
            answers = {"200": _answer("What was found.", search_schema(schema))}
        else:
            answers = {"200": _answer("The object.", schema)}
        by_status: dict[int, list[type[DomainError]]] = {}
        for error in self._errors(described):
            by_status.setdefault(error.status, []).append(error)
        body = self._output_schema(ErrorBody)
        for status in sorted(by_status):
            lines = [f"* `{error.code}`: {meaning(error)}" for error in sorted(by_status[status], key=lambda e: e.code)]
            answers[str(status)] = _answer("\n".join(lines), body)
        return answers

    def _errors(self, described: Operation) -> set[type[DomainError]]:
        found: set[type[DomainError]] = {*_ALWAYS, *described.errors}
        if described.input is not NoInput or described.lists or self.method == "POST":
            found.update(_WITH_INPUT)
        if self.method == "POST":
            found.update(_WITH_BODY)
        if described.searches:
            found |= {errors.SearchQueryInvalid, errors.MissingParameterTarget}
        if "{" in self.path:
            found.add(errors.ResourceMissing)
        return found

    def _output_schema(self, output: Any) -> dict[str, Any]:
        """A reference to the struct's component; the component and those it needs are registered."""
        if output is None:
            return {"type": "object"}
        schema, components = struct_schema(output)
        for name, (owner, part) in components.items():
            known = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, schema=part, object=owner)
            if known in self.registry:
                if self.registry[known].object is not owner:
                    warn(f"two different structs are called {name}")
                continue
            self.registry.register(known)
        return schema

    def _method(self) -> Any:
        return getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)

    def _docstring(self) -> str:
        text = getattr(self._method(), "__doc__", None) or ""
        return "\n".join(line.strip() for line in text.strip().splitlines())


class InputExtension(OpenApiSerializerExtension):
    """Inputs refuse what they do not know, and take `expand` and the parameters without effect."""

    target_class = InputSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: openapi.AutoSchema, direction: Direction) -> dict[str, Any]:
        target: InputSerializer | type[InputSerializer] = self.target
        owner = target if isinstance(target, type) else type(target)
        schema = auto_schema._map_serializer(target, direction, bypass_extensions=True)  # noqa: SLF001 - its documented use
        properties = dict(schema.get("properties", {}))
        for name, reason in owner.ACCEPTED_WITHOUT_EFFECT.items():
            properties[name] = {"description": f"Accepted without effect. {reason}"}
        if getattr(auto_schema, "top_input", None) is owner:
            properties["expand"] = expand_schema()
        schema = {**schema, "type": "object", "properties": properties, "additionalProperties": False}
        if not owner.__dict__.get("__doc__"):
            schema.pop("description", None)  # inherited from the base, where it speaks to developers
        return schema


class FieldExtension(OpenApiSerializerFieldExtension):
    """What our fields know better about themselves than DRF's, and no traces of the generator."""

    target_class = InputField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: openapi.AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        schema.pop("x-spec-enum-id", None)
        if isinstance(schema.get("type"), list):
            schema["type"] = schema["type"][0]  # whoever calls this adds the null
        return {**schema, **self.target.described()}


def expand_schema() -> dict[str, Any]:
    """The `expand` parameter that every endpoint has."""
    return {
        "type": "array",
        "items": {"type": "string", "maxLength": 500},
        "description": "Properties to answer as objects instead of ids, such as `customer`; up to 4 levels with dots.",
    }


def meaning(error: type[DomainError]) -> str:
    """The first sentence of an error class's docstring, on one line."""
    return " ".join((error.__doc__ or "").split())


def _style(schema: dict[str, Any]) -> dict[str, Any]:
    """How a form or query writes a nested parameter: with brackets."""
    kind = schema.get("type")
    names = set(kind if isinstance(kind, list) else [kind])
    nested = {"object", "array"} & names or {"$ref", "oneOf", "allOf"} & schema.keys()
    return {"style": "deepObject", "explode": True} if nested else {}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
