"""Hosts that test environments may call although they are private: `FC_PRIVATE_HOSTS_ALLOWED`.

A pattern is `host:port`; the port may be `*`, the host may begin with `*.`, an IPv6 address stands in brackets.
"""

from __future__ import annotations

from collections.abc import Iterable


def is_allowed(host: str, port: int, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns names this host (lower case, IPv6 without brackets) and port."""
    for pattern in patterns:
        wanted_host, _, wanted_port = pattern.strip().lower().rpartition(":")
        wanted_host = wanted_host.removeprefix("[").removesuffix("]")
        if wanted_port not in {"*", str(port)}:
            continue
        if host == wanted_host or (wanted_host.startswith("*.") and host.endswith(wanted_host[1:])):
            return True
    return False
