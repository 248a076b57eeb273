"""The organization's settings: what it is called and says about itself, what it asks of its members, and what is final.

Rows of the public schema, so these pages open no environment; they are the same in both modes.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from connect.domain.activation import COUNTRIES
from connect.domain.tiers import TIERS
from connect.kit import ids
from connect.kit.errors import DomainError
from connect.selectors import environments as environment_selectors
from connect.selectors import memberships as membership_selectors
from connect.selectors import organizations as organization_selectors
from connect.services import organizations as organization_services
from dashboard.pages.access import OrganizationPage, organization_page, render, user_id
from dashboard.pages.reauthentication import needs_proof
from dashboard.pages.settings_forms import DETAILS, SettingsForm
from dashboard.pages.team import form_page
from dashboard.pages.team_forms import ConfirmForm


@require_safe
@organization_page(permission="settings:read", opens_environment=False)
def settings(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Everything at a glance, with the way to change it."""
    details = organization_selectors.details(page.organization.id)
    tier = TIERS.get(page.organization.tier)
    context = {
        "details": details,
        "country": COUNTRIES.get(details.country, details.country),
        "organization_id": ids.encode("org", page.organization.id),
        "environment_ids": [(each.kind, ids.encode("env", each.id)) for each in page.environments],
        "tier": tier.name if tier else page.organization.tier,
        "live_status": environment_selectors.status(page.organization.id, "live"),
        "members_without": _without_second_factor(page) if page.allows("settings:write") else 0,
        "can_write": page.allows("settings:write"),
        "can_transfer": page.allows("organization:transfer"),
    }
    return render(request, page, "dashboard/settings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="settings:write", opens_environment=False)
def edit(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Name and details; once live mode is open all of them have to stay said."""
    details = organization_selectors.details(page.organization.id)
    initial: dict[str, Any] = {name: asdict(details)[name] for name in DETAILS} | {"name": page.organization.name}
    form = SettingsForm(request.POST or None, complete=details.activated_at is not None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            organization_services.change(page.caller, name=form.cleaned_data["name"], details=form.details())
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.text)
        else:
            messages.success(request, _("The settings are kept."))
            return HttpResponseRedirect(page.url("settings"))
    return form_page(request, page, form, section="settings", title=_("Edit settings"), action=_("Save changes"))


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="settings:write", opens_environment=False)
@needs_proof
def second_factor(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Ask every member for a second factor, or stop asking."""
    required = not page.organization.requires_mfa
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            organization_services.require_second_factor(page.caller, required=required)
        except DomainError as error:
            form.add_error(None, error.text)
        else:
            said = _("Every member now needs a second factor.") if required else _("A second factor is optional now.")
            messages.success(request, said)
            return HttpResponseRedirect(page.url("settings"))
    if required:
        has_own = membership_selectors.has_second_factor(user_id(request))
        words = {"count": _without_second_factor(page)}
        return form_page(
            request,
            page,
            form,
            section="settings",
            title=_("Require a second factor of every member?"),
            text=_(
                "Members without one (now: %(count)d) are led to setting one up before they see any page of this"
                " organization. Nobody is signed out, and API keys are not concerned."
            )
            % words
            if has_own
            else _("Set up a second factor for yourself first: without one this locks you out."),
            first=None if has_own else (_("Set up a second factor"), reverse("mfa_index")),
            action=_("Require a second factor"),
        )
    return form_page(
        request,
        page,
        form,
        section="settings",
        title=_("Make the second factor optional?"),
        text=_("Members who have one keep it. A password alone is then enough to move this organization's money."),
        action=_("Make it optional"),
        tone="danger",
    )


def _without_second_factor(page: OrganizationPage) -> int:
    return sum(not each.has_second_factor for each in membership_selectors.for_organization(page.organization.id))
