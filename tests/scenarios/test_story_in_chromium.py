"""A customer in a real browser: they link their bank and pay from it, through our pages and the bank's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.sandbox_bank import LOGIN, ONE_TIME_CODE, PASSWORD
from tests.checkout.conftest import CHROMIUM
from tests.checkout.conftest import browser as browser  # a fixture
from tests.product import Product
from tests.scenarios.customer import SHOP, read_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
PATIENCE_MS = 30_000


@pytest.fixture
def tab(browser: Any, product: Product) -> Iterator[Any]:
    """A tab that asks nobody but us, the bank and the shop, and has nothing to complain of."""
    faults: list[str] = []
    context = browser.new_context()
    context.route(f"{SHOP}/**", lambda route: route.fulfill(body="<h1>The shop</h1>", content_type="text/html"))
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    known = (product.server.url, product.bank.url, SHOP, "data:")
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: request.url.startswith(known) or faults.append(request.url))
    yield page
    context.close()
    assert [fault for fault in faults if "favicon" not in fault] == []


def test_a_customer_links_their_bank_and_pays_from_it(product: Product, tab: Any) -> None:
    app = product.acme
    session = app.post("/v1/banking/link_sessions", {"return_url": f"{SHOP}/linked", "locale": "en"})
    tab.goto(session["url"])
    tab.get_by_label("Name of the bank").fill("sandbox")
    tab.get_by_role("button", name="Search").click()
    tab.get_by_role("link", name="Sandbox Bank").click()
    tab.get_by_role("button", name="I agree").click()
    log_in(tab)
    tab.get_by_label("One-time code").fill(ONE_TIME_CODE)
    tab.get_by_role("button", name="Continue").click()
    tab.get_by_role("button", name="Allow").click()
    tab.get_by_role("button", name="Share these accounts").click()
    tab.wait_for_url(f"{SHOP}/linked?**")
    assert tab.url == f"{SHOP}/linked?link_session={session['id']}&status=complete"
    token = app.get(f"/v1/banking/link_sessions/{session['id']}")["public_token"]
    connection = app.post("/v1/banking/connections", {"public_token": token})
    assert read_until(product, app, connection["id"], 1)["status"] == "active"

    (account,) = app.get(f"/v1/banking/accounts?connection={connection['id']}&currency=eur")["data"]
    intent = app.post("/v1/payment_intents", {
        "amount": 1500, "currency": "eur", "confirm": True, "return_url": f"{SHOP}/paid",
        "payment_method_data": {"type": "pay_by_bank", "pay_by_bank": {"account": account["id"]}},
    })  # fmt: skip
    tab.goto(intent["next_action"]["redirect_to_url"]["url"] + "?lang=en")
    tab.get_by_role("button", name="Sandbox Bank").click()
    log_in(tab)
    tab.get_by_label("One-time code").fill(ONE_TIME_CODE)
    tab.get_by_role("button", name="Pay").click()
    tab.wait_for_url(f"{SHOP}/paid?**")
    assert "redirect_status=succeeded" in tab.url
    assert app.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


def log_in(tab: Any) -> None:
    """At the bank's own page."""
    tab.get_by_label("User name").fill(LOGIN)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Log in").click()
