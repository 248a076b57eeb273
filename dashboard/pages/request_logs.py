"""The request log: every request of this environment's keys, and what each of them led to.

From a request one gets to its events and to the object it answered with, and from there back to its other requests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from connect.kit import ids
from connect.selectors import api_clients as api_client_selectors
from connect.selectors import api_keys as api_key_selectors
from connect.selectors import events as event_selectors
from connect.selectors import request_logs as request_log_selectors
from dashboard.pages import curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render

OUTCOMES: Final = {
    "2": _("2xx: succeeded"),
    "4": _("4xx: refused"),
    "5": _("5xx: failed here"),
    "failed": _("Any failure"),
}
METHODS: Final = ("GET", "POST", "DELETE")
SLOWEST: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One request as the list draws it. `duration_ms` has one decimal."""

    id: str
    status: int
    tone: str
    method: str
    path: str
    error_code: str
    actor: str
    arrived_at: datetime
    duration_ms: float


@require_safe
@organization_page(permission="logs:read")
def request_logs(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first. Every filter is part of the address; a whole request id as `q` opens that request."""
    if ids.decode("req", request.GET.get("q", "").strip()):
        return HttpResponseRedirect(page.url("request_log", request.GET["q"].strip()))
    filters = _filters(request)
    names = _actor_names(page)
    wanted = lists.wanted(request, "req")
    rows, has_more = request_log_selectors.page(
        wanted,
        account=page.caller.account,
        status_class=int(filters["status"]) if filters["status"].isdigit() else None,
        failed=filters["status"] == "failed",
        method=filters["method"],
        path=filters["path"],
        actor_id=filters["key"],
        object_id=filters["object"],
        since=lists.moment(filters["since"]),
        until=lists.moment(filters["until"], last=True),
    )
    lines = [_line(row, names) for row in rows]
    context = {
        "lines": lines,
        "filters": filters,
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "outcomes": OUTCOMES.items(),
        "methods": METHODS,
        "keys": names.items(),
        "pager": lists.pager([line.id for line in lines], wanted, filters, has_more=has_more, noun="request"),
        "curl": curl.first_payment(request, livemode=page.caller.livemode),
    }
    return render(request, page, "dashboard/request_logs.html", context)


@require_safe
@organization_page(permission="logs:read")
def request_log(request: HttpRequest, page: OrganizationPage, request_id: str) -> HttpResponse:
    """One request and its answer as they were kept: redacted, and with bodies up to 8 kB."""
    row = request_log_selectors.get(request_id)
    if row is None or row.account_id != page.caller.account:
        raise Http404
    took = timedelta(microseconds=row.duration_us)
    context = {
        "row": row,
        "line": _line(row, _actor_names(page)),
        "request_body": curl.pretty(row.request_body),
        "response_body": curl.pretty(row.response_body),
        "curl": curl.repeat(request, method=row.method, path=row.path, query=row.query, body=row.request_body),
        "events": event_selectors.for_request(page.caller, request_id, within=min(took, SLOWEST)),
    }
    return render(request, page, "dashboard/request_log.html", context)


def lines_of(page: OrganizationPage, rows: Iterable[Any]) -> list[LogLine]:
    """Rows of the log as pages draw them."""
    names = _actor_names(page)
    return [_line(row, names) for row in rows]


def _filters(request: HttpRequest) -> dict[str, str]:
    """What the query string asks for; a value that is none of the offered ones, or no moment, does not filter."""
    given = {
        name: request.GET.get(name, "").strip()
        for name in ("status", "method", "path", "key", "object", "since", "until")
    }
    return given | {
        "status": given["status"] if given["status"] in OUTCOMES else "",
        "method": given["method"] if given["method"] in METHODS else "",
        "since": given["since"] if lists.moment(given["since"]) else "",
        "until": given["until"] if lists.moment(given["until"]) else "",
    }


def _actor_names(page: OrganizationPage) -> dict[str, str]:
    """Names of the environment's keys and of the apps let in, by id, so that a person sees who asked."""
    keys = {key.id: key.name for key in api_key_selectors.for_environment(page.environment)}
    return keys | api_client_selectors.names(page.environment)


def _line(row: Any, names: dict[str, str]) -> LogLine:
    return LogLine(
        id=ids.encode(request_log_selectors.PREFIX, row.id),
        status=row.status,
        tone={2: "good", 4: "warn", 5: "bad"}.get(row.status // 100, ""),
        method=row.method,
        path=row.path,
        error_code=row.error_code,
        actor=names.get(row.actor_id, row.actor_id),
        arrived_at=row.created_at,
        duration_ms=round(row.duration_us / 1000, 1),
    )
