"""The pages on which people decide, in Chromium: accessible in both themes, whole at 320 px, and the way back is open."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.oauth.conftest import CALLBACK, asked

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
AXE = Path(__file__).resolve().parents[1] / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def chromium(world):
    """`chromium(scheme)` is a page of somebody who is signed in, with all that the console said."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )

        def signed_in(scheme):
            context = browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 800}, bypass_csp=False)
            context.add_cookies([{"name": "sessionid", "value": world.browser.session, "url": world.server.url}])
            page, said = context.new_page(), []
            page.on("console", lambda message: said.append(message.text))
            return page, said

        yield signed_in
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_decision_can_be_read_and_used(world, app, public_app, chromium, scheme):
    began = public_app.form("/oauth/device_authorization", scope="customers:read").json()
    page, said = chromium(scheme)
    for address in (
        asked(app, scope="openid email customers:read payments:write"),
        asked(app, redirect_uri="https://evil.example"),
        "/oauth/device",
        "/oauth/device?user_code=BCDF-BCDF",
        began["verification_uri_complete"].removeprefix(world.server.url),
        "/account/apps",
    ):
        page.goto(world.server.url + address)
        page.evaluate(AXE.read_text())
        found = page.evaluate("rules => axe.run({ runOnly: rules }).then(result => result.violations)", RULES)
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], address
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, address
    assert [text for text in said if "Content Security Policy" in text] == []


def test_whoever_allows_arrives_at_the_app(world, app, chromium):
    """Chromium stops a form whose redirect leads where the page's policy does not name; ours names the checked one."""
    page, said = chromium("light")
    arrived = []
    page.route(f"{CALLBACK}**", lambda route: (arrived.append(route.request.url), route.fulfill(body="back")))
    for decision, word in (("allow", "code="), ("deny", "error=access_denied")):
        page.goto(world.server.url + asked(app))
        page.check("input[name=environment]")
        page.click(f"button[value={decision}]")
        page.wait_for_url(f"{CALLBACK}**")
        assert word in arrived[-1]
    assert said == []
