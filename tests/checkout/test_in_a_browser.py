"""The payer's journey in Chromium: five languages, two themes, a phone, no scripts, no second charge.

The default run pays in each language and both themes, and walks every state in two languages; `make soak` walks every
combination.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.checkout.conftest import CHROMIUM, GOOD, POOR, TYPO

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
AXE = Path(__file__).resolve().parents[1] / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ASKS, LOST = "4000 0027 6000 3184", "4000 0099 0000 0012"
HTML_LANG = {"en": "en", "mk": "mk", "sq": "sq", "sr": "sr-Cyrl", "sr-latn": "sr-Latn"}
THEMES, WIDTHS, NARROWEST, PHONE, WIDE = ("light", "dark"), (320, 360, 800, 1280), 320, 360, 1280
SHOP = "https://shop.example"
WEIGHT_LIMIT = 100_000


class Tab:
    """One tab of a payer's browser, which remembers everything that the page should not have done."""

    def __init__(self, context, site):
        self.site = site
        self.faults = []
        self.responses = []
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", lambda response: self.responses.append(response))

    def _said(self, message):
        if "status of 404" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request):
        if not request.url.startswith((self.site, SHOP)):
            self.faults.append(f"foreign request: {request.url}")

    def open(self, made, query=""):
        self.page.goto(urlsplit(made["url"]).path + query)

    def type(self, number=GOOD, **other):
        """Fill in the form, as far as it asks."""
        known = {"email": "ana@example.com", "number": number, "expiry": "12 / 40", "cvc": "123", "name": "Ana"}
        for name, value in {**known, **other}.items():
            self.page.fill(f"[name={name}]", value)

    def press(self, button="main form button.primary"):
        self.page.click(button)

    def pay(self, number=GOOD, **other):
        self.type(number, **other)
        self.press()

    def sees(self, selector):
        self.page.wait_for_selector(selector)

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
def tab(browser, live_server, settings):
    """`tab(scheme="dark", width=360)` is a new browser with one tab; `beside=` opens one more in that browser."""
    settings.FC_PUBLIC_URL = live_server.url
    made, contexts = [], []

    def open_tab(*, scheme="light", width=WIDE, scripts=True, beside=None):
        if beside is None:
            context = browser.new_context(
                base_url=live_server.url,
                color_scheme=scheme,
                reduced_motion="reduce",  # or colours are looked at on their way from one theme to the other
                viewport={"width": width, "height": 740},
                java_script_enabled=scripts,
            )
            context.route(f"{SHOP}/**", lambda route: route.fulfill(body="the shop", content_type="text/plain"))
            contexts.append(context)
        else:
            context = beside.page.context
        made.append(Tab(context, live_server.url))
        return made[-1]

    yield open_tab
    for context in contexts:
        context.close()
    assert [one.faults for one in made if one.faults] == []


@pytest.fixture
def charges(api):
    """The charges of the environment as `(status, amount)`, newest first."""
    return lambda: [(one["status"], one["amount"]) for one in api.get("/v1/charges").json()["data"]]


def walk(one, api, session, language):
    """Through every state that a payer can meet, each of them checked."""
    query = f"?lang={language}"
    made = session(
        phone_number_collection={"enabled": True},
        billing_address_collection="required",
        cancel_url=f"{SHOP}/cart",
        line_items=[
            {
                "price_data": {"currency": "rsd", "unit_amount": 2_500_050, "product_data": {"name": f"Кафа {n}"}},
                "quantity": n,
            }
            for n in range(1, 9)
        ],
    )
    address = {"phone": "+381 60 123 456", "line1": "Knez Mihailova 1", "postal_code": "11000", "city": "Beograd"}
    one.open(made, query)
    one.page.select_option("[name=country]", "RS")
    one.check(language)
    one.page.click(".rest summary")
    one.page.click(".hint summary")
    one.check(language)
    one.pay(TYPO, **{**address, "email": "nobody", "city": ""})
    one.sees("#id_city_error")
    one.check(language)
    one.pay(POOR, **address)
    one.sees("[role=alert]:not(:has(li))")
    one.check(language)
    one.pay(ASKS, **address)
    one.sees("#code")
    one.check(language)
    one.page.fill("#code", "1")
    one.press("button[value=code]")
    one.sees("#code-error")
    one.check(language)
    one.open(made, query)
    one.sees(".notice a.button")
    one.check(language)
    one.press(".notice a.button")
    one.press("button[value=complete]")
    one.sees(".mark.good")
    one.check(language)
    busy = session()
    one.open(busy, query)
    one.pay(LOST)
    one.sees(".verdict")
    one.check(language)
    over = session(cancel_url=f"{SHOP}/cart")
    api.post(f"/v1/checkout/sessions/{over['id']}/expire")
    one.open(over, query)
    one.sees(f'a.button[href="{SHOP}/cart"]')
    one.check(language)
    one.page.goto(f"/c/x.y{query}")
    one.sees(".verdict")
    one.check(language)
    kept = session(mode="setup")
    one.open(kept, query)
    one.check(language)
    one.pay(ASKS)
    one.sees("#code")
    one.open(kept, query)
    one.sees(".notice a.button")
    one.check(language)
    api.post(f"/v1/checkout/sessions/{kept['id']}/expire")
    one.open(kept, query)
    one.sees(".verdict")
    one.check(language)
    unheard = session(mode="setup")
    one.open(unheard, query)
    one.pay(LOST)
    one.sees(".verdict")
    one.check(language)


@pytest.mark.parametrize("language", HTML_LANG)
def test_a_payment_in_each_language_and_both_themes(tab, session, charges, language):
    one = tab(width=PHONE)
    one.open(session(), f"?lang={language}")
    for scheme in THEMES:
        one.page.emulate_media(color_scheme=scheme)
        one.check(language)
    one.pay()
    one.sees(".mark.good")
    for scheme in THEMES:
        one.page.emulate_media(color_scheme=scheme)
        one.check(language)
    assert charges() == [("succeeded", 2500)]


@pytest.mark.parametrize(("language", "scheme", "width"), [("mk", "dark", PHONE), ("sr-latn", "light", PHONE)])
def test_every_state_is_accessible_whole_and_translated(tab, api, session, language, scheme, width):
    walk(tab(scheme=scheme, width=width), api, session, language)


@pytest.mark.soak
@pytest.mark.parametrize(("language", "scheme", "width"), list(product(HTML_LANG, THEMES, WIDTHS)))
def test_every_state_in_every_language_theme_and_width(tab, api, session, language, scheme, width):
    walk(tab(scheme=scheme, width=width), api, session, language)


@pytest.mark.parametrize("scripts", [True, False])
def test_from_a_typing_mistake_over_the_bank_to_the_shop(tab, session, now, charges, scripts):
    made = session(success_url=f"{SHOP}/ok?s={{CHECKOUT_SESSION_ID}}")
    one = tab(scripts=scripts, width=PHONE)
    one.open(made)
    one.pay(TYPO)
    one.sees("#id_number_error")
    one.press("[role=alert] a")
    assert one.page.url.endswith("#id_number"), "the list of mistakes leads to the field"
    one.pay(POOR)
    one.sees("text=There is not enough money on this card")
    typed = {name: one.page.input_value(f"[name={name}]") for name in ("email", "name", "number", "expiry", "cvc")}
    assert typed == {"email": "ana@example.com", "name": "Ana", "number": "", "expiry": "", "cvc": ""}
    one.pay(ASKS)
    one.sees("#code")
    one.page.fill("#code", one.page.inner_text("#code-help").partition("the code is ")[2][:6])
    one.press("button[value=code]")
    one.page.wait_for_url(f"{SHOP}/ok?s={made['id']}")
    assert now(made)["payment_status"] == "paid"
    assert [status for status, _ in charges()].count("succeeded") == 1


def test_who_refuses_at_the_bank_can_pay_with_another_card(tab, session, now, charges):
    made = session()
    one = tab(width=PHONE)
    one.open(made)
    one.pay(ASKS)
    one.press("button[value=fail]")
    one.sees("text=Your bank could not confirm that it is you")
    assert charges() == []
    one.pay()
    one.sees("text=Thank you, it is paid")
    assert charges() == [("succeeded", 2500)]
    assert now(made)["payment_status"] == "paid"


def test_who_comes_back_from_the_bank_by_the_back_button_finds_the_way_and_pays_once(tab, session, charges):
    made = session()
    one = tab()
    one.open(made)
    one.pay(ASKS)
    one.sees("#code")
    bank = one.page.url
    one.page.go_back()
    one.sees("text=Your bank asks you to confirm this payment")
    assert one.page.get_attribute(".notice a.button", "href") == bank
    one.pay()
    one.sees("text=Thank you, it is paid")
    one.page.goto(bank)
    one.sees("text=There is nothing to confirm here any more")
    assert charges() == [("succeeded", 2500)]


def test_refresh_and_back_after_paying_change_nothing(tab, session, charges):
    one = tab()
    one.open(session())
    one.pay()
    one.sees("text=Thank you, it is paid")
    one.page.reload()
    one.sees("text=You need not pay again")
    one.page.go_back()
    one.page.reload()
    one.sees("text=You need not pay again")
    assert charges() == [("succeeded", 2500)]


def test_a_refresh_after_a_decline_is_no_second_try(tab, session, charges):
    one = tab()
    one.open(session())
    one.pay(POOR)
    one.sees("[role=alert]")
    one.page.reload()
    one.sees("[role=alert]")
    assert charges() == [("failed", 2500)]


def test_two_tabs_that_pay_at_once_pay_once(tab, session, charges):
    made = session()
    first = tab()
    tabs = [first, tab(beside=first)]
    for one in tabs:
        one.open(made)
        one.type()
    for one in tabs:
        one.page.evaluate("setTimeout(() => document.querySelector('main form').submit())")
    for one in tabs:
        one.page.wait_for_load_state()
        one.sees(".verdict")
        one.page.reload()
        one.sees("text=Thank you, it is paid")
    assert charges() == [("succeeded", 2500)]


def test_an_impatient_double_click_pays_once(tab, session, charges):
    one = tab()
    one.open(session())
    one.type()
    one.page.dblclick("main form button.primary")
    one.sees(".verdict")
    one.page.reload()
    one.sees("text=Thank you, it is paid")
    assert charges() == [("succeeded", 2500)]


def test_a_page_that_expires_while_the_payer_types_charges_nothing(tab, api, session, charges):
    made = session(cancel_url=f"{SHOP}/cart")
    one = tab(width=PHONE)
    one.open(made)
    one.type()
    api.post(f"/v1/checkout/sessions/{made['id']}/expire")
    one.press()
    one.sees("text=nothing was charged")
    one.press("main a.button")
    one.page.wait_for_url(f"{SHOP}/cart")
    assert charges() == []


def test_who_would_rather_not_pay_goes_back_to_the_shop(tab, session, charges):
    one = tab(width=PHONE)
    one.open(session(cancel_url=f"{SHOP}/cart"))
    one.press("a.back")
    one.page.wait_for_url(f"{SHOP}/cart")
    assert charges() == []


def test_a_card_is_saved_for_later(tab, session, now, charges):
    made = session(mode="setup", success_url=f"{SHOP}/ok")
    one = tab(width=PHONE, scripts=False)
    one.open(made)
    one.pay()
    one.page.wait_for_url(f"{SHOP}/ok")
    assert (now(made)["status"], charges()) == ("complete", [])


@pytest.mark.parametrize("scripts", [True, False])
def test_a_card_is_saved_with_its_banks_consent(tab, session, now, api, charges, scripts):
    """A decline, the bank's page, the back button, a refusal there, and at last the shop: one setup intent."""
    made = session(mode="setup", success_url=f"{SHOP}/ok")
    one = tab(width=PHONE, scripts=scripts)
    one.open(made)
    one.pay("4000 0000 0000 0002")
    one.sees("text=The bank declined the card")
    one.pay(ASKS)
    one.sees("text=Confirm that this card is kept")
    one.page.go_back()
    one.sees("text=Your bank asks you to confirm that this card is kept")
    if scripts:
        one.check("en")
    one.press(".notice a.button")
    one.press("button[value=fail]")
    one.sees("text=Your bank could not confirm that it is you")
    one.pay(ASKS)
    one.press("button[value=complete]")
    one.page.wait_for_url(f"{SHOP}/ok")
    (setup,) = api.get("/v1/setup_intents").json()["data"]
    done = now(made)
    assert (done["status"], done["setup_intent"], setup["id"]) == ("complete", setup["id"], setup["id"])
    assert (setup["status"], charges()) == ("succeeded", [])
    one.open(made)
    one.sees("text=Your card is saved")


def test_the_longest_order_weighs_little(tab, session):
    """A hundred lines, the most there can be: style, picture and page together, before any compression."""
    line = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Кафе Арабика, 250 g"}}}
    one = tab()
    one.open(session(line_items=[{**line, "quantity": 2}] * 100))
    one.page.wait_for_load_state("networkidle")
    assert len(one.responses) > 3
    assert sum(len(response.body()) for response in one.responses) < WEIGHT_LIMIT


@pytest.mark.parametrize("width", [NARROWEST, PHONE])
def test_on_a_phone_the_total_stays_in_sight_and_covers_nothing(tab, session, width):
    one = tab(width=width)
    one.open(session(phone_number_collection={"enabled": True}, billing_address_collection="required"))
    covered = """() => {
        const total = document.querySelector("h1.ask").getBoundingClientRect();
        const focus = document.activeElement.getBoundingClientRect();
        return [total.top >= 0 && total.bottom < innerHeight, focus.top >= total.bottom && focus.bottom <= innerHeight];
    }"""
    one.page.focus("main form button.primary")
    seen = []
    for _ in range(10):
        seen.append(one.page.evaluate(covered))
        one.page.keyboard.press("Shift+Tab")
    assert seen == [[True, True]] * 10


def test_order_and_form_stand_side_by_side_where_there_is_room(tab, session):
    made = session()
    sides = "() => ['.order', 'main form'].map(one => document.querySelector(one).getBoundingClientRect().left)"
    wide, phone = tab(width=WIDE), tab(width=PHONE)
    for one in (wide, phone):
        one.open(made)
    order, form = wide.page.evaluate(sides)
    assert order + 300 < form
    order, form = phone.page.evaluate(sides)
    assert order == form
