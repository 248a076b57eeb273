"""Who may see the staff's pages, and as whom they act. Sign-in is the product's own, with second factors and limits."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connect.admin import mounting
from connect.kit import ids
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.request_ids import request_id_of

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
"""Recovery codes alone are a way back in, not a second factor."""


def may_enter(request: HttpRequest) -> bool:
    """Whether a member of staff is signed in who has what staff need. What they may see is a matter of permissions."""
    return is_staff(request) and (not settings.FC_STAFF_MFA_REQUIRED or has_second_factor(request))


def is_staff(request: HttpRequest) -> bool:
    """Whether a member of staff is signed in."""
    user: Any = request.user
    return bool(user.is_active and user.is_staff)


def has_second_factor(request: HttpRequest) -> bool:
    """Whether the person signs in with an authenticator app or a passkey as well. Asked once a request."""
    known: bool | None = getattr(request, "staff_second_factor", None)
    if known is None:
        user: Any = request.user
        known = request.staff_second_factor = is_mfa_enabled(user, types=FACTORS)  # type: ignore[attr-defined]
    return known


def turn_away(request: HttpRequest) -> HttpResponse:
    """The sign-in page for strangers; a page that says what is missing for everybody else.

    The latter is not a redirect, because the sign-in page would send a signed-in person straight back.
    """
    with mounting.unmounted(request):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        template = "admin/second_factor.html" if is_staff(request) else "admin/not_staff.html"
        return render(request, template, status=403)


def actor_of(request: HttpRequest) -> Actor:
    """The member of staff behind a request."""
    user: Any = request.user
    return Actor("user", ids.encode("usr", user.pk), label=user.email)


def caller_in(environment: EnvironmentRef, request: HttpRequest) -> Caller:
    """The caller that services get when a member of staff acts in an environment."""
    return Caller(
        environment=environment,
        actor=actor_of(request),
        request_id=request_id_of(request),
        api_version=environment.api_version,
    )
