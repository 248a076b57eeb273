"""OAuth2 and OpenID Connect for other companies' apps: django-oauth-toolkit with every rule of RFC 9700 on."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from connect.domain import oauth


def signing_keys(text: str) -> list[str]:
    """The PEM keys in FC_OIDC_PRIVATE_KEY, base64 each, with commas between; one that is none is left to the checks."""
    keys = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            keys.append(base64.b64decode(part, validate=True).decode("ascii"))
        except (binascii.Error, UnicodeDecodeError):
            continue
    return keys


def provider(*, issuer: str, keys: list[str]) -> dict[str, Any]:
    """The library's settings. The first key signs; the others are still published for what they have signed."""
    return {
        "OAUTH2_VALIDATOR_CLASS": "connect.oauth.validator.Validator",
        "SCOPES_BACKEND_CLASS": "connect.oauth.scopes.Scopes",
        "ACCESS_TOKEN_GENERATOR": "connect.oauth.scopes.access_token",
        "REFRESH_TOKEN_GENERATOR": "connect.oauth.scopes.refresh_token",
        "PKCE_REQUIRED": True,
        "AUTHORIZATION_CODE_EXPIRE_SECONDS": int(oauth.CODE_LIFE.total_seconds()),
        "ACCESS_TOKEN_EXPIRE_SECONDS": int(oauth.ACCESS_TOKEN_LIFE.total_seconds()),
        "ROTATE_REFRESH_TOKEN": True,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "REFRESH_TOKEN_EXPIRE_SECONDS": int(oauth.REFRESH_TOKEN_IDLE.total_seconds()),
        "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
        "OIDC_ENABLED": bool(keys),
        "OIDC_ISS_ENDPOINT": issuer,
        "OIDC_RSA_PRIVATE_KEY": keys[0] if keys else "",
        "OIDC_RSA_PRIVATE_KEYS_INACTIVE": keys[1:],
        "ID_TOKEN_EXPIRE_SECONDS": int(oauth.ID_TOKEN_LIFE.total_seconds()),
        "OAUTH_DEVICE_VERIFICATION_URI": f"{issuer}/oauth/device",
        "OAUTH_DEVICE_VERIFICATION_URI_COMPLETE": f"{issuer}/oauth/device?user_code={{user_code}}",
        "OAUTH_DEVICE_USER_CODE_GENERATOR": oauth.user_code,
        "DEVICE_FLOW_INTERVAL": oauth.DEVICE_INTERVAL_SECONDS,
        "OAUTH_PRE_TOKEN_VALIDATION": [],  # the validator finds the device itself
        **{
            f"COMPLIANT_BCP_RFC9700_{rule}": True
            for rule in (
                "IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "ACCESS_TOKEN_TRANSPORT", "AUTHZ_RESPONSE_ISS",
                "TOKEN_STORAGE", "REFRESH_TOKEN", "REDIRECT_URI_SCHEME", "REDIRECT_URI_MATCHING", "PKCE_REQUIRED",
            )
        },
    }  # fmt: skip
