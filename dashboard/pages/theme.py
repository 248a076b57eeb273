"""Light, dark or as the system has it: a cookie, drawn by the server, so that no page flashes."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE: Final = "fc_theme"
THEMES: Final = ("system", "light", "dark")
YEAR_SECONDS: Final = 365 * 24 * 3600


def chosen(request: HttpRequest) -> str:
    """The person's choice, or `system` when there is none or the cookie holds something else."""
    value = request.COOKIES.get(COOKIE, "system")
    return value if value in THEMES else "system"


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keeps the choice and goes back to where it was made; another site is never gone to."""
    value = request.POST.get("theme", "")
    if value not in THEMES:
        return HttpResponseBadRequest("theme is one of: system, light, dark", content_type="text/plain")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    keep(request, response, value)
    return response


def keep(request: HttpRequest, response: HttpResponse, value: str) -> None:
    """Write the choice, one of `THEMES`, into this browser."""
    if value == "system":
        response.delete_cookie(COOKIE, samesite="Lax")
    else:
        response.set_cookie(
            COOKIE, value, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
        )
