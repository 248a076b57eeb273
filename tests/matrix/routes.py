"""Every address of the product, read off Django's resolver: nothing here is kept by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from connect.api.middleware import route_template

SAFE = frozenset({"GET"})
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """An address as a template (`/v1/customers/{pk}`), its view, and its name with the namespace before it."""

    path: str
    view: Any
    name: str

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


@dataclass(frozen=True)
class Operation:
    """A route of the API with one of its methods; `str()` of it is `POST /v1/customers/{pk}`."""

    method: str
    route: Route

    def __str__(self) -> str:
        return f"{self.method} {self.route.path}"

    def path(self, identifier: str = "") -> str:
        return self.route.path.replace("{pk}", identifier)


def routes() -> list[Route]:
    """All of them, in the order of the resolver."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[Any], before: str, namespace: str) -> Iterator[Route]:
    for pattern in patterns:
        whole = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, whole, inner)
        elif isinstance(pattern, URLPattern):
            yield Route(route_template(whole), pattern.callback, f"{namespace}{pattern.name or ''}")


def operations() -> list[Operation]:
    """Every method of every route under `/v1`. A view that does not say its methods counts as one that has them all."""
    found = []
    for route in routes():
        if not route.path.startswith("/v1"):
            continue
        actions = getattr(route.view, "actions", None)
        methods = [method.upper() for method in actions] if actions else list(METHODS)
        found += [Operation(method, route) for method in methods if method not in {"HEAD", "OPTIONS"}]
    return found
