"""The request log of one environment."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site
from connect.models import RequestLog


class OutcomeFilter(admin.SimpleListFilter):
    """Failed requests have an index of their own."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Good, refused, broken."""
        return [("ok", "2xx and 3xx"), ("refused", "4xx"), ("failed", "5xx")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen outcome."""
        match self.value():
            case "ok":
                return queryset.filter(status__lt=400)
            case "refused":
                return queryset.filter(status__gte=400, status__lt=500)
            case "failed":
                return queryset.filter(status__gte=500)
        return queryset


@admin.register(RequestLog, site=environment_site)
class RequestLogAdmin(RowAdmin):
    """Requests and their answers; bodies were redacted when they were kept."""

    prefix = "req"
    title = "requests"
    exact = ("object_id",)
    view_permission = "connect.view_environment"
    object = columns.public_id("object_id")
    account = columns.account()
    request_shown = columns.json_text("request_body")
    response_shown = columns.json_text("response_body")
    list_display = ("public_id", "outcome", "method", "path", "error_code", "took", "object", "created_at")
    list_filter = (OutcomeFilter,)
    fields = (
        "public_id", "created_at", "status", "method", "path", "query", "route", "error_code", "took", "object",
        "account", "actor_kind", "actor_id", "api_version", "idempotency_key", "ip", "user_agent", "request_bytes",
        "response_bytes", "request_shown", "response_shown",
    )  # fmt: skip

    @display(description="Status", label={"2": "success", "3": "info", "4": "warning", "5": "danger"})
    def outcome(self, row: RequestLog) -> tuple[str, str]:
        """The status in the colour of its class."""
        return str(row.status)[0], str(row.status)

    @display(description="Took")
    def took(self, row: RequestLog) -> str:
        """Milliseconds from the first byte read to the answer."""
        return f"{row.duration_us / 1000:.1f} ms"
