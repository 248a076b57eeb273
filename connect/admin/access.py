"""Who may see the staff's pages, and as whom they act. Sign-in is the product's own, with second factors and limits."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connect.admin import mounting
from connect.kit import ids
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.request_ids import request_id_of


def is_staff(request: HttpRequest) -> bool:
    """Whether a member of staff is signed in. What they may see there is a matter of their permissions."""
    user: Any = request.user
    return bool(user.is_active and user.is_staff)


def turn_away(request: HttpRequest) -> HttpResponse:
    """The sign-in page for strangers; for others a page that offers to sign in as somebody else.

    The second is not a redirect, because the sign-in page would send a signed-in person straight back.
    """
    with mounting.unmounted(request):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        return render(request, "admin/not_staff.html", status=403)


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
