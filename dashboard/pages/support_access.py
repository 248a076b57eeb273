"""Support access: the organization lets the platform's staff look into one environment for a time, and ends it.

Grants are rows of the public schema, so these pages open no environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from connect.kit import clock
from connect.kit.errors import DomainError
from connect.selectors import support_grants as grant_selectors
from connect.selectors.support_grants import SupportGrantInfo
from connect.services import support_grants as grant_services
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.support_access_forms import GiveForm, RevokeForm
from dashboard.templatetags.moments import moment_text

STATES: Final[dict[str, tuple[Promise, str]]] = {
    "active": (gettext_lazy("In force"), "warn"),
    "ended": (gettext_lazy("Ended"), ""),
    "revoked": (gettext_lazy("Taken back"), ""),
}
"""Word and badge tone by the state of a grant."""


@dataclass(frozen=True, slots=True)
class Row:
    """A grant as the list draws it."""

    info: SupportGrantInfo
    status: Any
    tone: str
    is_active: bool


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="support_access:write", opens_environment=False)
def support_access(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Who may look and who could, with the form that lets support in."""
    form = GiveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            given = grant_services.give(
                page.caller, hours=form.cleaned_data["hours"], reason=form.cleaned_data["reason"]
            )
        except DomainError as error:
            form.add_error("hours", error.text)
        else:
            messages.success(
                request,
                _("Support may look into this environment until %(until)s. You can end it here at any time.")
                % {"until": moment_text(given.expires_at)},
            )
            return HttpResponseRedirect(page.url("support_access"))
    now = clock.wall()
    rows = [_row(info, info.state(now)) for info in grant_selectors.for_environment(page.environment.id)]
    context = {"form": form, "grants": rows, "is_open": any(row.is_active for row in rows)}
    return render(request, page, "dashboard/support_access.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="support_access:write", opens_environment=False)
def revoke(request: HttpRequest, page: OrganizationPage, grant_id: str) -> HttpResponse:
    """Asks first; the POST takes the grant back."""
    grant = grant_selectors.get(page.environment.id, grant_id)
    if grant is None or grant.state(clock.wall()) != "active":
        raise Http404
    form = RevokeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            grant_services.revoke(page.caller, grant_id=grant_id)
        except DomainError as error:
            form.add_error(None, error.text)
        else:
            messages.success(request, _("The access is taken back. Support can open nothing more with it."))
            return HttpResponseRedirect(page.url("support_access"))
    until = moment_text(grant.expires_at)
    if grant.taken_by:
        text = _("%(person)s took it without being asked, until %(until)s.") % {
            "person": grant.taken_by,
            "until": until,
        }
    else:
        text = _("It was given by %(person)s, until %(until)s.") % {
            "person": grant.given_by or _("a former member"),
            "until": until,
        }
    context = {
        "form": form,
        "title": _("End this support access?"),
        "text": f"{text} {_('The next page that support opens is refused.')}",
        "action": _("End access"),
        "tone": "danger",
        "back": page.url("support_access"),
        "crumbs": [(_("Support access"), page.url("support_access"))],
    }
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)


def _row(info: SupportGrantInfo, state: str) -> Row:
    status, tone = STATES[state]
    return Row(info=info, status=status, tone=tone, is_active=state == "active")
