"""A sign of life of the dispatchers in Valkey, for `/readyz`: it fades by itself when the last of them is gone."""

from __future__ import annotations

from typing import Any, Final

from connect.kit import valkey

KEY: Final = "fc:dispatcher:alive"
FADES_AFTER_SECONDS: Final = 20


def beat() -> None:
    """Say that a dispatcher lives; raises `valkey.ValkeyError`."""
    client: Any = valkey.client()
    client.set(KEY, "1", ex=FADES_AFTER_SECONDS)


def heard() -> bool:
    """Whether one lived within `FADES_AFTER_SECONDS`; raises `valkey.ValkeyError`."""
    client: Any = valkey.client()
    return bool(client.exists(KEY))
