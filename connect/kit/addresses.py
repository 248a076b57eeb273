"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

import ipaddress

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


def allowance_of(address: str) -> str:
    """What attempts from `address` are counted for: an IPv4 address, or the 64 bits of network that a caller with IPv6
    has to themselves, since they can come from a new address of it each time.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
