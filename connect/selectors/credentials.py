"""From the secret a request carries to the environment it may open: one look-up, cached for a few seconds.

The cache lives in the process and forgets after `CACHE_SECONDS`, so a revoked key, a withdrawn consent and a member who
left are dead in every process within that time, without any message having to arrive.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from connect.domain import api_keys, oauth
from connect.domain.scopes import SCOPES
from connect.kit import clock, ids
from connect.kit.caller import ActorKind, EnvironmentRef
from connect.models import ApiKey, Environment
from connect.selectors import oauth_tokens
from connect.selectors.api_keys import PREFIX

CACHE_SECONDS: Final = 3.0
_CACHE_ENTRIES_MAX: Final = 10_000
_cache: dict[bytes, tuple[float, Credential | None]] = {}


@dataclass(frozen=True, slots=True)
class Credential:
    """What a valid key or access token stands for. `id` is the key's public id, or the app's; `name` is for people.

    `consent` is the public id of what a token rests on, empty for a key and for an app that acts for itself.
    """

    id: str
    name: str
    environment: EnvironmentRef
    environment_ready: bool
    scopes: frozenset[str]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    kind: ActorKind = "api_key"
    consent: str = ""
    suspended: bool = False

    def is_expired(self, at: datetime) -> bool:
        """Whether its time is over."""
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


def is_well_formed(secret: str) -> bool:
    """Whether it looks like a key or an access token and its checksum holds; nobody writes such a one by mistake."""
    return api_keys.is_well_formed(secret) or oauth.is_well_formed(secret, oauth.ACCESS_TOKEN)


def resolve(secret: str) -> Credential | None:
    """The credential behind an API key or access token, or None when it was never issued or is revoked.

    A malformed secret is refused by its checksum, before any query. One that is in the cache has passed it before.
    """
    digest = api_keys.digest(secret)
    now = time.monotonic()
    known = _cache.get(digest)
    if known is not None and known[0] > now:
        return known[1]
    if not is_well_formed(secret):
        return None
    found = _look_up_token(secret) if secret.startswith(oauth.ACCESS_TOKEN) else _look_up(digest)
    if len(_cache) >= _CACHE_ENTRIES_MAX:
        _cache.clear()
    _cache[digest] = (now + CACHE_SECONDS, found)
    return found


def is_known(secret: str) -> bool:
    """Whether this process has looked it up in the last seconds and found it: such a one is nobody's guess."""
    known = _cache.get(api_keys.digest(secret))
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


def _look_up_token(secret: str) -> Credential | None:
    row = oauth_tokens.find(secret)
    if row is None or row.environment is None:
        return None
    return Credential(
        id=row.application.client_id,
        name=row.application.name,
        environment=row.environment.ref(),
        environment_ready=row.environment.status == Environment.Status.READY,
        scopes=frozenset(oauth_tokens.scopes_of(row) & SCOPES.keys()),
        ip_allowlist=(),
        expires_at=row.expires,
        kind="api_client",
        consent=ids.encode("cons", row.consent_id) if row.consent_id else "",
        suspended=row.application.suspended_at is not None,
    )
