"""When a session was last used, noted once a minute: allauth would read and write its row for every page."""

from __future__ import annotations

import time
from typing import Final

from allauth.usersessions.middleware import UserSessionsMiddleware
from django.http import HttpRequest, HttpResponse

EVERY_SECONDS: Final = 60.0
_ENTRIES_MAX: Final = 10_000

_noted: dict[tuple[str, ...], float] = {}
"""What this process noted, and until when that will do."""


class SessionActivityMiddleware(UserSessionsMiddleware):
    """Notes who uses a session, from where and with which browser; a new address or browser is noted at once."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if not key:
            return self.get_response(request)
        meta = request.META
        use = (key, meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""), meta.get("HTTP_USER_AGENT", ""))
        now = time.monotonic()
        if _noted.get(use, 0.0) > now:
            return self.get_response(request)
        if len(_noted) >= _ENTRIES_MAX:
            _noted.clear()
        _noted[use] = now + EVERY_SECONDS
        return super().__call__(request)


def forget() -> None:
    """Note every session again: between tests."""
    _noted.clear()
