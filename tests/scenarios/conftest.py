"""The product as stories are told of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.product import Product, running


@pytest.fixture(scope="session", params=[pytest.param((1, 1), id="one thread"),
                                         pytest.param((2, 4), id="two workers", marks=pytest.mark.soak)])  # fmt: skip
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    """Everything runs; web with one worker and one thread, and in `make soak` as `make run` starts it too."""
    workers, threads = request.param
    with running(workers=workers, threads=threads) as started:
        yield started
