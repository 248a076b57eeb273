"""The base of every endpoint: the way of a request, in the order it happens.

Credential → environment → rate limit → scope (`initial`), then parse → idempotency → one service call → answer. Each
step is a module of its own beside this one; a resource only says what is its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from connect.api import execution, expand, renderers
from connect.api.execution import Reply
from connect.api.pagination import TOTAL_COUNT, CursorPage, search_envelope
from connect.api.parsers import parameters
from connect.api.serializers import InputSerializer, ListFilters, SearchFilters
from connect.domain import versions
from connect.domain.errors import AccountInvalid
from connect.kit.caller import Actor, Caller
from connect.kit.outcomes import Waiting
from connect.kit.pages import DEFAULT_LIMIT, Hits, Page
from connect.selectors.credentials import Credential
from connect.services import idempotency


class ApiViewSet(GenericViewSet):
    """Subclasses set `scope_resource` and `id_prefix`, and write one method per operation.

    Use `self.input(In)` or `self.page(Filters)` for what came in; answer with `self.read`, `self.local` or
    `self.external`.
    """

    scope_resource: ClassVar[str] = ""
    id_prefix: ClassVar[str] = ""
    lookup_value_regex = "[^/]+"
    # No OPTIONS: secret keys are for servers, so nobody asks before a request of another origin.
    http_method_names = ["get", "head", "post", "delete"]
    caller: Caller
    parameters: dict[str, Any]
    expand_paths: list[str]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.parameters, self.expand_paths = {}, []
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)
        self.caller = self._caller(request)

    def input(self, serializer: type[InputSerializer]) -> dict[str, Any]:
        """What the caller sent, in body or query string, checked; raises the class of what is wrong, with its name."""
        self.parameters = parameters(self.request)
        self.expand_paths, tree = expand.split(self.parameters)
        return serializer.check(tree)

    def page(
        self, filters: type[ListFilters] = ListFilters, *, prefix: str | None = None
    ) -> tuple[Page, dict[str, Any]]:
        """Which page of a list is asked for, and its filters. `prefix` is for a list of others than the view's own."""
        given = self.input(filters)
        return CursorPage.parse(self.parameters, prefix or self.id_prefix), given

    def read(self, work: Callable[[Caller], Any]) -> HttpResponse:
        """Answer with what `work` finds."""
        return self._answer(execution.read(self.caller, work, self._render))

    def list_of(self, work: Callable[[Caller], tuple[list[Any], bool]], *, shape: type[Any]) -> HttpResponse:
        """Answer with a page; `work` returns objects of `shape`, newest first, and whether there are more."""

        def envelope(found: tuple[list[Any], bool]) -> bytes:
            objects, has_more = found
            objects = expand.apply(self.caller, objects, self.expand_paths, in_list=True, shape=shape)
            return renderers.render_bytes(CursorPage.envelope(self.request.path, objects, has_more))

        return self._answer(execution.read(self.caller, work, envelope))

    def search_of(
        self, filters: type[SearchFilters], find: Callable[..., Hits[Any]], *, shape: type[Any]
    ) -> HttpResponse:
        """Answer with a page of what `find(caller, query=…, page=…, count=…)` found, newest first.

        How many there are is counted only when asked for, by expanding `total_count`.
        """
        given = self.input(filters)
        count = TOTAL_COUNT in self.expand_paths
        paths = [path for path in self.expand_paths if path != TOTAL_COUNT]
        page = Page(limit=given.get("limit", DEFAULT_LIMIT), starting_after=given.get("page"))

        def envelope(hits: Hits[Any]) -> bytes:
            objects = expand.apply(self.caller, hits.objects, paths, in_list=True, shape=shape)
            return renderers.render_bytes(search_envelope(self.request.path, hits, objects, self.id_prefix))

        work = partial(find, query=given["query"], page=page, count=count)
        return self._answer(execution.read(self.caller, work, envelope))

    def local(self, work: Callable[[Caller], Any]) -> HttpResponse:
        """Answer with what `work` does, in one transaction with its idempotency key."""
        return self._answer(execution.local(self.caller, self._claim(), work, self._render))

    def external(
        self,
        *,
        begin: Callable[[Caller], Any],
        resume: Callable[[Caller, str], Any],
        call: Callable[[Waiting], Any],
        record: Callable[[Caller, Waiting, Any], Any],
    ) -> HttpResponse:
        """Answer with what the outside world says: claim, call, record."""
        reply = execution.external(
            self.caller, self._claim(), begin=begin, resume=resume, call=call, record=record, render=self._render
        )
        return self._answer(reply)

    def _claim(self) -> idempotency.Claim | None:
        request = self.request
        return idempotency.claim(
            self.caller, method=request.method or "", path=request.path, parameters=self.parameters
        )

    def _render(self, shape: Any) -> bytes:
        (shape,) = expand.apply(self.caller, [shape], self.expand_paths)
        return renderers.render_bytes(shape)

    def _answer(self, reply: Reply) -> HttpResponse:
        headers = {"Content-Type": "application/json", **reply.headers}
        response = HttpResponse(reply.body, status=reply.status, headers=headers)
        if reply.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _caller(self, request: Request) -> Caller:
        credential = cast(Credential, request.auth)
        meta = request.META
        if account := meta.get("HTTP_STRIPE_ACCOUNT"):
            raise AccountInvalid(account=account)
        return Caller(
            environment=credential.environment,
            actor=Actor(credential.kind, credential.id, credential.name),
            scopes=credential.scopes,
            request_id=getattr(request._request, "request_id", ""),  # noqa: SLF001 - DRF's name for the wrapped request
            idempotency_key=meta.get("HTTP_IDEMPOTENCY_KEY") if request.method == "POST" else None,
            api_version=versions.chosen(meta.get("HTTP_FACTURINO_VERSION"), credential.environment.api_version),
        )
