"""What every page of a signed-in person has in common, whoever wrote the page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers


class PrivatePagesMiddleware:
    """Nothing that a signed-in person saw is kept by a browser or a proxy: after signing out, "back" shows nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        was_signed_in = _is_signed_in(request)  # before the view, which may sign out
        response = self.get_response(request)
        if was_signed_in or _is_signed_in(request):
            add_never_cache_headers(response)
        return response


def _is_signed_in(request: HttpRequest) -> bool:
    """Whoever brings no session is nobody, and their session is not looked for: public pages stay the same for all."""
    return bool(request.session.session_key) and request.user.is_authenticated
