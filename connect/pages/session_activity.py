"""When a signed-in browser was last seen, for the list of a person's sessions: noted once a minute, not at every page.

Takes the place of `allauth.usersessions.middleware`, which reads and writes the same row three times at every request.
A session that comes from another address or browser than before is noted at once, so that its person is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse

from connect.kit import valkey

EVERY_SECONDS: Final = 60


class SessionActivityMiddleware:
    """Stands after those that know the session and the person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated and _is_due(request):
            UserSession.objects.create_from_request(request)
        return self.get_response(request)


def _is_due(request: HttpRequest) -> bool:
    """Whether a minute has passed, or something is new; while Valkey is away, always."""
    parts = (request.session.session_key, get_adapter().get_client_ip(request), request.headers.get("User-Agent", ""))
    key = hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()
    try:
        return bool(valkey.client().set(f"fc:seen:{key}", "1", nx=True, ex=EVERY_SECONDS))
    except valkey.ValkeyError:
        return True
