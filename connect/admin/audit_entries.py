"""The audit logs: an organization's on the platform's pages, an environment's on its own. Nobody writes them here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.decorators import display

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site, platform_site
from connect.models import AuditEntry, Environment, Organization, OrganizationAuditEntry


@admin.register(OrganizationAuditEntry, site=platform_site)
class OrganizationAuditEntryAdmin(RowAdmin):
    """Changes to organizations, and every look of staff into an environment."""

    references = {"org": "organization_id", "env": "environment_id", "usr": "actor_id", "key": "target"}
    exact = ("action",)
    title = "audit log"
    actor = columns.public_id("actor_id")
    details = columns.data("data", title="Details")
    list_display = ("created_at", "action", "organization", "environment", "actor", "target")
    list_display_links = ("created_at",)
    fields = ("id", "created_at", "action", "organization", "environment", "actor_kind", "actor", "target", "details")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the names of organization and environment, which the log knows only by id."""
        organizations = Organization.objects.filter(pk=OuterRef("organization_id"))
        environments = Environment.objects.filter(pk=OuterRef("environment_id"))
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(
            organization_name=Subquery(organizations.values("name")[:1]),
            environment_short_id=Subquery(environments.values("schema_name")[:1]),
        )

    @display(description="Organization")
    def organization(self, row: Any) -> str:
        """Its name, or its id when it is gone."""
        return row.organization_name or str(row.organization_id)

    @display(description="Environment")
    def environment(self, row: Any) -> str:
        """Its schema's name."""
        return row.environment_short_id or columns.NOTHING


@admin.register(AuditEntry, site=environment_site)
class AuditEntryAdmin(RowAdmin):
    """Changes inside the environment that are no events."""

    references = {"usr": "actor_id", "key": "actor_id"}
    exact = ("action", "target", "request_id")
    title = "audit log"
    view_permission = "connect.view_environment"
    object = columns.public_id("target")
    details = columns.data("data", title="Details")
    list_display = ("created_at", "action", "actor_id", "object", "request_id")
    list_display_links = ("created_at",)
    fields = ("id", "created_at", "action", "actor_kind", "actor_id", "object", "request_id", "details")
