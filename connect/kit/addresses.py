"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, empty when there is none (a Unix socket without a proxy).

    `X-Forwarded-For` is anybody's to write, so it counts only as far as our own proxies wrote it:
    `FC_TRUSTED_PROXIES` is how many stand in a row before us, and 0 means that the header is never read.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    proxies = getattr(settings, "FC_TRUSTED_PROXIES", 0)
    if not proxies:
        return address
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return hops[-proxies] if len(hops) >= proxies else address
