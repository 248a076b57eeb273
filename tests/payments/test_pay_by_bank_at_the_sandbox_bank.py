"""Paying by bank at the real sandbox bank: over HTTP, and by a person in Chromium without JavaScript."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.live_server import live_server
from tests.payments.bank_payer import DATA, SANDBOX

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(__file__).resolve().parents[2] / "tests" / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SHOP = "https://shop.test/thanks"


def follow(client: Client, url: str) -> Any:
    for _ in range(6):
        parts = urlsplit(url)
        answer = client.get(parts.path + (f"?{parts.query}" if parts.query else ""))
        if answer.status_code not in {302, 303}:
            return answer
        url = answer["Location"]
        if url.startswith(SHOP):
            return answer
    raise AssertionError(url)


@pytest.mark.parametrize(
    ("outcome", "status", "redirected"),
    [("agree", "succeeded", "succeeded"), ("refuse", "requires_payment_method", "failed")],
)
def test_what_the_customer_does_at_the_bank_decides(sandbox_bank, intent, api, books, outcome, status, redirected):
    found = intent(payment_method_data=DATA, confirm=True, return_url=SHOP)
    client = Client()
    page = urlsplit(found["next_action"]["redirect_to_url"]["url"]).path
    sent = client.post(page, {"institution": SANDBOX})
    assert sent["Location"].startswith(sandbox_bank.url), sent["Location"]
    (order,) = sandbox_bank.state()["payments"]
    done = sandbox_bank.authorise(payment=order["payment"], outcome=outcome)
    back = follow(client, done["redirect"])
    if "Location" not in back:  # the bank has accepted and not settled it yet
        assert "/pay/back/" in back["Refresh"]
        back = follow(client, urlsplit(done["redirect"]).path + "?look=1")
    assert parse_qs(urlsplit(back["Location"]).query)["redirect_status"] == [redirected]
    assert api.get(f"/v1/payment_intents/{found['id']}").json()["status"] == status
    books.check_balance(api)


@pytest.fixture(scope="module")
def shop(sandbox_bank_server):
    with live_server(FC_SANDBOX_BANK_URL=sandbox_bank_server.url) as running:
        yield running


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_person_pays_by_bank_from_the_checkout_without_javascript(shop, sandbox_bank_server, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    sandbox_bank_server.reset()
    line = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}, "quantity": 2}
    body = {
        "mode": "payment", "line_items": [line], "payment_method_types": ["card", "pay_by_bank"],
        "success_url": f"{shop.url}/healthz?paid",
    }  # fmt: skip
    made = shop.request("POST", "/v1/checkout/sessions", body).json()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        page = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740}).new_page()
        page.goto(made["url"])
        page.fill("input[name=email]", "ana@example.com")
        page.screenshot(path=tmp_path / "checkout.png", full_page=True)
        page.click("button[value=bank]")
        page.screenshot(path=tmp_path / "choose.png", full_page=True)
        page.click("button:has-text('Sandbox Bank')")
        assert page.url.startswith(sandbox_bank_server.url), page.url
        page.fill("input[name=user]", "user_good")
        page.fill("input[name=password]", "pass_good")
        page.click("button[value=login]")
        page.fill("input[name=code]", "1234")
        page.click("button[value=pay]")
        page.wait_for_url("**/healthz?paid", timeout=30_000)
        browser.close()
    after = shop.request("GET", f"/v1/checkout/sessions/{made['id']}").json()
    assert (after["status"], after["payment_status"]) == ("complete", "paid")
    print("screenshots", tmp_path)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_small_phone(shop, scheme):
    sync_api = pytest.importorskip("playwright.sync_api")
    body = {"amount": 123456, "currency": "mkd", "payment_method_data": DATA, "confirm": True}
    found = shop.request("POST", "/v1/payment_intents", body).json()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        context = browser.new_context(
            viewport={"width": 320, "height": 640}, color_scheme=scheme, bypass_csp=True  # axe is put in by us
        )  # fmt: skip
        page = context.new_page()
        for language in ("en", "mk", "sq", "sr", "sr-latn"):
            page.goto(found["next_action"]["redirect_to_url"]["url"] + f"?lang={language}")
            assert page.evaluate("document.documentElement.scrollWidth <= 320")
            page.add_script_tag(path=AXE)
            wrong = page.evaluate("rules => axe.run({runOnly: rules}).then(found => found.violations)", RULES)
            assert [(one["id"], one["nodes"][0]["html"]) for one in wrong] == []
        browser.close()
