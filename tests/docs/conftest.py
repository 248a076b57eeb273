"""One running product for all the papers that are typed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.product import Product, running


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """All of it, as `make run` starts it: a bank is read by a job."""
    with running(workers=2, threads=4) as started:
        yield started
