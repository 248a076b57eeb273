"""A bank in memory in the place of the Berlin Group connector."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from banks import clients
from banks.clients.fake import FakeConnector
from banks.domain.profiles import SANDBOX
from banks.models import Institution


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bank-refusals", choices=["write"], help="write docs/bank-refusals.md from what banks were let say"
    )


@pytest.fixture
def fake() -> Iterator[FakeConnector]:
    connector = FakeConnector()
    with clients.replaced("berlin_group", connector):
        yield connector


@pytest.fixture
def sandbox(db, settings) -> Institution:
    """The sandbox bank's row, reachable."""
    settings.FC_SANDBOX_BANK_URL = "http://127.0.0.1:9"
    return Institution.objects.get(slug=SANDBOX)
