"""The addresses that apps call themselves: tokens, their end, what they are, and who the person is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View
from oauth2_provider.views import RevokeTokenView, UserInfoView
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request as OAuthRequest
from oauthlib.oauth2 import DeviceApplicationServer

from connect.domain import oauth
from connect.domain.tiers import Limited, TooManyDevices, TooManyFailedCredentials
from connect.kit import ids
from connect.kit.addresses import client_address
from connect.models import ApiClient, OAuthDeviceGrant, OAuthRefreshToken
from connect.oauth.validator import Validator, sent_credentials
from connect.selectors import credentials, oauth_tokens
from connect.services import limits

Answer = Callable[..., HttpResponse]


def for_apps(view: Answer) -> Answer:
    """Wraps a machine's endpoint: one transaction, never cached, and wrong secrets are counted by address."""

    @wraps(view)
    def answer(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        address = client_address(request)
        try:
            limits.refuse_guessing(address)
        except TooManyFailedCredentials as refusal:
            return _come_back(refusal)
        with transaction.atomic():
            response = view(self, request, *args, **kwargs)
        if response.status_code == 401:
            limits.count_failed_credential(address)
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


@method_decorator(csrf_exempt, name="dispatch")
class TokenView(OAuthLibMixin, View):
    """Codes, refresh tokens, devices' codes and an app's own secret against tokens."""

    http_method_names = ("post",)

    @for_apps
    def post(self, request: HttpRequest) -> HttpResponse:
        """Every grant in one way; the body is a form, as RFC 6749 says."""
        _, headers, body, status = self.create_token_response(request)
        return _answer(headers, body, status)


@method_decorator(csrf_exempt, name="dispatch")
class RevokeView(RevokeTokenView):
    """An app gives a token back. A refresh token takes its access token along, and the other way round."""

    http_method_names = ("post",)

    @for_apps
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """RFC 7009: 200 whether or not there was such a token."""
        response: HttpResponse = super().post(request, *args, **kwargs)
        credentials.forget()
        return response


@method_decorator(csrf_exempt, name="dispatch")
class IntrospectView(View):
    """What a token is, to the app it was given to; to any other app no token is anything."""

    http_method_names = ("post",)

    @for_apps
    def post(self, request: HttpRequest) -> HttpResponse:
        """RFC 7662."""
        asked = _asked(request)
        if not Validator().authenticate_client(asked):
            headers = {"WWW-Authenticate": 'Basic realm="Facturino Connect"'}
            return JsonResponse({"error": "invalid_client"}, status=401, headers=headers)
        token = request.POST.get("token")
        if not token:
            body = {"error": "invalid_request", "error_description": "Missing token parameter."}
            return JsonResponse(body, status=400)
        return JsonResponse(_introspected(token, asked.client) or {"active": False})


@method_decorator(csrf_exempt, name="dispatch")
class WhoView(UserInfoView):
    """OpenID Connect's userinfo: what the token's scopes let an app know about the person."""

    http_method_names = ("get", "post")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The claims, never cached."""
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response


@method_decorator(csrf_exempt, name="dispatch")
class DeviceAuthorizationView(OAuthLibMixin, View):
    """A device begins: it gets a code to poll with, and one that a person types elsewhere."""

    http_method_names = ("post",)
    server_class = DeviceApplicationServer

    @for_apps
    def post(self, request: HttpRequest) -> HttpResponse:
        """RFC 8628. The library's own view does not understand what oauthlib 4 answers."""
        try:
            limits.attempt_device(client_address(request))
        except TooManyDevices as refusal:
            return _come_back(refusal)
        client_id = sent_credentials(_asked(request))[0]
        form = request.POST.copy()
        form.setdefault("client_id", client_id)  # oauthlib wants it also of an app that has authenticated
        request.POST = form  # type: ignore[assignment]
        headers, body, status = self.create_device_authorization_response(request)
        if status != 200:
            return _answer(headers, body, status)
        client = ApiClient.objects.get(client_id=client_id)
        if not client.allows_grant_type(oauth.DEVICE):
            return JsonResponse({"error": "unauthorized_client"}, status=400)
        OAuthDeviceGrant.objects.create(
            client_id=client.client_id,
            device_code=body["device_code"],
            user_code=body["user_code"],
            scope=body.pop("scope", ""),
            interval=body["interval"],
            expires=datetime.now(UTC) + oauth.DEVICE_CODE_LIFE,
        )
        shown = oauth.shown_user_code(body["user_code"])
        address = body["verification_uri_complete"].replace(body["user_code"], shown)
        return JsonResponse({**body, "user_code": shown, "verification_uri_complete": address})


def _asked(request: HttpRequest) -> OAuthRequest:
    """The request as oauthlib's own, for what it has no endpoint for."""
    body = [(name, values[-1]) for name, values in request.POST.lists()]
    return OAuthRequest("", "POST", body, {"HTTP_AUTHORIZATION": request.META.get("HTTP_AUTHORIZATION", "")})


def _come_back(refusal: Limited) -> JsonResponse:
    body = {"error": "temporarily_unavailable", "error_description": refusal.text}
    return JsonResponse(body, status=refusal.status, headers=refusal.extra_headers())


def _answer(headers: dict[str, str], body: Any, status: int) -> HttpResponse:
    response = HttpResponse(body if isinstance(body, str) else json.dumps(body), status=status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        response[name] = value
    return response


def _introspected(token: str, client: Any) -> dict[str, Any] | None:
    if oauth.is_well_formed(token, oauth.REFRESH_TOKEN):
        return _refresh_token(token, client)
    row = oauth_tokens.find(token)
    if row is None or row.environment is None or row.application_id != client.pk or row.is_expired():
        return None
    known = {
        "active": True,
        "token_type": "Bearer",
        "client_id": client.client_id,
        "scope": " ".join(sorted(oauth_tokens.scopes_of(row))),
        "exp": int(row.expires.timestamp()),
        "iat": int(row.created.timestamp()),
        "iss": settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"],
        "livemode": row.environment.kind == "live",
        "organization": ids.encode("org", row.environment.organization_id),
    }
    return {**known, "sub": ids.encode("usr", row.user_id)} if row.user_id else known


def _refresh_token(token: str, client: Any) -> dict[str, Any] | None:
    row = (
        OAuthRefreshToken.objects.select_related("consent__environment", "access_token")
        .filter(token_checksum=oauth.digest(token), application_id=client.pk, revoked__isnull=True)
        .first()
    )
    if row is None or row.access_token is None or not oauth_tokens.consent_stands(row.consent):
        return None
    ends = row.access_token.expires + oauth.REFRESH_TOKEN_IDLE
    if ends <= datetime.now(UTC):
        return None
    return {
        "active": True,
        "client_id": client.client_id,
        "scope": row.access_token.scope,
        "exp": int(ends.timestamp()),
    }
