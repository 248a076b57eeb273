"""The documentation in Chromium: accessible in both themes, whole at 320 px, useful without a script."""

from __future__ import annotations

import pytest

from connect.services import api_keys
from tests.dashboard.conftest import member as member  # fixtures
from tests.dashboard.test_pages_in_a_browser import CHROMIUM
from tests.dashboard.test_pages_in_a_browser import browser as browser
from tests.dashboard.test_pages_in_a_browser import site as site
from tests.dashboard.test_pages_in_a_browser import watched as watched

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
PAGES = ["/docs", "/docs/webhooks", "/docs/scopes", "/docs/api", "/docs/api/checkout-sessions", "/docs/search?q=refund"]
"""One of each kind."""


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_every_kind_of_page_is_accessible_and_fits(watched, scheme, width):
    one = watched(scheme=scheme, width=width)
    for path in PAGES:
        one.page.goto(path)
        assert one.violations() == [], path
        assert one.overflow() <= 0, path


def test_a_sample_is_copied_with_the_readers_key(watched, caller):
    """Until the secret is put in, what is copied reads it from a variable: a hint would not sign anybody in."""
    key, secret = api_keys.create(caller, name="The shop", scopes=["*"])
    one = watched()
    one.sign_in()
    one.page.goto("/docs/api/refunds")
    assert key.redacted in one.page.inner_text("figure.code")
    one.page.click("[data-copy-code]")
    one.page.wait_for_selector(".copied")
    copied = "navigator.clipboard.readText()"
    assert '-u "$FC_SECRET_KEY:"' in one.page.evaluate(copied)
    one.page.fill("[data-secret]", secret)
    one.page.click("[data-copy-code]")
    one.page.wait_for_function(f"() => {copied}.then(text => text.includes('{secret}'))")
    one.page.fill("[data-secret]", "fc_live_" + secret[8:])
    assert not one.page.evaluate("document.querySelector('[data-secret]').checkValidity()")
    assert "FC_SECRET_KEY" in one.page.evaluate("document.querySelector('.key').dataset.key")
    one.page.keyboard.press("Enter")  # sends nothing anywhere
    assert one.page.url.endswith("/docs/api/refunds")


def test_finds_appear_as_one_types_and_lead_there(watched):
    one = watched()
    one.page.goto("/docs/quickstart")
    one.page.keyboard.press("Control+k")
    one.page.keyboard.type("idempotency_er")
    one.page.wait_for_selector("#found a")
    assert one.violations() == []
    one.page.click("#found a >> nth=0")
    one.page.wait_for_url("**/docs/errors#idempotency_error")


def test_without_a_script_one_reads_and_searches(watched):
    one = watched(scripts=False)
    one.page.goto("/docs/take-a-payment")
    assert not one.page.is_visible("[data-copy-code]")
    assert one.page.is_visible("text=On this page")
    one.page.fill("#search", "webhook secret")
    one.page.keyboard.press("Enter")
    one.page.wait_for_url("**/docs/search?q=webhook+secret")
    one.page.click(".results a >> nth=0")
    assert "/docs/" in one.page.url


def test_on_a_phone_the_pages_are_behind_the_menu(watched):
    one = watched(width=375)
    one.page.goto("/docs/errors")
    assert not one.page.is_visible("#rail")
    one.page.click("[popovertarget=rail]")
    one.page.click("#rail >> text=Test cards")
    one.page.wait_for_url("**/docs/test-cards")
