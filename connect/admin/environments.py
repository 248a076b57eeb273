"""Environments: their state, their limits, who may look, and the way in. Commands make and migrate them, never this."""

from __future__ import annotations

from typing import Any

from django import forms as django_forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from connect.admin import access, columns, figures, forms
from connect.admin.columns import NOTHING
from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.domain import tiers
from connect.kit import clock, ids
from connect.kit.errors import DomainError
from connect.models import Environment, LimitOverride
from connect.selectors import support_grants
from connect.services import limit_overrides


def told(own: LimitOverride) -> str:
    """The figures, in words."""
    figures_of = {"a second": own.per_second, "at once": own.burst, "a month": own.monthly_quota}
    return ", ".join(
        f"{figures.count(int(value)) if value == int(value) else value} {unit}"
        for unit, value in figures_of.items()
        if value is not None
    )


def ends(own: LimitOverride) -> str:
    """Until when, in words."""
    if own.expires_at is None:
        return "no end"
    word = "ended" if own.expires_at <= clock.wall() else "until"
    return f"{word} {own.expires_at:%d %b %Y, %H:%M} UTC"


class LimitsForm(forms.ReasonForm):
    """What an environment may do; the service knows the bounds."""

    per_second = django_forms.FloatField(
        required=False, label="Requests a second", widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
    )
    burst = django_forms.IntegerField(required=False, label="At once", widget=UnfoldAdminIntegerFieldWidget)
    monthly_quota = django_forms.IntegerField(
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Requests in a calendar month (UTC), as hard as the tier's: Free refuses beyond it in live mode.",
    )
    expires_at = django_forms.SplitDateTimeField(
        required=False,
        label="Until",
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="UTC. Empty: until somebody removes them.",
    )
    field_order = ("per_second", "burst", "monthly_quota", "expires_at", "reason")


class TierFilter(admin.SimpleListFilter):
    """The tier of the organization."""

    title = "tier"
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All tiers."""
        return [(name, tier.name) for name, tier in tiers.TIERS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of organizations in the chosen tier."""
        return queryset.filter(organization__tier=self.value()) if self.value() else queryset


class OwnLimitsFilter(admin.SimpleListFilter):
    """Whether staff set limits for it alone."""

    title = "limits"
    parameter_name = "limits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("own", "Of its own"), ("tier", "Its tier's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        return queryset.filter(limit_override__isnull=self.value() == "tier") if self.value() else queryset


@admin.register(Environment, site=platform_site)
class EnvironmentAdmin(RowAdmin):
    """One schema of a customer."""

    prefix = "env"
    references = {"org": "organization_id"}
    search_help_text = "Short id, schema, organization, org_…"
    list_select_related = ("organization", "limit_override")
    actions_detail = ("set_limits", "remove_limits")
    mode = columns.state("kind", {"live": "danger", "test": "warning"}, title="Mode")
    progress = columns.state("status", {"ready": "success", "pending": "info", "failed": "danger"}, title="Status")
    list_display = ("schema_name", "organization", "mode", "progress", "tier", "cluster", "opens", "created_at")
    list_filter = ("kind", "status", TierFilter, OwnLimitsFilter)
    fieldsets = (
        (None, {"fields": ("public_id", "organization_link", "mode", "progress", "opens", "looks")}),
        ("Limits", {"fields": ("tier", "rate", "quota", "own_limits")}),
        ("Facts", {"fields": ("schema_name", "short_id", "cluster", "api_version", "migrated_to", "created_at")}),
    )

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

    @display(description="Organization")
    def organization_link(self, row: Environment) -> SafeString:
        """Its page."""
        url = reverse("admin:connect_organization_change", args=[ids.encode("org", row.organization_id)])
        return format_html('<a class="text-link" href="{}">{}</a>', url, row.organization.name)

    @display(description="Requests")
    def rate(self, row: Environment) -> str:
        """What holds now, of its own or its tier's."""
        tier = tiers.of(row.ref())
        of_all, of_key = tier.environment, tier.key
        return f"{of_all.per_second:g} a second, {of_all.burst} at once; one key {of_key.per_second:g}, {of_key.burst}"

    @display(description="Monthly quota")
    def quota(self, row: Environment) -> str:
        """The same."""
        ref = row.ref()
        tier, hard = tiers.of(ref), tiers.hard_quota(ref)
        if tier.monthly_quota is None:
            return "none"
        return f"{figures.count(tier.monthly_quota)} requests, {'refused' if hard is not None else 'counted'} beyond"

    @display(description="Limits of its own")
    def own_limits(self, row: Environment) -> str:
        """What staff set, who, why, and for how long."""
        own: LimitOverride | None = getattr(row, "limit_override", None)
        return NOTHING if own is None else f"{told(own)}. {own.reason} ({own.set_by or 'unknown'}, {ends(own)})"

    @display(description="Support access")
    def looks(self, row: Environment) -> str:
        """Who lets staff in now."""
        active = [found for found in support_grants.for_environment(row.pk) if found.state(clock.wall()) == "active"]
        lines = [
            f"until {found.expires_at:%d %b %Y, %H:%M} UTC, "
            + (f"taken by {found.taken_by}" if found.taken_by else f"given by {found.given_by or 'a former member'}")
            for found in active
        ]
        return "; ".join(lines) or "none: the organization has not let staff in"

    # --- limits ---

    def has_limits_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may give environments limits of their own."""
        user: Any = request.user
        return bool(user.has_perm("connect.change_limitoverride"))

    def has_own_limits_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The same, where there are some."""
        if not self.has_limits_permission(request):
            return False
        return obj is None or self.is_now(obj, limit_override__isnull=False)

    @action(description="Set limits", icon="speed", permissions=["limits"])
    def set_limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rate, burst and quota in place of the tier's, with a reason and, if wanted, an end."""
        row = self._row(request, object_id)
        own: LimitOverride | None = getattr(row, "limit_override", None)
        known = {name: getattr(own, name) for name in LimitsForm.base_fields} if own else {}
        form = LimitsForm(request.POST or None, initial=known)
        back = reverse("admin:connect_environment_change", args=[self.row_id(row)])
        if form.is_valid():
            try:
                limit_overrides.put(environment_id=row.pk, actor=access.actor_of(request), **form.cleaned_data)
            except DomainError as error:
                forms.refuse(form, error)
            else:
                messages.success(request, f"The limits of {row} hold in every process within seconds.")
                return HttpResponseRedirect(back)
        tier = tiers.TIERS.get(row.organization.tier, tiers.TIERS["free"])
        return forms.ask(
            self, request, form, title=f"Limits of {row}", button="Set limits", back=back,
            text=f"What is left empty stays as the tier {tier.name} has it: {tier.environment.per_second:g} requests a"
            f" second, {tier.environment.burst} at once,"
            f" {'no quota' if tier.monthly_quota is None else f'{figures.count(tier.monthly_quota)} a month'}."
            " A rate and a burst hold for the environment and for each key in it.",
        )  # fmt: skip

    @action(description="Remove limits", icon="undo", permissions=["own_limits"])
    def remove_limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Back to the tier's."""
        row = self._row(request, object_id)
        form = forms.ReasonForm(request.POST or None)
        back = reverse("admin:connect_environment_change", args=[self.row_id(row)])
        if form.is_valid():
            try:
                limit_overrides.remove(
                    environment_id=row.pk, actor=access.actor_of(request), reason=form.cleaned_data["reason"]
                )
            except DomainError as error:
                forms.refuse(form, error)
            else:
                messages.success(request, f"{row} has the limits of its tier again.")
                return HttpResponseRedirect(back)
        return forms.ask(
            self, request, form, title=f"Remove the limits of {row}", button="Remove limits", back=back, danger=True,
            text=f"It has those of its tier, {row.organization.tier}, within seconds. If it uses more than these allow,"
            " requests are refused from then on.",
        )  # fmt: skip

    def _row(self, request: HttpRequest, object_id: str) -> Environment:
        row: Environment | None = self.get_object(request, self._pk_of(object_id))
        if row is None:
            raise Http404
        return row

    @display(description="Rows")
    def opens(self, row: Environment) -> SafeString | str:
        """The way into it, once its schema exists."""
        if row.status != Environment.Status.READY:
            return columns.NOTHING
        url = reverse("staff_environment", args=[row.short_id])
        return format_html('<a class="text-link" href="{}">Open</a>', url)
