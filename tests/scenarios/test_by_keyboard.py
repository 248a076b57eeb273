"""From the sign-up page to a refund and out again in Chromium, by somebody who has no pointer.

Wherever Tab leads, `keyboard.py` looks: what has the focus is visible, named, ringed and beneath nothing (WCAG 2.2, 2.4.3,
2.4.7, 2.4.11, 4.1.2). The terminal, a keyboard too, makes the payment.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail

from connect.services import request_log_drain, request_logs
from connect.tasks import provision_environments
from tests.checkout.conftest import CHROMIUM
from tests.checkout.conftest import browser as browser  # a fixture
from tests.login.conftest import PASSWORD, links_in
from tests.scenarios.keyboard import Keyboard

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.django_db(transaction=True, databases=["default", "owner"]),
]
NO_POINTER = """
for (const kind of ["pointerdown", "mousedown"]) addEventListener(kind, () => { throw new Error("a pointer was used"); }, true);
"""


@pytest.fixture
def keyboard(browser: Any, live_server: Any) -> Iterator[Keyboard]:
    """A browser of a laptop's size, in which a pointer is a fault."""
    faults: list[str] = []
    context = browser.new_context(
        base_url=live_server.url,
        locale="en-GB",
        viewport={"width": 1280, "height": 720},
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.add_init_script(NO_POINTER)
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if message.type in {"error", "warning"} and "status of 4" not in message.text
            else None
        ),
    )
    yield Keyboard(page)
    context.close()
    assert faults == []


def in_a_terminal(address: str, secret: str, path: str, *fields: str) -> dict[str, Any]:
    """What curl brings; with fields it is a POST."""
    command = ["curl", "--silent", "--noproxy", "*", f"{address}{path}", "-u", f"{secret}:"]
    for field in fields:
        command += ["-d", field]
    told = dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    assert "error" not in told, told
    return told


def test_from_sign_up_to_a_refund_by_keyboard(keyboard: Keyboard, live_server: Any) -> None:
    page = keyboard.page

    # An account, and the link from its mail.
    page.goto("/accounts/signup/")
    keyboard.reach("Email")
    keyboard.type("ana@shop.example")
    keyboard.reach("Password")
    keyboard.type(PASSWORD)
    keyboard.reach("Password (again)")
    keyboard.type(PASSWORD)
    keyboard.go("Enter")
    (sent,) = mail.outbox
    page.goto(next(link for link in links_in(sent.body) if "confirm-email" in link))
    keyboard.reach("Confirm address", "button")
    keyboard.go("Enter")

    # An organization; its page goes on by itself once its test environment is there.
    keyboard.reach("Company name")
    keyboard.type("Kafe Petrovska")
    keyboard.go("Enter")
    keyboard.reach("Look again", "link")
    provision_environments()
    page.wait_for_url("**/o/kafe-petrovska/test/")

    # The first key, past the rail by the skip link; its secret is copied.
    keyboard.reach("Skip to the content")
    keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    keyboard.reach("Create a test key", "button")
    keyboard.go("Enter")
    keyboard.reach("Copy", "button")
    keyboard.press("Enter")
    page.wait_for_selector(".copied")
    assert keyboard.is_at("Copy")
    secret = page.evaluate("navigator.clipboard.readText()")

    # A payment from the terminal. The list of first steps is drawn anew beneath the focus, which stays where it was.
    keyboard.reach("Start here")
    payment = in_a_terminal(
        live_server.url, secret, "/v1/payment_intents",
        "amount=2500", "currency=eur", "payment_method=pm_card_visa", "confirm=true",
    )  # fmt: skip
    request_logs.buffer.flush()
    request_log_drain.drain()
    page.wait_for_selector("#first-steps:has-text('3 of 7 done')")
    assert keyboard.is_at("Start here")

    # The palette: opened and left with Escape, the focus is back; opened by a key and asked for the id, it leads there.
    keyboard.press("Control+k")
    page.wait_for_selector("#palette-results a")
    assert keyboard.is_at("Search ids")
    keyboard.reach("Close", "button")
    keyboard.press("Escape")
    assert keyboard.is_at("Start here")
    keyboard.press("/")
    keyboard.type(payment["id"])
    page.wait_for_selector("#palette-results a:has-text('Open this payment intent')")
    keyboard.reach("Open this payment intent", key="ArrowDown")
    keyboard.go("Enter")
    assert page.url.endswith(f"/payments/{payment['id']}")

    # A refund: too much is refused, and one goes on in the field; a part of it is given back.
    keyboard.reach("Refund…", "link")
    keyboard.go("Enter")
    keyboard.reach("Amount in EUR")
    keyboard.press("Control+a")
    keyboard.type("99.00")
    keyboard.go("Enter")
    assert keyboard.is_at("Amount in EUR")
    keyboard.press("Control+a")
    keyboard.type("10.00")
    keyboard.reach("Reason")
    keyboard.press("r")
    keyboard.reach("Refund", "button")
    keyboard.go("Enter")
    assert page.url.endswith(f"/payments/{payment['id']}")
    keyboard.reach("Dismiss", "button", key="Shift+Tab")
    assert "10.00\xa0EUR is on its way back to the payer" in page.inner_text(".toast")
    keyboard.press("Space")
    assert page.evaluate("document.activeElement.id") == "main"
    assert not page.is_visible(".toast")
    keyboard.reach("10.00", "link")
    keyboard.go("Enter")
    assert "requested_by_customer" in page.inner_text("main")

    # The list by its two keys; a filter swaps its rows beneath the focus, and the row leads back to the payment.
    with page.expect_navigation():
        keyboard.press("g", "p")
    keyboard.reach("Status")
    with page.expect_response("**/payments?status=succeeded"):
        keyboard.press("s")
    page.wait_for_url("**/payments?status=succeeded")
    assert keyboard.is_at("Status")
    keyboard.reach("25.00", "link")
    keyboard.go("Enter")
    assert page.url.endswith(f"/payments/{payment['id']}")

    # The keys are listed from the account's menu, and Escape leads back to its button; then out.
    keyboard.reach("Account", "button")
    keyboard.press("Enter")
    keyboard.reach("Keyboard shortcuts", "button")
    keyboard.press("Enter")
    keyboard.reach("Single keys act as shortcuts", "checkbox")
    keyboard.press("Escape")
    assert keyboard.is_at("Account")
    keyboard.press("Enter")
    keyboard.reach("Sign out", "button")
    keyboard.go("Enter")
    assert "/accounts/login/" in page.url
    assert keyboard.stops > 150, "each was looked at"
