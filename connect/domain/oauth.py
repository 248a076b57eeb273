"""What other companies' apps are given, and for how long: tokens, codes, and the rules that need no database.

Tokens have the form of API keys: a prefix that tells what it is, 30 random base62 characters and 6 of checksum, so that
a leaked one can be found mechanically and a mistyped one is refused before any query.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from connect.domain import api_keys, redirects, scopes

ACCESS_TOKEN: Final = "fc_at_"  # noqa: S105 - what one begins with
REFRESH_TOKEN: Final = "fc_rt_"  # noqa: S105
CLIENT_SECRET: Final = "fc_cs_"  # noqa: S105
SECRETS: Final = (ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET)

ACCESS_TOKEN_LIFE: Final = timedelta(minutes=15)
CODE_LIFE: Final = timedelta(seconds=60)
ID_TOKEN_LIFE: Final = timedelta(hours=1)
REFRESH_TOKEN_IDLE: Final = timedelta(days=30)
"""A refresh token that nobody uses dies this long after its access token."""
FAMILY_LIFE: Final = timedelta(days=90)
"""However often it is refreshed, what began with one consent ends then, and the person is asked anew."""
DEVICE_CODE_LIFE: Final = timedelta(minutes=30)
DEVICE_INTERVAL_SECONDS: Final = 5

CODE: Final = "authorization-code"
CLIENT_CREDENTIALS: Final = "client-credentials"
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES: Final = {
    CODE: "authorization_code",
    CLIENT_CREDENTIALS: "client_credentials",
    DEVICE: DEVICE,
}
"""What an app may register for, and what it sends as `grant_type`."""

REDIRECT_URIS_MAX: Final = 10
_PRINTABLE: Final = re.compile(r"[!-~]{1,500}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; nothing that looks like something else. Eight of them are 34 bits, as RFC 8628 suggests."""


def generate(prefix: str) -> str:
    """A new secret of about 178 random bits."""
    return api_keys.with_checksum(prefix)


def is_well_formed(secret: str, prefix: str) -> bool:
    """Whether `secret` looks like one of this kind and its checksum holds."""
    return secret.startswith(prefix) and len(secret) == len(prefix) + 36 and api_keys.has_checksum(secret)


def digest(secret: str) -> str:
    """What is stored of tokens, codes and client secrets: SHA-256 in hex. They are random enough for a fast hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def family_of(code: str) -> UUID:
    """The family of all tokens that an authorization code leads to.

    It follows from the code alone, so a code that comes twice finds what the first one got without being kept.
    """
    return UUID(bytes=hashlib.sha256(b"family:" + code.encode()).digest()[:16])


def user_code() -> str:
    """What a person types that was shown by a device, without the hyphen it is shown with."""
    return "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(8))


def typed_user_code(text: str) -> str:
    """A code as somebody typed it, in the form it is kept in."""
    return re.sub(r"[^A-Z]", "", text.upper())


def shown_user_code(code: str) -> str:
    """A code as it is shown: `BCDF-GHJK`."""
    return f"{code[:4]}-{code[4:]}"


def is_s256_challenge(challenge: object, method: object) -> bool:
    """Whether a PKCE challenge is one we take: S256, and in the form of a SHA-256."""
    return method == "S256" and isinstance(challenge, str) and _CHALLENGE.fullmatch(challenge) is not None


def is_max_age(text: str) -> bool:
    """Whether a `max_age` of OpenID Connect is a number of seconds."""
    return text.isascii() and text.isdecimal() and len(text) <= 9


def redirect_uri_fault(uri: str, *, livemode: bool, local_hosts: Sequence[str]) -> str:
    """Why an app may not register this redirect URI, or an empty text."""
    if not _PRINTABLE.fullmatch(uri):
        return "write it with ASCII characters, without spaces, at most 500"
    if "#" in uri:
        return "it must not have a fragment (#)"
    if "*" in uri:
        return "wildcards are not matched: register each address"
    if not redirects.is_allowed(uri, livemode=livemode, local_hosts=local_hosts):
        local = "" if livemode else f", or http:// for {', '.join(local_hosts) or 'no host'}"
        return f"it must begin with https://{local}"
    return ""


def permission_for(wanted: Iterable[str]) -> str:
    """The permission a member needs to let an app in with these scopes.

    An app may then do what an API key could do, so it takes somebody who may make one; saying who one is takes nobody.
    """
    return "api_keys:write" if any(scope in scopes.SCOPES for scope in wanted) else "home:read"
