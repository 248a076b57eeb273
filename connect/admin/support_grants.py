"""Who let staff look where, and who took a look unasked. Given and taken back by organizations, never here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from connect.admin.columns import NOTHING
from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.kit import clock
from connect.models import Environment, SupportGrant
from connect.selectors.support_grants import PREFIX, info


class StateFilter(admin.SimpleListFilter):
    """Those in force, or those that are over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """In force, over, and those nobody gave."""
        return [("active", "In force"), ("over", "Over"), ("taken", "Taken unasked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        in_force = Q(revoked_at=None, expires_at__gt=clock.wall())
        match self.value():
            case "active":
                return queryset.filter(in_force)
            case "over":
                return queryset.exclude(in_force)
            case "taken":
                return queryset.exclude(taken_by=None)
        return queryset


@admin.register(SupportGrant, site=platform_site)
class SupportGrantAdmin(RowAdmin):
    """Leave to look into one environment for a time."""

    prefix = PREFIX
    references = {"org": "organization_id", "env": "environment_id", "usr": "taken_by_id"}
    title = "support access"
    list_select_related = ("organization", "environment__organization", "granted_by", "taken_by")
    list_display = ("environment", "standing", "given", "reason", "expires_at", "created_at")
    list_filter = (StateFilter,)
    fields = (
        "public_id", "organization", "environment", "opens", "standing", "given", "reason", "created_at", "expires_at",
        "revoked_at",
    )  # fmt: skip

    @display(description="State", label={"active": "success", "ended": "info", "revoked": "danger"})
    def standing(self, row: SupportGrant) -> str:
        """Whether it lets anybody in now."""
        return info(row).state(clock.wall())

    @display(description="Given by")
    def given(self, row: SupportGrant) -> str:
        """A member, or the member of staff who took it."""
        found = info(row)
        return f"taken by {found.taken_by}" if found.taken_by else found.given_by or "a former member"

    @display(description="Rows")
    def opens(self, row: SupportGrant) -> SafeString | str:
        """The way in."""
        if row.environment.status != Environment.Status.READY:
            return NOTHING
        url = reverse("staff_environment", args=[row.environment.short_id])
        return format_html('<a class="text-link" href="{}">Open</a>', url)
