"""Organizations: the platform's customers. Name and tier are changed through the service, the rest is shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from connect.admin import access
from connect.admin.columns import NOTHING, state
from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.domain.tiers import TIERS
from connect.kit import clock, ids
from connect.models import Membership, Organization
from connect.services import organizations

TIER_COLOURS = {"starter": "info", "growth": "primary", "enterprise": "success"}
_CHOICES = [(name, tier.name) for name, tier in TIERS.items()]


class OrganizationForm(forms.ModelForm):
    """What staff may change: the name people see, and the tier that sets limits and quota."""

    tier = forms.ChoiceField(choices=_CHOICES, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Organization
        fields = ("name", "tier")


class TierFilter(admin.SimpleListFilter):
    """One tier."""

    title = "tier"
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All tiers."""
        return _CHOICES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The organizations in the chosen tier."""
        return queryset.filter(tier=self.value()) if self.value() else queryset


class LiveFilter(admin.SimpleListFilter):
    """Whether live mode was opened."""

    title = "live mode"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("activated", "Activated"), ("not", "Not activated")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        return queryset.filter(activated_at__isnull=self.value() == "not") if self.value() else queryset


class CountryFilter(admin.SimpleListFilter):
    """The country it says it is in."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that some organization named."""
        named = Organization.objects.exclude(country="").order_by("country").values_list("country", flat=True)
        return [(code, code) for code in named.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        return queryset.filter(country=self.value()) if self.value() else queryset


@admin.register(Organization, site=platform_site)
class OrganizationAdmin(RowAdmin):
    """One customer: who belongs to it, which environments it has, what it may use."""

    prefix = "org"
    form = OrganizationForm
    tier_shown = state("tier", TIER_COLOURS, title="Tier")
    search_help_text = "org_…, name, slug, or a member's e-mail address"
    list_display = ("name", "slug", "tier_shown", "mode", "country", "public_id", "created_at")
    list_filter = (TierFilter, LiveFilter, CountryFilter)
    fieldsets = (
        (None, {"fields": ("name", "tier")}),
        ("Environments", {"fields": ("environments",)}),
        ("Activation of live mode", {"fields": (
            "mode", "activated_at", "legal_name", "country", "registration_number", "website", "support_email",
        )}),
        ("People", {"fields": ("requires_mfa", "members", "invited")}),
        ("Facts", {"fields": ("public_id", "slug", "created_at", "related")}),
    )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff with the permission; the service notes who did it."""
        user: Any = request.user
        return bool(user.has_perm("connect.change_organization"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """All but name and tier: what it says of itself is for its own admins to change."""
        shown = [name for _, options in self.fieldsets for name in options["fields"]]
        return tuple(name for name in shown if name not in OrganizationForm.Meta.fields)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id, by part of the name or slug, and by the whole address of a member."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named, _ = super().get_search_results(request, queryset, term)
        of_member = Membership.objects.filter(user__email=term.lower()).values("organization_id")
        found = Q(name__icontains=term) | Q(slug__icontains=term) | Q(pk__in=of_member) | Q(pk__in=named.values("pk"))
        return queryset.filter(found), False

    def save_model(self, request: HttpRequest, obj: Organization, form: ModelForm[Any], change: bool) -> None:
        """The service writes; what it notes in the organization's audit log commits with the change."""
        organizations.update(
            organization_id=obj.pk,
            actor=access.actor_of(request),
            name=form.cleaned_data["name"],
            tier=form.cleaned_data["tier"],
        )

    @display(description="Environments")
    def environments(self, row: Organization) -> SafeString | str:
        """Each with its state and limits; its page leads into it."""
        links = [
            (
                reverse("admin:connect_environment_change", args=[ids.encode("env", environment.pk)]),
                environment.schema_name,
                environment.status,
                " · limits of its own" if getattr(environment, "limit_override", None) else "",
            )
            for environment in row.environments.select_related("limit_override").order_by("kind")
        ]
        return format_html_join(mark_safe("<br>"), '<a class="text-link" href="{}">{}</a> {}{}', links) or NOTHING

    @display(description="Live mode", label={"activated": "success", "not activated": "info"})
    def mode(self, row: Organization) -> str:
        """Whether it was opened."""
        return "activated" if row.activated_at else "not activated"

    @display(description="Invited")
    def invited(self, row: Organization) -> str:
        """Who was asked to join and has not answered."""
        open_ones = row.invitations.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=clock.wall())
        return ", ".join(f"{one.email} as {one.role}" for one in open_ones.order_by("email")) or NOTHING

    @display(description="See also")
    def related(self, row: Organization) -> SafeString:
        """Lists of what else belongs to it."""
        lists = {"organizationauditentry": "Audit log", "supportgrant": "Support access", "apiclient": "API clients"}
        links = [
            (reverse(f"admin:connect_{name}_changelist"), self.row_id(row), title) for name, title in lists.items()
        ]
        return format_html_join(" · ", '<a class="text-link" href="{}?q={}">{}</a>', links)

    @display(description="Members")
    def members(self, row: Organization) -> SafeString | str:
        """Address and role of each."""
        people = row.memberships.select_related("user").order_by("user__email")
        links = [
            (reverse("admin:connect_user_change", args=[person.user_id]), person.user.email, person.role)
            for person in people
        ]
        return format_html_join(mark_safe("<br>"), '<a class="text-link" href="{}">{}</a> {}', links) or NOTHING
