"""People: who signs in, who is staff, and what staff may do. Only superusers change that."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import ModelAdmin
from unfold.decorators import display

from connect.admin.columns import NOTHING
from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.models import Membership, User


def is_superuser(request: HttpRequest) -> bool:
    """Whether the person may give and take rights: anybody else could give them to themselves."""
    user: Any = request.user
    return bool(user.is_superuser)


@admin.register(User, site=platform_site)
class UserAdmin(RowAdmin):
    """One person. Passwords and second factors are theirs alone: they reset them by mail."""

    prefix = "usr"
    search_help_text = "usr_…, e-mail address, or part of a name"
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("email", "name", "locale", "time_zone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Facts", {"fields": ("public_id", "organizations", "last_login", "date_joined")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return is_superuser(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A sign-in address is changed by its owner, who proves the new one by mail."""
        return ("email", "public_id", "organizations", "last_login", "date_joined")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id, by the beginning of the address, by part of the name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named, _ = super().get_search_results(request, queryset, term)
        found = Q(pk__in=named.values("pk")) | Q(email__startswith=term.lower()) | Q(name__icontains=term)
        return queryset.filter(found), False

    @display(description="Organizations")
    def organizations(self, row: User) -> SafeString | str:
        """Each with the person's role in it."""
        links = [
            (
                reverse("admin:connect_organization_change", args=[place.organization_id]),
                place.organization.name,
                place.role,
            )
            for place in row.memberships.select_related("organization").order_by("organization__name")
        ]
        return format_html_join(mark_safe("<br>"), '<a class="text-link" href="{}">{}</a> {}', links) or NOTHING


@admin.register(Membership, site=platform_site)
class MembershipAdmin(RowAdmin):
    """Who belongs where. Members are invited and dismissed by their organizations."""

    references = {"org": "organization_id", "usr": "user_id"}
    list_select_related = ("organization", "user")
    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role",)
    fields = ("id", "user", "organization", "role", "created_at")


@admin.register(Group, site=platform_site)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Sets of permissions that staff are given."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only, as for every change."""
        return is_superuser(request)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return is_superuser(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return is_superuser(request)
