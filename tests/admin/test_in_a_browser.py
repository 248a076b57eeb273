"""The staff's pages in Chromium: a clean console, nothing fetched from elsewhere, the ways staff go."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.admin.conftest import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps an event loop in this thread
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def signed_in(browser: Any, live_server: Any, staff: Any) -> Iterator[Callable[..., Any]]:
    """`signed_in("dark")` is a page on `/admin/` after signing in by hand. It must do nothing wrong."""
    from allauth.account.models import EmailAddress

    user = staff()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    faults: list[str] = []
    contexts = []

    def note(message: Any) -> None:
        if message.type in {"error", "warning"}:
            faults.append(f"console: {message.text}")

    def watch(request: Any) -> None:
        if not request.url.startswith((live_server.url, "data:")):
            faults.append(f"external request: {request.url}")

    def open_page(scheme: str = "light") -> Any:
        contexts.append(browser.new_context(base_url=live_server.url, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("request", watch)
        page.goto("/admin/")
        page.fill("[name=login]", user.email)
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/admin/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_way_from_the_platform_to_the_lines_of_a_payment(
    signed_in: Any, environment: Any, paid: Any, let_in: Any, scheme: str
) -> None:
    """Find the environment, open its payments, follow the links down to the books, and leave again."""
    let_in(environment)
    page = signed_in(scheme)
    page.fill("#main [name=q]", "acme")
    page.click("button:has-text('Find')")
    page.click(f"a:has-text('{environment.schema_name}')")
    assert page.is_visible("text=test · acme/test")
    page.click("#nav-sidebar-apps a:has-text('Payment intents')")
    page.click(f"a:has-text('{paid['id']}')")
    page.click(f"a:has-text('{paid['latest_charge']}')")
    page.click("#nav-sidebar-apps a[href*='/ledger/transaction']")
    page.click("#result_list th a >> nth=0")
    assert page.inner_text(".staff-lines").count("EUR") >= 2
    dark = page.evaluate("document.documentElement.classList.contains('dark')")
    assert dark is (scheme == "dark")
    page.click("text=Facturino Connect >> nth=0")
    page.click("a:has-text('Platform and environments')")
    page.wait_for_url(re.compile(r"/admin/$"))


def test_an_id_is_found_by_keyboard(signed_in: Any, door: Any, paid: Any) -> None:
    page = signed_in()
    page.goto(door())
    page.keyboard.press("Control+k")
    page.wait_for_selector("#search-input-command", state="visible")
    page.type("#search-input-command", paid["id"])
    page.wait_for_selector(f"#command-results a[href*='{paid['id']}']")
    page.wait_for_selector("text=Found 1 result")  # shown once the theme has taken the answer in
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#command-results li.active")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{door('payments/paymentintent/')}{paid['id']}/change/")


def test_filters_and_the_action_work_as_a_person_does_them(signed_in: Any, door: Any, paid: Any) -> None:
    page = signed_in()
    page.goto(door("payments/paymentattempt/"))
    page.click("a:has-text('Filters')")
    page.click("a[href*='state__exact=open']")
    page.wait_for_url("**state__exact=open")
    assert paid["id"] not in page.content()
    page.click("a:has-text('Settle open attempts')")
    page.click("button:has-text('Ask the processor')")
    page.wait_for_url(f"**{door('payments/paymentattempt/')}")
    assert page.is_visible("text=asked about 0 attempts")


def test_limits_are_set_as_a_person_does_it(signed_in: Any, environment: Any) -> None:
    """From the list to the page, through the form with its reason, and back with the figures that hold now."""
    page = signed_in()
    page.goto("/admin/connect/environment/")
    page.click(f"#result_list a:has-text('{environment.schema_name}')")
    page.click("a:has-text('Set limits')")
    page.fill("[name=per_second]", "12.5")
    page.fill("[name=reason]", "Pilot until the summer")
    page.click("button:has-text('Set limits')")
    page.wait_for_selector("text=hold in every process within seconds")
    assert page.is_visible("text=12.5 a second. Pilot until the summer (staff@platform.example, no end)")


def test_signing_out_from_an_environment(signed_in: Any, door: Any) -> None:
    page = signed_in()
    page.goto(door())
    page.click("text=staff@platform.example >> nth=0")
    page.click("#logout-form button")
    page.wait_for_url("**/accounts/login/")
    page.goto(door())
    assert page.url.endswith(f"/accounts/login/?next={door()}")
