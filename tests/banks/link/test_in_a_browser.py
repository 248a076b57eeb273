"""The customer's journey in Chromium, from the app's link over the sandbox bank's own pages and back.

The default run makes one journey of each kind and walks every state in each language once; `make soak` walks every
combination of language, theme and width.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from banks.models import Connection, LinkSession
from banks.selectors import link_sessions as selectors
from banks.services import link_tokens
from connect.kit import clock
from connect.kit.tenancy import use_environment
from tests.checkout.conftest import CHROMIUM, browser  # noqa: F401  the fixture of every hosted page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
AXE = Path(__file__).resolve().parents[2] / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HTML_LANG = {"en": "en", "mk": "mk", "sq": "sq", "sr": "sr-Cyrl", "sr-latn": "sr-Latn"}
THEMES, WIDTHS, NARROWEST, PHONE, WIDE = ("light", "dark"), (320, 360, 800, 1280), 320, 360, 1280
APP = "https://app.example"
WEIGHT_LIMIT = 100_000


class Tab:
    """One tab of a customer's browser, which remembers everything that our pages should not have done."""

    def __init__(self, context, site, bank):
        self.site, self.bank = site, bank
        self.faults = []
        self.responses = []
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", lambda response: self.responses.append(response))

    def _said(self, message):
        if "status of 404" not in message.text and not message.location["url"].startswith(self.bank):
            self.faults.append(f"console: {message.text}")

    def _asked(self, request):
        if not request.url.startswith((self.site, self.bank, APP)):
            self.faults.append(f"foreign request: {request.url}")

    def open(self, made, query=""):
        self.page.goto(urlsplit(made["url"]).path + query)

    def press(self, selector):
        self.page.click(selector)

    def sees(self, selector):
        self.page.wait_for_selector(selector)

    def heading(self):
        return self.page.inner_text("h1")

    def agree(self):
        """Agree on our page; the bank's opens."""
        self.press("button[value=agree]")
        self.sees("#user")

    def log_in(self, user="user_good"):
        """Log in at the bank, as far as the code."""
        self.page.fill("#user", user)
        self.page.fill("#password", "pass_good")
        self.press("button[value=login]")
        self.sees("#code")

    def confirm(self):
        """Type the code and agree to everything at the bank, which leads back."""
        self.page.fill("#code", "1234")
        self.press("button[value=code]")
        self.press("button[value=agree]")
        self.page.wait_for_url(f"{self.site}/link/**")

    def link(self):
        """From the consent to the choice of accounts."""
        self.agree()
        self.log_in()
        self.confirm()
        self.sees("input[name=account]")

    def check(self, language):
        """Accessible, whole, and in the language that it says it is."""
        page = self.page
        page.wait_for_load_state()  # with its style sheet
        assert page.get_attribute("html", "lang") == HTML_LANG[language]
        assert page.title()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("rules => axe.run({ runOnly: rules }).then(result => result.violations)", RULES)
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        size = page.viewport_size
        for width in {size["width"], NARROWEST}:
            page.set_viewport_size({"width": width, "height": size["height"]})
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        page.set_viewport_size(size)


@pytest.fixture
def tab(browser, live_server, settings, sandbox_bank):  # noqa: F811
    """`tab(scheme="dark", width=360)` is a new browser with one tab; `beside=` opens one more in that browser."""
    settings.FC_PUBLIC_URL = live_server.url
    made, contexts = [], []

    def open_tab(*, scheme="light", width=WIDE, scripts=True, beside=None):
        if beside is None:
            context = browser.new_context(
                base_url=live_server.url,
                color_scheme=scheme,
                reduced_motion="reduce",
                viewport={"width": width, "height": 740},
                java_script_enabled=scripts,
            )
            context.route(f"{APP}/**", lambda route: route.fulfill(body="the app", content_type="text/plain"))
            contexts.append(context)
        else:
            context = beside.page.context
        made.append(Tab(context, live_server.url, sandbox_bank.url))
        return made[-1]

    yield open_tab
    for context in contexts:
        context.close()
    assert [one.faults for one in made if one.faults] == []


@pytest.fixture
def session(api, sandbox_bank):
    """`session(locale="mk")` is a new link session, unless told otherwise for user-7."""

    def create(**given):
        answer = api.post("/v1/banking/link_sessions", {"client_reference_id": "user-7", **given})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


@pytest.fixture
def exchange(caller, now):
    """Take over what a session made; answers with the connection's id."""

    def take(made):
        with use_environment(caller.environment):
            return link_tokens.exchange(caller, public_token=now(made)["public_token"]).id

    return take


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_search_over_the_bank_to_the_app(tab, session, now, exchange, api, scripts):
    made = session(return_url=f"{APP}/linked", purpose="Bookkeeping")
    one = tab(width=PHONE, scripts=scripts)
    one.open(made)
    one.page.fill("#q", "сандбо")
    one.press("form[role=search] button")
    one.press("a.bank")
    one.sees("text=We never see your password")
    one.link()
    boxes = one.page.locator("input[name=account]")
    assert boxes.count() > 1
    boxes.nth(0).uncheck()
    kept = boxes.count() - 1
    one.press("button[value=choose]")
    one.page.wait_for_url(f"{APP}/linked?link_session={made['id']}&status=complete")
    connection = exchange(made)
    found = api.get("/v1/banking/accounts", {"connection": connection}).json()["data"]
    assert len(found) == kept
    assert now(made)["status"] == "complete"


def test_who_gives_up_at_the_bank_comes_back_and_tries_again(tab, session, now):
    made = session(institution="sandbox-bank")
    one = tab(width=PHONE)
    one.open(made)
    one.agree()
    one.press("button[value=cancel]")
    one.sees("text=You did not agree at your bank. Nothing was shared.")
    assert now(made)["last_error"]["code"] == "user_canceled"
    one.link()
    one.press("button[value=choose]")
    one.sees(".mark.good")
    assert now(made)["status"] == "complete"


def test_the_back_button_leads_to_the_visit_as_it_is(tab, session, now):
    made = session(institution="sandbox-bank")
    one = tab()
    one.open(made)
    one.agree()
    bank = one.page.url
    one.open(made)
    one.sees("text=Continue at Sandbox Bank")
    assert one.page.get_attribute("main a.button.primary", "href") == bank.partition("#")[0]
    one.press("text=I have agreed there")
    one.sees("text=You have not finished at your bank yet")
    one.press("main a.button.primary")
    one.log_in()
    one.confirm()
    one.press("button[value=choose]")
    one.sees(".mark.good")
    one.page.go_back()
    one.page.reload()
    one.sees(".mark.good")
    assert now(made)["status"] == "complete"


def test_two_tabs_link_once_and_another_browser_may_finish(tab, session, now, api, caller):
    made = session(institution="sandbox-bank")
    first = tab()
    first.open(made)
    first.agree()
    phone = tab(width=PHONE)
    phone.page.goto(first.page.url)
    phone.log_in()
    phone.confirm()
    second = tab(beside=first)
    first.open(made)
    second.open(made)
    for one in (first, second):
        one.sees("input[name=account]")
        one.page.evaluate("setTimeout(() => document.querySelector('button[value=choose]').click())")
    for one in (first, second):
        one.sees(".mark.good")
    with use_environment(caller.environment):
        assert Connection.objects.count() == 1
    assert now(made)["status"] == "complete"


def test_a_bank_that_is_down_is_waited_for_by_the_page_itself(tab, session, sandbox_bank, now):
    made = session(institution="sandbox-bank")
    one = tab(scripts=False)
    one.open(made)
    one.agree()
    one.log_in()
    sandbox_bank.control("misbehave", {"kind": "down", "times": 3})
    one.confirm()
    one.sees("text=Waiting for your bank")
    one.sees("input[name=account]")
    assert now(made)["status"] == "choosing"


def test_a_customer_ends_what_they_agreed_to(tab, session, exchange, api):
    made = session(institution="sandbox-bank")
    one = tab(width=PHONE)
    one.open(made)
    one.link()
    one.press("button[value=choose]")
    one.press("a[href^='/consents/']")
    one.sees("text=What you agreed to")
    connection = exchange(made)
    one.page.reload()
    one.press("section.agreed a.button")
    one.check("en")
    one.press("main form button")
    one.sees("text=You ended it")
    assert api.get(f"/v1/banking/connections/{connection}").json()["status"] == "revoked"


def walk(one, api, session, environment, language):
    """Through every state that a customer can meet, each of them checked."""
    query = f"?lang={language}"
    made = session(purpose="Сметководство", return_url=f"{APP}/linked")
    one.open(made, query)
    one.check(language)
    one.page.fill("#q", "no such bank")
    one.press("form[role=search] button")
    one.check(language)
    one.open(made, f"{query}&bank=stopanska-mk")
    one.sees("[role=alert]")
    one.check(language)
    one.press("a.bank >> nth=0")
    one.sees("button[value=agree]")
    one.check(language)
    one.agree()
    one.open(made, query)
    one.check(language)
    one.press("main a.button.primary")
    one.press("button[value=cancel]")
    one.sees("[role=alert]")
    one.check(language)
    one.link()
    one.check(language)
    for box in one.page.locator("input[name=account]").all():
        box.uncheck()
    one.press("button[value=choose]")
    one.sees("[role=alert]")
    one.check(language)
    one.press("button[value=choose]")
    one.page.wait_for_url(f"{APP}/**")
    one.open(made, query)
    one.sees(".mark.good")
    one.check(language)
    one.press("a[href^='/consents/']")
    one.sees("section.agreed")
    one.check(language)
    one.press("section.agreed a.button")
    one.check(language)
    one.press("main form button")
    one.sees("section.agreed")
    one.check(language)
    busy = session()
    with use_environment(environment):
        LinkSession.objects.filter(pk=selectors.ids.decode("lks", busy["id"])).update(
            lease_until=clock.wall() + timedelta(seconds=30)
        )
    one.open(busy, query)
    one.check(language)
    canceled = session(return_url=f"{APP}/linked")
    one.open(canceled, query)
    one.press("button[value=cancel]")
    one.page.wait_for_url(f"{APP}/**")
    one.open(canceled, query)
    one.check(language)
    one.page.goto(f"/link/x.y{query}")
    one.check(language)


@pytest.mark.parametrize(
    ("language", "scheme"),
    [("en", "dark"), ("mk", "light"), ("sq", "dark"), ("sr", "light"), ("sr-latn", "dark")],
)
def test_every_state_is_accessible_whole_and_translated(tab, api, session, environment, language, scheme):
    walk(tab(scheme=scheme, width=PHONE), api, session, environment, language)


@pytest.mark.soak
@pytest.mark.parametrize(("language", "scheme", "width"), list(product(HTML_LANG, THEMES, WIDTHS)))
def test_every_state_in_every_language_theme_and_width(tab, api, session, environment, language, scheme, width):
    walk(tab(scheme=scheme, width=width), api, session, environment, language)


def test_the_list_of_all_banks_weighs_little(tab, session):
    one = tab()
    one.open(session())
    one.page.wait_for_load_state("networkidle")
    assert len(one.responses) > 3
    assert sum(len(response.body()) for response in one.responses) < WEIGHT_LIMIT
