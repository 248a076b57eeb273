"""Apps that members have let into the environment, and ending that for the organization."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from connect.selectors import consents as consent_selectors
from connect.services import consents as consent_services
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.scope_words import sentences


@require_safe
@organization_page(permission="consents:read", opens_environment=False)
def consents(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Every consent, those in force first."""
    found = consent_selectors.for_environment(page.environment)
    context = {
        "consents": [(consent, sentences(consent.scopes)) for consent in found],
        "can_write": page.allows("consents:write"),
        "log_url": page.url("request_logs") if page.allows("logs:read") else "",
    }
    return render(request, page, "dashboard/consents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="consents:write", opens_environment=False)
def revoke(request: HttpRequest, page: OrganizationPage, consent_id: str) -> HttpResponse:
    """Asks with the app, the member and the consequence; the POST ends the consent."""
    consent = consent_selectors.get(consent_id, environment_id=page.environment.id)
    if consent is None or consent.revoked_at is not None:
        raise Http404
    if request.method == "POST":
        consent_services.revoke(page.caller, consent_id=consent_id)
        messages.success(request, _("%(app)s is out. None of its tokens works any more.") % {"app": consent.app.name})
        return HttpResponseRedirect(page.url("consents"))
    context = {
        "form": forms.Form(),
        "crumbs": [(_("Apps let in"), page.url("consents"))],
        "back": page.url("consents"),
        "title": _("End the access of %(app)s?") % {"app": consent.app.name},
        "text": _("%(email)s let it in. Every request it makes with that consent is refused within seconds.")
        % {"email": consent.email},
        "action": _("End access"),
        "tone": "danger",
    }
    return render(request, page, "dashboard/form_page.html", context)
