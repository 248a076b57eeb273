"""The pages on which a person decides: an app in the browser, and a device with a code.

The address holds the whole request, and it is checked anew when the decision comes in: a form cannot widen it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.views import AuthorizationView
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749 import errors as oauth_errors

from connect.domain import oauth, proofs, redirects
from connect.domain.errors import EnvironmentNotOffered
from connect.domain.scopes import IDENTITY, SCOPES
from connect.domain.tiers import SignInUnavailable, TooManyDeviceCodes
from connect.kit import clock, ids
from connect.kit.caller import Actor
from connect.models import ApiClient, Environment, OAuthDeviceGrant
from connect.oauth.discovery import issuer
from connect.oauth.validator import Standing
from connect.selectors import api_clients
from connect.selectors import consents as consent_selectors
from connect.selectors.api_clients import ApiClientInfo
from connect.services import consents, limits

MAX_AGE_LEAST: Final = 30
"""Seconds: who has just shown who they are, and is led back here, is not asked once more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks for, in a person's words: about them, to see, to do."""

    about_you: list[str]
    reading: list[str]
    writing: list[str]


class AuthorizeView(AuthorizationView):
    """RFC 6749's authorization endpoint. It always asks, also where a consent was given before."""

    http_method_names = ("get", "head", "post")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Never cached, never framed; sign-in comes first."""
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The question."""
        try:
            scopes, credentials = self._checked(request)
        except OAuthToolkitError as error:
            return self.error_response(error, None)
        prompt = set(request.GET.get("prompt", "").split())
        if "none" in prompt:
            refusal = oauth_errors.OAuth2Error(state=credentials["state"])
            refusal.error = "consent_required"
            return self.error_response(OAuthToolkitError(refusal, credentials["redirect_uri"]), None)
        if "login" in prompt or _lacks_proof(request, scopes) or _is_too_old(request):
            return _prove(_after_login(request))
        return self._page(request, scopes, credentials)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The decision."""
        try:
            scopes, credentials = self._checked(request)
            if request.POST.get("decision") != "allow":
                denied = oauth_errors.AccessDeniedError(state=credentials["state"])
                raise OAuthToolkitError(denied, credentials["redirect_uri"])
            if _lacks_proof(request, scopes):
                return _sent_too_late(request, _after_login(request))
            with transaction.atomic():
                row, environment = consents.grant(
                    _actor(request),
                    user_id=_user_id(request),
                    client_id=credentials["client_id"],
                    environment_id=request.POST.get("environment", ""),
                    scopes=scopes,
                )
                found_out = {
                    "standing": Standing(Environment.objects.get(pk=environment.id), row),
                    "auth_time": _auth_time(request),
                }
                uri, *_rest = self.create_authorization_response(
                    request, " ".join(scopes), {**credentials, **found_out}, allow=True
                )
        except OAuthToolkitError as error:
            return self.error_response(error, None)
        except EnvironmentNotOffered:
            return self._page(request, scopes, credentials, fault=_("Choose one of the environments below."))
        return self.redirect(uri, self._application(credentials["client_id"]))

    def error_response(self, error: OAuthToolkitError, application: Any, **kwargs: Any) -> HttpResponse:
        """Back to the app, if it is known that the address is the app's; otherwise a page for the person."""
        problem = error.oauthlib_error
        if isinstance(error, FatalClientError) or not problem.redirect_uri:
            return render(self.request, "oauth/refused.html", {"problem": problem}, status=400)
        uri = add_params_to_uri(problem.redirect_uri, [*problem.twotuples, ("iss", issuer())])
        return self.redirect(uri, self._application(self.request.GET.get("client_id", "")))

    def handle_no_permission(self) -> HttpResponse:
        """Whoever is not signed in does that first; the library knows what each `prompt` wants of it."""
        if "none" in self.request.GET.get("prompt", "").split():
            try:
                _scopes, credentials = self._checked(self.request)
            except OAuthToolkitError as error:
                return self.error_response(error, None)
            refusal = oauth_errors.OAuth2Error(state=credentials["state"])
            refusal.error = "login_required"
            return self.error_response(OAuthToolkitError(refusal, credentials["redirect_uri"]), None)
        return cast("HttpResponse", super().handle_no_permission())

    def _checked(self, request: HttpRequest) -> tuple[list[str], dict[str, Any]]:
        """The request as it may be put to a person. Raises `OAuthToolkitError`, fatal where nobody may be sent back."""
        scopes, credentials = self.validate_authorization_request(request)
        if not oauth.is_s256_challenge(credentials.get("code_challenge"), credentials.get("code_challenge_method")):
            refusal = oauth_errors.InvalidRequestError(
                description="Use PKCE with code_challenge_method=S256.", state=credentials["state"]
            )
            raise OAuthToolkitError(refusal, credentials["redirect_uri"])
        if not oauth.is_max_age(request.GET.get("max_age", "0")):
            refusal = oauth_errors.InvalidRequestError(
                description="max_age is a number of seconds.", state=credentials["state"]
            )
            raise OAuthToolkitError(refusal, credentials["redirect_uri"])
        return scopes, credentials

    def _application(self, client_id: str) -> Any:
        return ApiClient.objects.select_related("environment").filter(client_id=client_id).first()

    def _page(
        self, request: HttpRequest, scopes: list[str], credentials: dict[str, Any], *, fault: str = ""
    ) -> HttpResponse:
        app = cast("ApiClientInfo", api_clients.by_client_id(credentials["client_id"]))
        response = _ask(request, app, scopes, fault=fault, back=redirects.origin(credentials["redirect_uri"]) or "")
        return _lets_forms_lead_to(response, credentials["redirect_uri"])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def device(request: HttpRequest) -> HttpResponse:
    """Type the code that a device shows; then the same question as for an app in the browser."""
    typed = oauth.typed_user_code(request.POST.get("user_code") or request.GET.get("user_code", ""))
    if not typed:
        return render(request, "oauth/device.html", {"fault": ""})
    try:
        limits.attempt_device_code(str(request.user.pk))
    except (TooManyDeviceCodes, SignInUnavailable) as refusal:
        return render(request, "oauth/device.html", {"fault": refusal.text}, status=refusal.status)
    with transaction.atomic():
        row = (
            OAuthDeviceGrant.objects.select_for_update()
            .filter(user_code=typed, status=OAuthDeviceGrant.AUTHORIZATION_PENDING, expires__gt=clock.wall())
            .first()
        )
        app = api_clients.by_client_id(row.client_id) if row else None
        if row is None or app is None or app.suspended_at is not None:
            fault = _("There is no device with this code, or its time is over. Look at the device again.")
            return render(request, "oauth/device.html", {"fault": fault, "typed": typed}, status=404)
        decision = request.POST.get("decision")
        if decision in {None, "allow"} and _lacks_proof(request, row.scope.split()):
            here = f"{reverse('oauth2_provider:device')}?{urlencode({'user_code': oauth.shown_user_code(typed)})}"
            return _sent_too_late(request, here) if decision else _prove(here)
        if decision is None:
            return _ask(request, app, row.scope.split(), device_code=oauth.shown_user_code(typed))
        if decision == "allow":
            try:
                consent, _environment = consents.grant(
                    _actor(request),
                    user_id=_user_id(request),
                    client_id=app.id,
                    environment_id=request.POST.get("environment", ""),
                    scopes=row.scope.split(),
                )
            except EnvironmentNotOffered:
                fault = _("Choose one of the environments below.")
                return _ask(request, app, row.scope.split(), device_code=oauth.shown_user_code(typed), fault=fault)
            row.status, row.user_id = OAuthDeviceGrant.AUTHORIZED, _user_id(request)
            row.consent, row.environment_id = consent, consent.environment_id
            messages.success(request, _("%(app)s is let in. Go back to your device.") % {"app": app.name})
        else:
            row.status = OAuthDeviceGrant.DENIED
            messages.info(request, _("%(app)s was not let in.") % {"app": app.name})
        row.save(update_fields=["status", "user", "consent", "environment"])
    return HttpResponseRedirect(reverse("dashboard:account_apps"))


def in_words(scopes: Iterable[str]) -> Asked:
    """Scopes as sentences; writing includes reading, so what is written is not said twice."""
    wanted = set(scopes)
    reading = [
        scope
        for scope in SCOPES
        if scope in wanted and scope.endswith(":read") and f"{scope.partition(':')[0]}:write" not in wanted
    ]
    writing = [scope for scope in SCOPES if scope in wanted and scope.endswith(":write")]
    return Asked(
        about_you=[_(IDENTITY[scope]) for scope in IDENTITY if scope in wanted],
        reading=[_(SCOPES[scope]) for scope in reading],
        writing=[_(SCOPES[scope]) for scope in writing],
    )


def _ask(
    request: HttpRequest,
    app: ApiClientInfo,
    scopes: list[str],
    *,
    device_code: str = "",
    fault: str = "",
    back: str = "",
) -> HttpResponse:
    choices = consent_selectors.choices(_user_id(request), app, scopes)
    chosen = request.POST.get("environment", "")
    if not any(str(choice.environment.id) == chosen for choice in choices):
        chosen = str(choices[0].environment.id) if len(choices) == 1 else ""
    context = {
        "app": app,
        "asked": in_words(scopes),
        "choices": choices,
        "chosen": chosen,
        "device_code": device_code,
        "fault": fault,
        "back": back.partition("://")[2],
        "opens_data": any(scope in SCOPES for scope in scopes),
    }
    return render(request, "oauth/consent.html", context, status=422 if fault else 200)


def _lets_forms_lead_to(response: HttpResponse, redirect_uri: str) -> HttpResponse:
    """Chromium holds a form to where it is redirected to, so the checked target is named, for this answer alone."""
    target = redirects.origin(redirect_uri)
    response._csp_replace = {"form-action": ["'self'", *filter(None, [target])]}  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's way to say it per response
    return response


def _lacks_proof(request: HttpRequest, scopes: Iterable[str]) -> bool:
    """Whether to ask again who it is: with data an app may do what a key could, and making a key takes the same."""
    is_sending = request.method == "POST"
    opens_data = any(scope in SCOPES for scope in scopes)
    return opens_data and not proofs.is_fresh(request.session, now=time.time(), sending=is_sending)


def _is_too_old(request: HttpRequest) -> bool:
    """Whether the app wants somebody who showed more lately who they are. `max_age=0` leaves a moment for the way."""
    wanted = request.GET.get("max_age")
    return wanted is not None and proofs.age(request.session, now=time.time()) > max(int(wanted), MAX_AGE_LEAST)


def _auth_time(request: HttpRequest) -> int | None:
    """When the person last showed in this browser who they are, in seconds since 1970."""
    now = time.time()
    age = proofs.age(request.session, now=now)
    return None if math.isinf(age) else int(now - age)


def _prove(back: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")


def _sent_too_late(request: HttpRequest, back: str) -> HttpResponse:
    messages.warning(
        request,
        _("Nothing was changed: it is a while since you showed who you are. Then send the form again."),
    )
    return _prove(back)


def _after_login(request: HttpRequest) -> str:
    kept = request.GET.copy()
    prompt = " ".join(word for word in kept.pop("prompt", [""])[-1].split() if word != "login")
    if prompt:
        kept["prompt"] = prompt
    return f"{request.path}?{kept.urlencode()}"


def _user_id(request: HttpRequest) -> UUID:
    return cast("UUID", request.user.pk)


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor("user", ids.encode("usr", user.pk), label=user.email)
