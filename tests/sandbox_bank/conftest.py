"""A third party at a bank that is as new."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox_bank.third_party import ThirdParty


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """HTTP without proxies and without following redirects."""
    with httpx.Client(trust_env=False, timeout=30) as opened:
        yield opened


@pytest.fixture
def tpp(sandbox_bank, client) -> ThirdParty:
    """A third party whose customer sits before the screen."""
    return ThirdParty(sandbox_bank, client)
