"""What every hosted page shares: a visitor without an account, whose only authority is the secret in the address.

Such a page works without cookies and scripts. It needs no CSRF token either: no browser carries an authority here that
another site could borrow. Its answers stay out of every cache, and speak the visitor's language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt

from connect.domain import redirects
from connect.kit.caller import EnvironmentRef
from connect.pages import languages
from connect.selectors import environments

_TOKEN: Final = re.compile(r"([a-z2-7]{12})\.([0-9A-Za-z]{33})")

V = TypeVar("V")


def opened(
    find: Callable[[str], V | None],
    missing: Callable[[HttpRequest], HttpResponse],
    *,
    locale: Callable[[V], str | None] = lambda _: None,
) -> Callable[[Callable[[HttpRequest, str, V], HttpResponse]], Callable[[HttpRequest, str], HttpResponse]]:
    """The decorator of a view `(request, token, found)`, called with what `find` knows by the token.

    `missing` answers a token that leads nowhere; `locale` is the language that the app asked for.
    """

    def decorate(view: Callable[[HttpRequest, str, V], HttpResponse]) -> Callable[[HttpRequest, str], HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def open_page(request: HttpRequest, token: str) -> HttpResponse:
            found = find(token)
            language = languages.of(request, None if found is None else locale(found))
            with translation.override(language):
                response = missing(request) if found is None else view(request, token, found)
                response.headers["Content-Language"] = language
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Robots-Tag"] = "noindex"
            return response

        return open_page

    return decorate


def show(
    request: HttpRequest, template: str, *, status: int = 200, forms_lead_to: Iterable[str | None] = (), **context: Any
) -> HttpResponse:
    """The page, without scripts. A form on it may lead here and to the addresses in `forms_lead_to`, or what they
    redirect to: Chromium holds redirects to it too.
    """
    language = translation.get_language() or "en"
    shown = {
        "language": language,
        "languages": languages.choices(language),
        "here": request.path + languages.query(request),
        **context,
    }
    response = render(request, template, shown, status=status)
    targets = {redirects.origin(url) for url in forms_lead_to if url}
    response._csp_replace = {  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's way to say it per response
        "script-src": ["'none'"],
        "connect-src": ["'none'"],
        "form-action": ["'self'", *sorted(target for target in targets if target)],
    }
    return response


def split(token: str) -> tuple[EnvironmentRef, str] | None:
    """The environment and the secret of `<environment short id>.<secret>`, or None."""
    match = _TOKEN.fullmatch(token)
    environment = environments.by_short_id(match[1]) if match else None
    return (environment, match[2]) if match and environment else None


def left(until: datetime, now: datetime) -> str:
    """How long it is from `now` to `until`, in hours and minutes. Django's own words for it lack half our languages."""
    hours, minutes = divmod(max(0, int((until - now).total_seconds())) // 60, 60)
    return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
