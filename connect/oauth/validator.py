"""The rules of tokens, as oauthlib asks for them. Everything that differs from django-oauth-toolkit's own is here.

Whoever exchanges a code, a refresh token or a device's code holds its row locked until the answer is written: the token
endpoint is one transaction. What comes second therefore sees what the first one did, and is treated as the theft that
it may be.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import unquote_plus
from uuid import UUID, uuid4

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Min
from oauth2_provider.models import set_token_value
from oauth2_provider.oauth2_validators import OAuth2Validator, validate_resource_as_url_prefix
from oauthlib.oauth2.rfc6749 import errors

from connect.domain import oauth, redirects
from connect.kit import clock, ids
from connect.models import (
    ApiClient,
    Environment,
    OAuthAccessToken,
    OAuthDeviceGrant,
    OAuthGrant,
    OAuthIdToken,
    OAuthRefreshToken,
    UserConsent,
)
from connect.models.oauth import Consented
from connect.selectors import oauth_tokens

POLL_SLACK_SECONDS: Final = 1.0
"""A device that polls a little early is not told to slow down."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a code or token stands for; `consent` is None where an app acts for itself."""

    environment: Environment
    consent: UserConsent | None


def standing_of(request: Any) -> Standing:
    """What was found out about a request. Read past oauthlib's look-up, which would take it from the body too."""
    found: Standing = request.__dict__["standing"]
    return found


class Validator(OAuth2Validator):
    """Who a client is, what a code or token is worth, and what is made of it."""

    # --- the client ---------------------------------------------------------------------------------------------------

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A confidential app by its secret, in header or body; the secret before the last roll counts too."""
        client_id, secret = sent_credentials(request)
        client = self._load_application(client_id, request) if client_id else None
        if client is None or client.client_type != ApiClient.CLIENT_CONFIDENTIAL or not secret:
            return False
        return bool(client.knows(secret, clock.wall()))

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Exactly one that is registered."""
        return bool(request.client.redirect_uri_allowed(redirect_uri))

    def get_default_redirect_uri(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> str | None:
        """The one that is registered, if it is the only one."""
        registered = request.client.redirect_uris.split()
        return registered[0] if len(registered) == 1 and request.client.redirect_uri_allowed(registered[0]) else None

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """A code and nothing else."""
        return response_type == "code" and client.allows_grant_type(oauth.CODE)

    def is_origin_allowed(self, client_id: str, origin: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A page may read the answer to its exchange where the app's redirect URIs are."""
        return origin in {redirects.origin(uri) for uri in request.client.redirect_uris.split()}

    def validate_silent_login(self, request: Any) -> bool:
        """The page itself knows whether somebody is signed in, and answers `prompt=none`."""
        return True

    def validate_silent_authorization(self, request: Any) -> bool:
        """The same."""
        return True

    # --- codes --------------------------------------------------------------------------------------------------------

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Whether the code may be exchanged now. One that was exchanged before kills all that it led to."""
        grant = (
            OAuthGrant.objects.select_for_update(of=("self",))
            .select_related("consent__environment", "environment", "user")
            .filter(code=code)
            .first()
        )
        if grant is None:
            OAuthRefreshToken.revoke_family(oauth.family_of(code))
            return False
        if grant.application_id != client.pk or grant.is_expired() or not oauth_tokens.consent_stands(grant.consent):
            return False
        request.user, request.scopes = grant.user, grant.scope.split()
        request.standing = _standing(grant)
        request.auth_time = json.loads(grant.claims).get("auth_time") if grant.claims else None
        if grant.nonce:
            request.nonce = grant.nonce
        return True

    def _create_authorization_code(self, request: Any, code: dict[str, str], expires: Any = None) -> OAuthGrant:
        standing = standing_of(request)
        if not oauth.is_s256_challenge(request.code_challenge, request.code_challenge_method):
            raise errors.InvalidRequestError(description="Use PKCE with S256.", request=request)
        return OAuthGrant.objects.create(
            application=request.client,
            user=request.user,
            code=code["code"],
            expires=clock.wall() + oauth.CODE_LIFE,
            redirect_uri=request.redirect_uri,
            scope=" ".join(request.scopes),
            code_challenge=request.code_challenge,
            code_challenge_method=request.code_challenge_method,
            nonce=request.nonce or "",
            claims=json.dumps({"auth_time": request.__dict__.get("auth_time")}),
            environment=standing.environment,
            consent=standing.consent,
        )

    # --- devices ------------------------------------------------------------------------------------------------------

    def validate_device_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> str | None:
        """Where the person's decision stands, in RFC 8628's words. A code that was decided is gone with its answer."""
        device = (
            OAuthDeviceGrant.objects.select_for_update(of=("self",))
            .select_related("consent__environment", "environment", "user")
            .filter(device_code=code, client_id=request.client.client_id)
            .first()
        )
        if device is None:
            return None
        now, before = clock.wall(), device.last_checked
        if device.expires <= now:
            device.delete()
            return "expired_token"
        if device.status == OAuthDeviceGrant.DENIED:
            device.delete()
            return "access_denied"
        if device.status != OAuthDeviceGrant.AUTHORIZED:
            OAuthDeviceGrant.objects.filter(pk=device.pk).update(last_checked=now)
            too_early = (now - before).total_seconds() < device.interval - POLL_SLACK_SECONDS
            return "slow_down" if before and too_early else "authorization_pending"
        device.delete()
        if not oauth_tokens.consent_stands(device.consent):
            return "access_denied"
        request.user, request.scopes = device.user, device.scope.split()
        request.standing = _standing(device)
        return "authorized"

    # --- refreshing ---------------------------------------------------------------------------------------------------

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Whether it may be exchanged now. Used twice, or beyond the family's life, the whole family dies."""
        row = (
            OAuthRefreshToken.objects.select_for_update(of=("self",))
            .select_related("consent__environment", "environment")
            .filter(token_checksum=oauth.digest(refresh_token))
            .first()
        )
        if row is None or row.application_id != client.pk:
            return False
        if not super().validate_refresh_token(refresh_token, client, request, *args, **kwargs):
            return False
        began = OAuthRefreshToken.objects.filter(token_family=row.token_family).aggregate(first=Min("created"))["first"]
        if began + oauth.FAMILY_LIFE <= clock.wall() or not oauth_tokens.consent_stands(row.consent):
            OAuthRefreshToken.revoke_family(row.token_family)
            return False
        request.standing = _standing(row)
        return True

    # --- what is made -------------------------------------------------------------------------------------------------

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Tokens are for this API only: an app that names another resource (RFC 8707) is refused."""
        named = [value for name, value in (request.decoded_body or []) if name == "resource"]
        for resource in named:
            if not validate_resource_as_url_prefix(settings.FC_PUBLIC_URL, [resource]):
                raise errors.CustomOAuth2Error(
                    error="invalid_target", description=f"Tokens are for {settings.FC_PUBLIC_URL} only."
                )
        request.resource = []

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        if request.grant_type == "client_credentials":
            request.standing = Standing(request.client.environment, None)
        super()._save_bearer_token(token, request, *args, **kwargs)
        environment = standing_of(request).environment
        token["livemode"] = environment.kind == Environment.Kind.LIVE
        token["organization"] = ids.encode("org", environment.organization_id)

    def _create_access_token(
        self, expires: Any, request: Any, token: dict[str, Any], source_refresh_token: Any = None
    ) -> OAuthAccessToken:
        standing = standing_of(request)
        id_token = token.get("id_token")
        row = OAuthAccessToken(
            user=request.user,
            scope=token["scope"],
            expires=expires,
            id_token=self._load_id_token(id_token) if id_token else None,
            application=request.client,
            source_refresh_token=source_refresh_token,
            environment=standing.environment,
            consent=standing.consent,
        )
        set_token_value(row, token["access_token"])
        row.save()
        return row

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: Any, previous_refresh_token: Any
    ) -> OAuthRefreshToken:
        standing = standing_of(request)
        row = OAuthRefreshToken(
            user=request.user,
            application=request.client,
            access_token=access_token,
            token_family=_family(request, previous_refresh_token),
            environment=standing.environment,
            consent=standing.consent,
        )
        set_token_value(row, refresh_token_code)
        row.save()
        return row

    def _save_id_token(self, jti: str, request: Any, expires: Any, *args: Any, **kwargs: Any) -> OAuthIdToken:
        standing = standing_of(request)
        return OAuthIdToken.objects.create(
            user=request.user,
            scope=request.scope or " ".join(request.scopes),
            expires=expires,
            jti=jti,
            application=request.client,
            environment=standing.environment,
            consent=standing.consent,
        )

    def get_id_token_dictionary(self, token: Any, token_handler: Any, request: Any) -> tuple[dict[str, Any], datetime]:
        """With the moment at which the person showed who they are in the browser that decided, where it is known.

        The library tells of their last sign-in wherever that was.
        """
        claims, expires = super().get_id_token_dictionary(token, token_handler, request)
        shown_at = request.__dict__.get("auth_time")
        return (claims if shown_at is None else {**claims, "auth_time": shown_at}), expires

    # --- who the person is --------------------------------------------------------------------------------------------

    def validate_bearer_token(self, token: str, scopes: Any, request: Any) -> bool:
        """An access token at the address that tells who somebody is; it has to stand like one at the API."""
        row = oauth_tokens.find(token) if token else None
        usable = row is not None and row.user is not None and not row.is_expired()
        if row is None or not usable or not row.application.is_usable(request):
            return False
        request.client, request.user, request.access_token = row.application, row.user, row
        request.scopes = list(oauth_tokens.scopes_of(row))
        return True

    def validate_jwt_bearer_token(self, token: str, scopes: Any, request: Any) -> bool:
        """Never: an identity token says who somebody is to the app it was made for, and opens nothing."""
        return False

    def validate_id_token(self, token: str, scopes: Any, request: Any) -> bool:
        """Never, for the same reason."""
        return False

    def get_claim_dict(self, request: Any) -> dict[str, Any]:
        """What can be told about the person; the scope of each stands in `oidc_claim_scope`."""
        user = request.user
        return {
            "sub": ids.encode("usr", user.pk),
            "name": lambda _: user.name or user.email.partition("@")[0],
            "locale": lambda _: user.locale,
            "zoneinfo": lambda _: user.time_zone,
            "email": lambda _: user.email,
            "email_verified": lambda _: EmailAddress.objects.filter(
                user=user, email__iexact=user.email, verified=True
            ).exists(),
        }


CLAIMS: Final = ("sub", "name", "locale", "zoneinfo", "email", "email_verified")
"""The names in `get_claim_dict`, for discovery."""


def sent_credentials(request: Any) -> tuple[str, str]:
    """Client id and secret in the Basic header of an oauthlib request, or in its body; empty where there are none."""
    scheme, _, value = (request.headers.get("HTTP_AUTHORIZATION") or "").partition(" ")
    if scheme.lower() != "basic":
        return request.client_id or "", request.client_secret or ""
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


def _standing(row: Consented) -> Standing:
    return Standing(cast("Environment", row.environment), row.consent)


def _family(request: Any, previous: Any) -> UUID:
    if previous is not None:
        family: UUID = previous.token_family
        return family
    return oauth.family_of(request.code) if request.grant_type == "authorization_code" else uuid4()
