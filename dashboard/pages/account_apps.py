"""The apps that the signed-in person has let in, in all their organizations, and ending that."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from connect.kit import ids
from connect.kit.caller import Actor
from connect.selectors import consents as consent_selectors
from connect.services import consents as consent_services
from dashboard.pages.access import user_id
from dashboard.pages.scope_words import sentences


@require_safe
@never_cache
@login_required
def apps(request: HttpRequest) -> HttpResponse:
    """The list."""
    found = consent_selectors.for_user(user_id(request))
    return render(request, "account_pages/apps.html", {"consents": [(each, sentences(each.scopes)) for each in found]})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def withdraw(request: HttpRequest, consent_id: str) -> HttpResponse:
    """Asks with the app and the consequence; the POST withdraws the consent."""
    consent = consent_selectors.get(consent_id, user_id=user_id(request))
    if consent is None or consent.revoked_at is not None:
        raise Http404
    if request.method == "POST":
        actor = Actor("user", ids.encode("usr", user_id(request)))
        consent_services.withdraw(actor, user_id=user_id(request), consent_id=consent_id)
        messages.success(request, _("%(app)s is out. None of its tokens works any more.") % {"app": consent.app.name})
        return HttpResponseRedirect(reverse("dashboard:account_apps"))
    return render(request, "account_pages/app_withdraw.html", {"consent": consent})
