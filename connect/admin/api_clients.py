"""Other companies' apps. Their secrets are hashed, and not shown either."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.models import ApiClient


@admin.register(ApiClient, site=platform_site)
class ApiClientAdmin(RowAdmin):
    """One app, and the organization that registered it."""

    references = {"org": "organization_id"}
    exact = ("client_id",)
    title = "API clients"
    list_select_related = ("organization",)
    list_display = ("name", "client_id", "organization", "client_type", "verified_at", "created")
    fields = (
        "name", "client_id", "organization", "environment", "client_type", "authorization_grant_type", "redirect_uris",
        "homepage", "verified_at", "created", "updated",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the hash of the secret."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.defer("client_secret")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By client id, or by part of the name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named, _ = super().get_search_results(request, queryset, term)
        return queryset.filter(Q(pk__in=named.values("pk")) | Q(name__icontains=term)), False
