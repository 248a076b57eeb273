"""Which environments have new events: a set of their ids in Valkey. Only a hint; the sweep over all is the truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from connect.kit import valkey

KEY: Final = "fc:hints:events"


def send(environment_ids: Iterable[UUID]) -> None:
    """Add environments to the set; raises `valkey.ValkeyError`."""
    client: Any = valkey.client()
    client.sadd(KEY, *(str(identifier) for identifier in environment_ids))


def take(count: int = 100) -> list[UUID]:
    """Take up to `count` environments out of the set; raises `valkey.ValkeyError`."""
    client: Any = valkey.client()
    return [UUID(identifier.decode()) for identifier in client.spop(KEY, count) or ()]
