"""From the secret a request carries to the environment it may open: one look-up, cached for a few seconds.

The cache lives in the process and forgets after `CACHE_SECONDS`, so a revoked key is dead in every process within that
time, without any message having to arrive.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from connect.domain import api_keys
from connect.kit import clock, ids
from connect.kit.caller import EnvironmentRef
from connect.models import ApiKey, Environment
from connect.selectors.api_keys import PREFIX

CACHE_SECONDS: Final = 3.0
_CACHE_ENTRIES_MAX: Final = 10_000
_cache: dict[bytes, tuple[float, Credential | None]] = {}


@dataclass(frozen=True, slots=True)
class Credential:
    """What a valid key stands for. `id` is its public id."""

    id: str
    name: str
    environment: EnvironmentRef
    environment_ready: bool
    scopes: frozenset[str]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None

    def is_expired(self, at: datetime) -> bool:
        """Whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= at

    def allows_address(self, address: str) -> bool:
        """Whether the key may be used from `address`; a key without a list may be used from anywhere."""
        return not self.ip_allowlist or _in_networks(address, self.ip_allowlist)


@lru_cache(maxsize=4096)
def _in_networks(address: str, networks: tuple[str, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network) for network in networks)


def resolve(secret: str) -> Credential | None:
    """The credential behind an API key, or None when it was never issued or is revoked.

    A malformed secret is refused by its checksum, before any query.
    """
    if not api_keys.is_well_formed(secret):
        return None
    digest = api_keys.digest(secret)
    now = time.monotonic()
    known = _cache.get(digest)
    if known is not None and known[0] > now:
        return known[1]
    found = _look_up(digest)
    if len(_cache) >= _CACHE_ENTRIES_MAX:
        _cache.clear()
    _cache[digest] = (now + CACHE_SECONDS, found)
    return found


def is_known(secret: str) -> bool:
    """Whether this process has looked the key up in the last seconds and found it: such a one is nobody's guess."""
    known = _cache.get(api_keys.digest(secret)) if api_keys.is_well_formed(secret) else None
    return known is not None and known[1] is not None and known[0] > time.monotonic()


def forget() -> None:
    """Empty this process's cache: after a change made here, and between tests."""
    _cache.clear()


def _look_up(digest: bytes) -> Credential | None:
    row = (
        ApiKey.objects.select_related("environment__organization", "environment__limit_override")
        .filter(secret_hash=digest)
        .exclude(revoked_at__lte=clock.wall())
        .first()
    )
    if row is None:
        return None
    return Credential(
        id=ids.encode(PREFIX, row.id),
        name=row.name,
        environment=row.environment.ref(),
        environment_ready=row.environment.status == Environment.Status.READY,
        scopes=frozenset(row.scopes),
        ip_allowlist=tuple(row.ip_allowlist),
        expires_at=row.expires_at,
    )
