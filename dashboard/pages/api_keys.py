"""API keys: the list, making one, rolling one, revoking one.

Keys are rows of the public schema, so these pages open no environment. A secret is rendered in the answer to the POST
that made it: the one exception to redirect-after-POST, since a secret kept for the next page would be a secret stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from connect.domain import scopes
from connect.kit import clock
from connect.kit.errors import DomainError
from connect.selectors import api_keys as api_key_selectors
from connect.selectors.api_keys import ApiKeyInfo
from connect.services import api_keys as api_key_services
from dashboard.pages import curl
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.api_key_forms import CreateForm, RevokeForm, RollForm
from dashboard.pages.reauthentication import needs_proof
from dashboard.templatetags.moments import moment_text

STATES: Final = {
    "active": (_("Active"), "good"),
    "expiring": (_("Expires"), "warn"),
    "expired": (_("Expired"), ""),
    "revoked": (_("Revoked"), ""),
}
"""Word and badge tone by the state of a key."""


@dataclass(frozen=True, slots=True)
class Row:
    """A key as the list draws it; `until` is when it ends or ended."""

    info: ApiKeyInfo
    status: str
    tone: str
    until: datetime | None
    is_full: bool
    is_usable: bool


@require_safe
@organization_page(permission="api_keys:read", opens_environment=False)
def api_keys(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Every key of the environment."""
    now = clock.wall()
    rows = [_row(info, now) for info in api_key_selectors.for_environment(page.environment)]
    context = {
        "keys": rows,
        "can_write": page.allows("api_keys:write"),
        "curl": curl.first_payment(request, livemode=page.caller.livemode),
    }
    return render(request, page, "dashboard/api_keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="api_keys:write", opens_environment=False)
@needs_proof
@sensitive_variables("secret")
def new(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The form for a new key; its POST answers with the secret."""
    form = CreateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            key, secret = api_key_services.create(
                page.caller,
                name=given["name"],
                scopes=[scopes.ALL] if given["access"] == "full" else given["scopes"],
                expires_at=clock.wall() + timedelta(days=given["expires"]) if given["expires"] else None,
                ip_allowlist=given["addresses"],
            )
        except DomainError as error:
            form.add_error({"ip_allowlist": "addresses", "expires_at": "expires"}.get(error.param or ""), error.text)
        else:
            return _shown_once(request, page, key, secret)
    return render(
        request,
        page,
        "dashboard/api_key_form.html",
        {
            "form": form,
            "title": gettext("Create a live key") if page.environment.livemode else gettext("Create a test key"),
            "text": gettext("The secret is shown once, on the next page."),
            "action": gettext("Create key"),
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="api_keys:write", opens_environment=False)
@needs_proof
@sensitive_variables("secret")
def roll(request: HttpRequest, page: OrganizationPage, key_id: str) -> HttpResponse:
    """A new secret with the same rights; the old one works on for as long as was chosen."""
    old = _usable_key(page, key_id)
    form = RollForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            key, secret = api_key_services.roll(
                page.caller, key_id=key_id, overlap_seconds=form.cleaned_data["overlap"]
            )
        except DomainError as error:
            form.add_error(None, error.text)
        else:
            return _shown_once(request, page, key, secret, rolled=api_key_selectors.get(page.environment.id, key_id))
    return render(
        request,
        page,
        "dashboard/api_key_form.html",
        {
            "form": form,
            "title": gettext("Roll “%(name)s”") % {"name": old.name},
            "text": gettext("You get a new secret with the same rights. The old one (%(redacted)s) ends when you say.")
            % {"redacted": old.redacted},
            "action": gettext("Roll key"),
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="api_keys:write", opens_environment=False)
@needs_proof
def revoke(request: HttpRequest, page: OrganizationPage, key_id: str) -> HttpResponse:
    """Asks with the key's name and the consequence; the POST ends the key."""
    key = _usable_key(page, key_id)
    form = RevokeForm(request.POST if request.method == "POST" else None, key=key, livemode=page.environment.livemode)
    if request.method == "POST" and form.is_valid():
        try:
            api_key_services.revoke(page.caller, key_id=key_id)
        except DomainError as error:
            form.add_error(None, error.text)
        else:
            messages.success(
                request,
                gettext("“%(name)s” (%(redacted)s) is revoked. Every request with it is refused.")
                % {"name": key.name, "redacted": key.redacted},
            )
            return HttpResponseRedirect(page.url("api_keys"))
    used = (
        gettext("It was last used on %(moment)s.") % {"moment": moment_text(key.last_used_at)}
        if key.last_used_at
        else gettext("It was never used.")
    )
    return render(
        request,
        page,
        "dashboard/api_key_form.html",
        {
            "form": form,
            "title": gettext("Revoke “%(name)s”?") % {"name": key.name},
            "text": gettext("Apps that use %(redacted)s are refused within seconds. This cannot be undone. %(used)s")
            % {"redacted": key.redacted, "used": used},
            "action": gettext("Revoke %(name)s") % {"name": key.name},
            "tone": "danger",
        },
        status=422 if form.errors else 200,
    )


@sensitive_variables("secret")
def _shown_once(
    request: HttpRequest, page: OrganizationPage, key: ApiKeyInfo, secret: str, *, rolled: ApiKeyInfo | None = None
) -> HttpResponse:
    context = {
        "key": key,
        "secret": secret,
        "rolled": rolled,
        "rolled_until": rolled.expires_at if rolled and rolled.state(clock.wall()) == "expiring" else None,
        "curl": curl.first_payment(request, livemode=page.caller.livemode, secret=secret),
    }
    return render(request, page, "dashboard/api_key_created.html", context)


def _usable_key(page: OrganizationPage, key_id: str) -> ApiKeyInfo:
    key = api_key_selectors.get(page.environment.id, key_id)
    if key is None or key.state(clock.wall()) in {"revoked", "expired"}:
        raise Http404
    return key


def _row(info: ApiKeyInfo, now: datetime) -> Row:
    state = info.state(now)
    status, tone = STATES[state]
    return Row(
        info=info,
        status=str(status),
        tone=tone,
        until=info.revoked_at if state == "revoked" else info.expires_at,
        is_full=scopes.ALL in info.scopes,
        is_usable=state in {"active", "expiring"},
    )
