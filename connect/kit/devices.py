"""Which browsers a person has signed in with before: a signed cookie, so that a new one can be told of by mail.

The cookie opens nothing. Whoever copies it spares themselves the mail, and tries passwords from an allowance of its own
beside the account's; whoever has a password and no cookie causes a mail.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE: Final = "fc_device"
KEPT_SECONDS: Final = 400 * 86400
PEOPLE_MAX: Final = 10
_SALT: Final = "connect.kit.devices"


def is_known(request: HttpRequest, user_id: UUID) -> bool:
    """Whether this person signed in from this browser before."""
    return _mark(user_id) in _marks(request)


def remember(request: HttpRequest, response: HttpResponse, user_id: UUID) -> None:
    """Let this browser be known for the person from now on; the ten people who used it last are kept."""
    marks = [_mark(user_id), *(mark for mark in _marks(request) if mark != _mark(user_id))][:PEOPLE_MAX]
    response.set_cookie(
        COOKIE,
        signing.dumps(marks, salt=_SALT),
        max_age=KEPT_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _marks(request: HttpRequest) -> list[str]:
    try:
        marks = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        return []
    return [mark for mark in marks if isinstance(mark, str)] if isinstance(marks, list) else []


def _mark(user_id: UUID) -> str:
    """The person's id is not written into a cookie in clear."""
    return salted_hmac(_SALT, str(user_id), algorithm="sha256").hexdigest()[:20]
