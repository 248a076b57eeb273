"""The bank's pages in Chromium: no scripts, a narrow phone, light and dark, and nothing axe complains about."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sandbox_bank.third_party import PAYMENTS, order

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
AXE = Path(__file__).resolve().parents[1] / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NARROWEST = 320


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the module. Playwright keeps an event loop in this thread, harmless to Django: it is told so."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield launched
        launched.close()


def faults(page, name):
    """What is wrong with the page as it stands, in both themes."""
    found = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > NARROWEST:
            found.append(f"{name} is {wide} pixels wide")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        broken = page.evaluate("rules => axe.run({ runOnly: rules }).then(result => result.violations)", RULES)
        found += [f"{name}, {theme}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in broken]
    return found


def test_every_page_is_fit_for_everybody(browser, tpp, sandbox_bank):
    context = browser.new_context(viewport={"width": NARROWEST, "height": 640}, bypass_csp=True)
    page, found = context.new_page(), []
    page.set_default_timeout(10_000)
    page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    try:
        page.goto(f"{sandbox_bank.url}/")
        found += faults(page, "home")
        page.goto(tpp.begin().json()["_links"]["scaRedirect"]["href"])
        found += faults(page, "login")
        page.fill("[name=user]", "user_good")
        page.fill("[name=password]", "wrong")
        page.click("button[value=login]")
        found += faults(page, "login refused")
        page.fill("[name=password]", "pass_good")
        page.click("button[value=login]")
        found += faults(page, "code")
        page.fill("[name=code]", "1234")
        page.click("button[value=code]")
        assert page.locator("[name=account]:checked").count() == 5
        found += faults(page, "agreement")
        page.goto(tpp.call("POST", PAYMENTS, order()).json()["_links"]["scaRedirect"]["href"] + "?lang=mk")
        page.fill("[name=user]", "user_password")
        page.fill("[name=password]", "pass_good")
        page.click("button[value=login]")
        found += faults(page, "notice")
        page.goto(tpp.call("POST", PAYMENTS, order()).json()["_links"]["scaRedirect"]["href"])
        page.fill("[name=user]", "user_good")
        page.fill("[name=password]", "pass_good")
        page.click("button[value=login]")
        found += faults(page, "order")
        page.goto(f"{sandbox_bank.url}/control/")
        found += faults(page, "control")
    finally:
        context.close()
    assert found == []


def test_a_customer_without_scripts_comes_back_to_the_app(browser, tpp, sandbox_bank):
    """The way back leads to another origin: what the bank's pages allow must not stop it."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.route("https://app.example/**", lambda route: route.fulfill(body="back at the app"))
    try:
        begun = tpp.begin()
        page.goto(begun.json()["_links"]["scaRedirect"]["href"])
        page.fill("[name=user]", "user_good")
        page.fill("[name=password]", "pass_good")
        page.click("button[value=login]")
        page.fill("[name=code]", "1234")
        page.click("button[value=code]")
        page.locator("[name=account]").first.uncheck()
        page.click("button[value=agree]")
        page.wait_for_url("https://app.example/back")
        assert len(tpp.get(begun.headers["location"])["access"]["accounts"]) == 4
    finally:
        context.close()


def test_the_buttons_of_the_control_work_in_a_browser(browser, sandbox_bank):
    page = browser.new_page()
    page.set_default_timeout(10_000)
    try:
        page.goto(f"{sandbox_bank.url}/control/")
        page.locator("form:has(input[value=add_transaction]) [name=amount]").fill("-7.77")
        page.locator("form:has(input[value=add_transaction]) [name=pending]").check()
        page.locator("form:has(input[value=add_transaction]) button").click()
        page.wait_for_url(f"{sandbox_bank.url}/control/")
        assert "-7.77" in page.inner_text("main")
    finally:
        page.close()
