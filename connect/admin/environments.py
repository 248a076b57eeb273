"""Environments: their state, and the way into them. They are made and migrated by commands, never here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.models import Environment


@admin.register(Environment, site=platform_site)
class EnvironmentAdmin(RowAdmin):
    """One schema of a customer."""

    prefix = "env"
    references = {"org": "organization_id"}
    search_help_text = "Short id, schema, organization, org_…"
    list_select_related = ("organization",)
    mode = columns.state("kind", {"live": "danger", "test": "warning"}, title="Mode")
    progress = columns.state("status", {"ready": "success", "pending": "info", "failed": "danger"}, title="Status")
    list_display = ("schema_name", "organization", "mode", "progress", "tier", "cluster", "opens", "created_at")
    list_filter = ("kind", "status")
    fields = (
        "public_id", "organization", "mode", "progress", "tier", "cluster", "schema_name", "short_id", "api_version",
        "migrated_to", "created_at", "opens",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id, by the beginning of the short id or schema, by part of the organization's name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named, _ = super().get_search_results(request, queryset, term)
        found = (
            Q(pk__in=named.values("pk"))
            | Q(short_id__startswith=term.lower())
            | Q(schema_name__startswith=term.lower())
            | Q(organization__name__icontains=term)
            | Q(organization__slug__icontains=term)
        )
        return queryset.filter(found), False

    @display(description="Tier")
    def tier(self, row: Environment) -> str:
        """The organization's."""
        return row.organization.tier

    @display(description="Rows")
    def opens(self, row: Environment) -> SafeString | str:
        """The way into it, once its schema exists."""
        if row.status != Environment.Status.READY:
            return columns.NOTHING
        url = reverse("staff_environment", args=[row.short_id])
        return format_html('<a class="text-link" href="{}">Open</a>', url)
