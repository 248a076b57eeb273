"""A newcomer's first ten minutes in Chromium, from the form for an account to the first webhook and a linked bank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deploy import screenshots
from tests.checkout.conftest import CHROMIUM
from tests.checkout.conftest import browser as browser  # a fixture
from tests.product import Product

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture
def tab(browser: Any, product: Product) -> Iterator[Any]:
    """A tab that asks nobody but us and the bank, and has nothing to complain of."""
    faults: list[str] = []
    tab = screenshots.new_tab(browser)
    known = (product.server.url, product.bank.url, "data:")
    tab.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("request", lambda request: request.url.startswith(known) or faults.append(request.url))
    yield tab
    tab.context.close()
    assert [fault for fault in faults if "favicon" not in fault] == []


def test_the_first_ten_minutes(product: Product, tab: Any) -> None:
    pictures: dict[str, bytes] = {}
    newcomer = screenshots.Newcomer(
        tab, product.server.url, lambda name: pictures.update({name: screenshots.picture(tab)})
    )
    made = newcomer.walk()
    assert made["payment"]["status"] == made["told_of"]["status"] == "succeeded"
    assert made["payment"]["amount_received"] == 2500
    assert made["payment"]["livemode"] is False
    assert made["link_session"]["status"] == "complete"
    assert made["link_session"]["public_token"]
    app = product.app(newcomer.secret)
    assert {each["id"] for each in app.everything("/v1/payment_intents")} == {
        made["payment"]["id"], made["told_of"]["id"],
    }  # fmt: skip
    assert set(pictures) == {path.stem for path in screenshots.PICTURES.glob("*.webp")}, (
        "each picture of the guides is taken"
    )
    assert all(taken[:4] == b"RIFF" and len(taken) <= screenshots.BYTES_MAX for taken in pictures.values())
