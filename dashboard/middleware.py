"""A signed-in person reads pages in their own language and tells time in their own zone.

Whoever is not signed in has what `LocaleMiddleware` found: the cookie of the language switch, else the browser's wish;
and UTC. Hosted pages choose their language themselves, pages of staff are in English, and `/v1` never comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

STAFF: Final = "admin"


class PersonMiddleware:
    """Turns the language and the zone of the thread to the person's for one request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The zone ends with the request; the language is set anew by `LocaleMiddleware` at the next one."""
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """A request without a session asks the database nothing."""
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        if request.resolver_match and STAFF in request.resolver_match.namespaces:
            translation.activate(settings.LANGUAGE_CODE)
            return
        user: Any = request.user
        if not user.is_authenticated:
            return
        if user.locale in dict(settings.LANGUAGES):
            translation.activate(user.locale)
        zone = _zone(user.time_zone)
        if zone is not None:
            timezone.activate(zone)


def _zone(name: str) -> ZoneInfo | None:
    """The zone of this name; None for one that this machine does not know (any more), so that UTC stays."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
