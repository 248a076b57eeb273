"""What clients read to find their way: RFC 8414, OpenID Connect discovery, RFC 9728 and our public keys.

Written out here and not taken from the library, which would also name what we refuse (HS256, implicit grants).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from connect.domain import oauth
from connect.oauth.scopes import Scopes
from connect.oauth.validator import CLAIMS

_METHODS = ["client_secret_basic", "client_secret_post"]


def issuer() -> str:
    """Who signs and answers; the same text in every document, token and redirect."""
    return str(settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"])


@require_safe
def metadata(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view
    """RFC 8414, and OpenID Connect's document where a key to sign with is set: one is a part of the other."""
    found: dict[str, Any] = {
        "issuer": issuer(),
        "authorization_endpoint": _url("authorize"),
        "token_endpoint": _url("token"),
        "revocation_endpoint": _url("revoke-token"),
        "introspection_endpoint": _url("introspect"),
        "device_authorization_endpoint": _url("device-authorization"),
        "scopes_supported": Scopes().get_available_scopes(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", oauth.DEVICE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*_METHODS, "none"],
        "revocation_endpoint_auth_methods_supported": [*_METHODS, "none"],
        "introspection_endpoint_auth_methods_supported": _METHODS,
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{issuer()}/docs/oauth",
    }
    if settings.OAUTH2_PROVIDER["OIDC_ENABLED"]:
        found |= {
            "jwks_uri": _url("jwks-info"),
            "userinfo_endpoint": _url("user-info"),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": [*CLAIMS, "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "jti"],
            "prompt_values_supported": ["none", "login"],
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "claims_parameter_supported": False,
        }
    return _public(found)


@require_safe
def protected_resource(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view
    """RFC 9728: what the API is, and whose tokens it takes."""
    return _public(
        {
            "resource": issuer(),
            "authorization_servers": [issuer()],
            "scopes_supported": [scope for scope in Scopes().get_available_scopes() if ":" in scope],
            "bearer_methods_supported": ["header"],
            "resource_name": "Facturino Connect",
        }
    )


def _url(name: str) -> str:
    return issuer() + reverse(f"oauth2_provider:{name}")


def _public(found: dict[str, Any]) -> JsonResponse:
    return JsonResponse(found, headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"})
