"""Who may use the control, and the headers of pages."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from sandbox_bank import settings

Next = Callable[[HttpRequest], HttpResponse]


def guard_control(get_response: Next) -> Next:
    """The control is for this machine, or for who knows the token; and never for a page of somebody else's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/control"):
            return get_response(request)
        origin = request.headers.get("Origin", "null" if request.headers.get("Sec-Fetch-Site") == "cross-site" else "")
        if origin and origin != settings.BANK_URL:
            return HttpResponse(
                "The control takes no requests from other sites.", status=403, content_type="text/plain"
            )
        if not _may_control(request):
            refused = HttpResponse("The control needs its token.", status=401, content_type="text/plain")
            refused["WWW-Authenticate"] = 'Basic realm="Sandbox Bank control: any name, the token as password"'
            return refused
        return get_response(request)

    return middleware


def _may_control(request: HttpRequest) -> bool:
    if settings.CONTROL_TOKEN:
        return constant_time_compare(_token(request.headers.get("Authorization", "")), settings.CONTROL_TOKEN)
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _token(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return ""
    return value if scheme.lower() == "bearer" else ""
