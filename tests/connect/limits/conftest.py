"""The limiter on a real Valkey, with environments that need no database."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connect.kit import ids
from connect.kit.caller import EnvironmentRef, Kind


@pytest.fixture
def make_environment() -> Callable[..., EnvironmentRef]:
    """`make_environment("starter", "live")`: one that nobody has used."""

    def make(tier: str = "starter", kind: Kind = "test") -> EnvironmentRef:
        identifier = ids.new()
        short = f"x{identifier.int % 10**11:011d}"
        return EnvironmentRef(identifier, ids.new(), kind, f"{kind}_{short}", short, tier=tier)

    return make


@pytest.fixture
def valkey_down(settings, tmp_path) -> Callable[[], None]:
    """From the call on, nobody answers at the address of Valkey."""

    def stop() -> None:
        settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"

    return stop
