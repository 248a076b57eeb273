"""Who calls the API: an API key or an app's access token, as Bearer token or as the user name of HTTP Basic.

Session cookies never count.
"""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from connect.domain import errors, oauth
from connect.kit import clock
from connect.kit.addresses import client_address
from connect.selectors import credentials
from connect.selectors.credentials import Credential
from connect.services import limits


class CredentialAuthentication(BaseAuthentication):
    """Yields `(None, Credential)`; the view makes the `Caller` from it."""

    def authenticate(self, request: Request) -> tuple[None, Credential]:
        plain = request._request  # noqa: SLF001 - DRF's own name for the wrapped request
        secret = secret_of(plain)
        if not secret:
            raise errors.ApiKeyMissing
        is_token = secret.startswith(oauth.ACCESS_TOKEN)
        if not credentials.is_known(secret):
            limits.refuse_guessing(client_address(plain))
        credential = credentials.resolve(secret)
        if credential is None:
            # A token whose consent was withdrawn is no guess: it must not stop the app's tokens for others.
            if not (is_token and credentials.is_well_formed(secret)):
                limits.count_failed_credential(client_address(plain))
            refusal = errors.AccessTokenInvalid if is_token else errors.ApiKeyInvalid
            raise refusal(redacted=redacted(secret))
        if credential.is_expired(clock.wall()):
            expired = errors.AccessTokenExpired if is_token else errors.ApiKeyExpired
            raise expired(redacted=redacted(secret))
        if credential.suspended:
            raise errors.AppSuspended(name=credential.name)
        if credential.ip_allowlist:
            address = client_address(plain)
            if not credential.allows_address(address):
                raise errors.AddressNotAllowed(address=address)
        if not credential.environment_ready:
            raise errors.EnvironmentNotReady
        return None, credential

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Facturino Connect"'


def secret_of(request: HttpRequest) -> str:
    """The secret in the Authorization header, or an empty text."""
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return decoded.partition(":")[0]
    return ""


def redacted(secret: str) -> str:
    """Enough of a secret to recognise it: `fc_test_****AbCd`. A short text is hidden whole."""
    if len(secret) < 16:
        return "****"
    prefix = secret[:8] if secret.startswith(("fc_test_", "fc_live_")) else secret[:3]
    if secret.startswith(oauth.ACCESS_TOKEN):
        prefix = oauth.ACCESS_TOKEN
    return f"{prefix}****{secret[-4:]}"
