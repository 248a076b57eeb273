"""Who calls the API: an API key, as Bearer token or as the user name of HTTP Basic. Session cookies never count."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from connect.domain import errors
from connect.kit import clock
from connect.kit.addresses import client_address
from connect.selectors import credentials
from connect.selectors.credentials import Credential
from connect.services import limits


class ApiKeyAuthentication(BaseAuthentication):
    """Yields `(None, Credential)`; the view makes the `Caller` from it."""

    def authenticate(self, request: Request) -> tuple[None, Credential]:
        secret = secret_of(request._request)  # noqa: SLF001 - DRF's own name for the wrapped request
        if not secret:
            raise errors.ApiKeyMissing
        if not credentials.is_known(secret):
            limits.refuse_guessing(client_address(request._request))  # noqa: SLF001
        credential = credentials.resolve(secret)
        if credential is None:
            limits.count_failed_credential(client_address(request._request))  # noqa: SLF001
            raise errors.ApiKeyInvalid(redacted=redacted(secret))
        if credential.is_expired(clock.wall()):
            raise errors.ApiKeyExpired(redacted=redacted(secret))
        if credential.ip_allowlist:
            address = client_address(request._request)  # noqa: SLF001
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
    return f"{prefix}****{secret[-4:]}"
