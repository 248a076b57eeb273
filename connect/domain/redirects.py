"""Where a person may be sent back to: https, and in test environments also plain http on hosts named in the settings.

A developer's shop runs on localhost; `FC_PRIVATE_HOSTS_ALLOWED` holds `host:port` patterns for it (`localhost:*`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from connect.domain import private_hosts

_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def origin(url: str) -> str | None:
    """`https://shop.example:8443` for an address on that host, or None when its host is not a plain one.

    The answer is safe to stand in a Content-Security-Policy: nothing but a scheme, a host and a port gets through. An
    international name comes back in its ASCII form, as browsers compare it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            host = f"[{host}]"
        elif not host.isascii():
            host = host.encode("idna").decode("ascii")
    except ValueError:  # a bad port, unbalanced brackets, a name that has no ASCII form
        return None
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def is_allowed(url: str, *, livemode: bool, local_hosts: Sequence[str]) -> bool:
    """Whether a person may be redirected to `url`. `local_hosts` are patterns of `connect.domain.private_hosts`."""
    where = origin(url)
    if where is None:
        return False
    parts = urlsplit(where)
    if parts.scheme == "https":
        return True
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return not livemode and private_hosts.is_allowed(parts.hostname or "", port, local_hosts)
