"""The two middlewares of our own: who is asking for what (`RequestContextMiddleware`), and the API's short way
(`ApiMiddleware`). Everything between a request and its view on `/v1` is in this file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from connect.api.errors import render_error, to_domain_error
from connect.kit import ids, logs
from connect.kit.addresses import client_address
from connect.services import request_logs
from connect.services.request_logs import BODY_MAX, Captured, Trace

log = structlog.get_logger(__name__)

Handler = Callable[[HttpRequest], HttpResponseBase]

MACHINE_PATHS: Final = frozenset({"/v1", "/healthz", "/readyz", "/metrics"})
_PRINTABLE_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")
_FORM: Final = "application/x-www-form-urlencoded"


def is_api(path: str) -> bool:
    """Whether a path belongs to the API and answers errors as JSON."""
    return path.startswith("/v1/") or path == "/v1"


class RequestContextMiddleware:
    """Gives every request its id, binds it to the log lines, and notes the answer for request log and metrics.

    The id is always ours: one taken from a header could be made to look like another request's.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter_ns()
        request_id = ids.encode("req", ids.new())
        trace = Trace(request_id, started, time.time())
        request.request_id = request_id  # type: ignore[attr-defined]
        request.trace = trace  # type: ignore[attr-defined]
        logs.clear()
        logs.bind(request_id=request_id)
        response = self.get_response(request)
        headers = response.headers
        headers["Request-Id"] = request_id
        if trace.limit:
            for name, value in trace.limit.items():
                headers[name] = value
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        if key and _PRINTABLE_KEY.fullmatch(key):
            headers["Idempotency-Key"] = key
        request_logs.record(_captured(request, response, trace))
        return response


class ApiMiddleware:
    """Takes `/v1` and the probes straight to their views, past sessions, cookies, locale and CSRF.

    A session can therefore never authenticate the API, and a request does not pay for what it does not use. Whatever
    goes wrong on this way, an unknown address included, is answered in the API's own form.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        handler: Any = BaseHandler()
        # What `load_middleware` would collect, here empty; Django then calls nothing but the view.
        handler._view_middleware = []  # noqa: SLF001
        handler._template_response_middleware = []  # noqa: SLF001
        handler._exception_middleware = []  # noqa: SLF001
        self._to_view: Handler = handler._get_response  # noqa: SLF001

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not (is_api(path) or path in MACHINE_PATHS):
            return self.get_response(request)
        try:
            response = self._to_view(request)
        except Exception as exception:  # noqa: BLE001 - the last resort: whatever it is, the caller gets JSON
            response = self._failed(request, exception)
        headers = response.headers
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Content-Type-Options"] = "nosniff"
        if not response.streaming and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
        return response

    def _failed(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        error = to_domain_error(exception, request)
        if error.status >= 500:
            # Django's own signal, so that whatever collects failures there sees these too.
            got_request_exception.send(sender=self.__class__, request=request)
            log.error("request.failed", method=request.method, path=request.path, exc_info=exception)
        body, status, headers = render_error(error, request.request_id)  # type: ignore[attr-defined]
        return HttpResponse(body, status=status, headers=headers)


def _captured(request: HttpRequest, response: HttpResponseBase, trace: Trace) -> Captured:
    """What the log needs, by reference: nothing is parsed or copied while the caller waits."""
    meta = request.META
    match = request.resolver_match
    keep = is_api(request.path_info)
    content: bytes = b"" if response.streaming else response.content  # type: ignore[attr-defined]
    sent: bytes = request.__dict__.get("_body", b"")  # there when a parser has read it
    content_type = request.content_type
    return Captured(
        trace=trace,
        duration_us=(time.perf_counter_ns() - trace.started_ns) // 1000,
        method=request.method or "",
        path=request.path,
        query=meta.get("QUERY_STRING", ""),
        route=route_template(match.route) if match is not None and match.route else "",
        status=response.status_code,
        ip=client_address(request),
        user_agent=meta.get("HTTP_USER_AGENT", ""),
        idempotency_key=meta.get("HTTP_IDEMPOTENCY_KEY", ""),
        request_bytes=len(sent) or _length(meta.get("CONTENT_LENGTH")),
        response_bytes=len(content),
        request_body=sent if keep and len(sent) <= BODY_MAX and content_type in (_FORM, "application/json") else None,
        response_body=content if keep and len(content) <= BODY_MAX else None,
        form=content_type == _FORM,
        keep=keep,
    )


@lru_cache(maxsize=2048)
def route_template(route: str) -> str:
    """A URL pattern for people and labels: `v1/^things/(?P<id>[^/.]+)/$` and `v1/things/<str:id>` are
    `/v1/things/{id}`.
    """
    named = re.sub(r"\(\?P<(\w+)>(?:\[[^\]]*\]|[^)\[])*\)|<(?:\w+:)?(\w+)>", lambda m: f"{{{m[1] or m[2]}}}", route)
    return "/" + re.sub(r"\\Z|\\|[\^$]|/\?", "", named).strip("/")


def _length(value: str | None) -> int:
    return int(value) if value and value.isdecimal() else 0
