"""Pages in Chromium: a clean console, nothing fetched from elsewhere, accessible in both themes, whole at 320 px."""

import shutil
from pathlib import Path

import pytest
from django.urls import reverse

from tests.matrix.test_pages import PAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
AXE = Path(__file__).resolve().parents[1] / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PASSWORD = "a password nobody types"
OPEN = [
    "/status",
    "/report-key",
    "/invitations/nothing",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/nothing-here",
]
SIGNED_IN = [
    "/organizations/new",
    "/mailbox",
    "/accounts/logout/",
    "/accounts/email/",
    "/accounts/2fa/",
]
EMPTY = [
    "/o/acme/live/",
    "/o/acme/live/payments",
    "/o/acme/live/checkout",
    "/o/acme/live/balance",
    "/o/acme/live/ledger",
    "/o/acme/live/ledger/transactions",
    "/o/acme/live/customers",
    "/o/acme/live/banks/connections",
    "/o/acme/live/banks/accounts",
    "/o/acme/live/banks/transactions",
    "/o/acme/live/banks/link-sessions",
    "/o/acme/live/developers/logs",
    "/o/acme/live/developers/events",
    "/o/acme/live/developers/webhooks",
    "/o/acme/live/developers/api-keys",
    "/o/acme/live/developers/usage",
    "/o/acme/live/support-access",
    "/o/acme/test/payments?status=canceled",
    "/o/acme/test/search?q=pi_nothing",
    "/o/acme/test/audit?action=api_key.rolled",
]
"""Lists without a line."""
FILES = {f"dashboard:{name}_export" for name in ("balance", "bank_transactions", "audit", "usage")}
"""Downloads, which a browser does not show."""


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the module. Playwright keeps an event loop in this thread, harmless to Django: it is told so."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def site(browser, live_server, member):
    """The address of the running site, with an owner of Acme who can sign in."""
    from allauth.account.models import EmailAddress

    user = member("owner")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return live_server.url


class Watched:
    """A browser page that remembers everything it should not have done."""

    def __init__(self, browser, site, *, scheme="light", width=1280, scripts=True, locale="en"):
        self.site = site
        self.faults = []
        self.context = browser.new_context(
            base_url=site,
            color_scheme=scheme,
            locale=locale,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", lambda request: self._elsewhere(request.url))

    def _note(self, kind, text):
        if kind in {"error", "warning"} and "status of 404" not in text:
            self.faults.append(f"console: {text}")

    def _elsewhere(self, url):
        if not url.startswith((self.site, "data:")):
            self.faults.append(f"external request: {url}")

    def sign_in(self):
        self.page.goto("/accounts/login/")
        self.page.fill("[name=login]", "owner@people.example")
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url("**/o/acme/test/")

    def violations(self):
        if not self.page.evaluate("typeof axe === 'object'"):  # once for each page that is loaded, not for each look
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        # What passes is not collected, and style sheets and media are not fetched again: no rule of these needs them.
        options = {"runOnly": RULES, "resultTypes": ["violations"], "preload": False}
        found = self.page.evaluate("options => axe.run(options).then(result => result.violations)", options)
        return [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in found]

    def cut_off(self):
        """Lists drawn as cards whose lines are wider than their panel: what a phone would not show."""
        return self.page.evaluate(
            "[...document.querySelectorAll('.table-scroll:has(> .cards)')].filter(box =>"
            " box.scrollWidth > box.clientWidth + 1).map(box => box.innerText.slice(0, 80))"
        )

    def look(self, where, *looks):
        """The page that is open, in each theme at each width, without loading it again."""
        for scheme, width in looks:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours change at once
            self.page.set_viewport_size({"width": width, "height": 900})
            assert self.violations() == [], (where, scheme, width)
            assert self.overflow() <= 0, (where, scheme, width)
            assert self.cut_off() == [], (where, scheme, width)

    def swap(self):
        """Submit the page's first form of filters by htmx; whether there was one to submit."""
        return self.page.evaluate(
            "() => new Promise((done, failed) => { const form = document.querySelector('form[hx-get]');"
            " if (!form) return done(false); setTimeout(() => failed(new Error('no swap')), 9000);"
            " document.body.addEventListener('htmx:afterSettle', () => done(true), { once: true });"
            " form.requestSubmit(); })"
        )

    def overflow(self):
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def watched(browser, site):
    made = []

    def open_page(**options):
        made.append(Watched(browser, site, **options))
        return made[-1]

    yield open_page
    for one in made:
        one.context.close()
        assert one.faults == []


EVERY_PAGE = [("light", 320), ("dark", 1280)]
"""Each theme and each width, once."""
SEEN_FIRST = [("light", 1280), ("dark", 320)]
"""The other way round."""


def walk(one, pages, also=(), *, swaps=False):
    """Look at pages that need nobody, sign in, and look at `pages`, at those of `also` the other way round too."""
    for index, path in enumerate([*OPEN, *pages]):
        if index == len(OPEN):
            one.sign_in()
        one.page.goto(path)
        one.look(path, *EVERY_PAGE, *(SEEN_FIRST if path in also or path in OPEN else ()))
        if swaps and one.swap():
            one.look(f"{path}, swapped", *EVERY_PAGE)


@pytest.fixture
def payment(api):
    """The address of a payment with a refund and a description that no column holds, beside much money and long names."""
    paid = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    intent = api.post("/v1/payment_intents", {**paid, "description": "a very long description " * 20}).json()
    api.post("/v1/payment_intents", {**paid, "amount": 98_765_432, "currency": "mkd"})
    name = "Друштво за производство, трговија и услуги со многу долго име ДООЕЛ увоз-извоз Скопје"
    api.post("/v1/customers", {"name": name, "email": "a.very.long.address.of.somebody@a-long-subdomain.example.com"})
    api.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 500})
    return f"/o/acme/test/payments/{intent['id']}"


@pytest.fixture
def every_page(api, caller, payment):
    """Addresses of every page of the dashboard, with something on it; of its lists also when they are empty."""
    pages = [
        reverse(name, args=["acme", "test", *(page.arguments(api, caller) if page.arguments else {}).values()])
        for name, page in PAGES.items()
        if name not in FILES and "GET" in page.methods
    ]
    return [*SIGNED_IN, *EMPTY, *pages, payment, f"{payment}?tab=json"]


def test_every_page_is_accessible_and_fits(watched, every_page, payment):
    """In both themes and at both widths; the pages seen first in all four ways."""
    first = [
        "/o/acme/test/",
        "/o/acme/live/",
        "/o/acme/test/payments",
        "/o/acme/live/payments",
        "/o/acme/test/developers/api-keys",
        "/o/acme/test/developers/api-keys/new",
    ]
    walk(watched(), every_page, [*SIGNED_IN, *first, payment, f"{payment}?tab=json"])


@pytest.mark.soak
@pytest.mark.parametrize("language", ["en", "mk", "sq", "sr", "sr-Latn"])
def test_every_page_is_accessible_in_every_language_and_after_each_swap(watched, every_page, language):
    walk(watched(locale=language), every_page, swaps=True)


def test_filters_swap_the_results_and_the_back_button_undoes_it(watched, api):
    api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"})
    one = watched()
    one.sign_in()
    one.page.goto("/o/acme/test/payments")
    one.page.select_option("#id_status", "succeeded")
    one.page.wait_for_selector("text=Nothing matches")
    assert one.page.url.endswith("/payments?status=succeeded")  # what is not set stays out of the address
    assert one.violations() == []
    one.page.go_back()
    one.page.wait_for_selector("tbody tr")
    assert "status" not in one.page.url


def test_menus_open_by_keyboard_and_close_on_escape(watched):
    one = watched()
    one.sign_in()
    one.page.focus("[popovertarget=account]")
    one.page.keyboard.press("Enter")
    assert one.page.is_visible("#account")
    assert one.violations() == []
    one.page.keyboard.press("Escape")
    assert not one.page.is_visible("#account")
    assert one.page.evaluate("document.activeElement.getAttribute('popovertarget')") == "account"


def test_a_phone_closes_its_menu_by_the_button_in_it(watched):
    one = watched(width=375)
    one.sign_in()
    one.page.click("[popovertarget=rail].bar-menu")
    assert one.page.is_visible("#rail")
    assert one.violations() == []
    one.page.click(".rail-close")
    assert not one.page.is_visible("#rail")
    assert one.page.evaluate("document.activeElement.className").endswith("bar-menu")


def test_the_rail_shows_where_one_is_in_a_low_window(watched):
    one = watched()
    one.sign_in()
    one.page.set_viewport_size({"width": 1280, "height": 500})
    one.page.goto("/o/acme/test/support-access")
    bottom = one.page.evaluate("document.querySelector('.rail [aria-current=page]').getBoundingClientRect().bottom")
    assert 0 < bottom <= 500
    assert one.page.evaluate("scrollY") == 0


def test_a_refused_form_keeps_what_was_typed_and_opens_at_what_is_wrong(watched):
    one = watched(width=375)
    one.sign_in()
    one.page.goto("/o/acme/test/developers/apps/new")
    one.page.fill("[name=name]", "Ledger Lens")
    one.page.fill("[name=homepage]", "nowhere")
    one.page.evaluate("document.querySelector('main form').noValidate = true")
    one.page.click("main button[type=submit]")
    one.page.wait_for_selector("main .error")
    assert one.page.evaluate("document.activeElement.name") == "homepage"
    assert (one.page.input_value("[name=name]"), one.page.input_value("[name=homepage]")) == ("Ledger Lens", "nowhere")
    assert one.violations() == []
    one.faults = [fault for fault in one.faults if "status of 422" not in fault]  # the browser's note of the refusal


def test_pages_that_look_again_by_themselves_and_pagers_leave_the_console_clean(watched, api):
    for _ in range(26):  # a page and one
        api.post("/v1/customers", {"name": "Ana"})
    one = watched()
    one.sign_in()
    for path in ("/o/acme/test/", "/o/acme/test/break-something"):
        one.page.goto(path)
        with one.page.expect_response(lambda response: response.request.headers.get("hx-request") == "true"):
            pass
    one.page.goto("/o/acme/test/customers")
    with one.page.expect_response(lambda response: response.request.headers.get("hx-request") == "true"):
        one.page.click("#results [rel=next]")
    one.page.wait_for_selector("#results [rel=prev]")


def test_the_skip_link_is_first_and_leads_to_the_content(watched):
    one = watched()
    one.sign_in()
    one.page.keyboard.press("Tab")
    assert one.page.evaluate("document.activeElement.className") == "skip"
    one.page.keyboard.press("Enter")
    assert one.page.evaluate("document.activeElement.id") == "main"


def test_a_new_secret_can_be_copied(watched):
    one = watched()
    one.sign_in()
    one.page.goto("/o/acme/test/developers/api-keys/new")
    one.page.fill("[name=name]", "Browser")
    one.page.click("main button[type=submit]")
    secret = one.page.inner_text(".secret code")
    one.page.click("text=Copy secret")
    one.page.wait_for_selector(".copied")
    assert one.page.evaluate("navigator.clipboard.readText()") == secret
    assert one.page.inner_text("#announcer") == "Copied"
    one.page.evaluate(
        "document.querySelector('.secret button').classList.add('copied')"
    )  # which it loses after a moment
    assert one.violations() == []


def test_a_chosen_theme_wins_over_the_system(watched):
    one = watched(scheme="light")
    one.sign_in()
    before = one.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    one.page.click("[popovertarget=account]")
    one.page.click("button[value=dark]")
    one.page.wait_for_selector("html[data-theme=dark]")
    assert one.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before


def test_the_core_works_without_a_script(watched):
    """Sign in, make a key, filter payments and revoke the key, with JavaScript switched off."""
    one = watched(scripts=False)
    one.sign_in()
    one.page.goto("/o/acme/test/developers/api-keys/new")
    one.page.fill("[name=name]", "No script")
    one.page.click("main button[type=submit]")
    assert one.page.inner_text(".secret code").startswith("fc_test_")
    assert not one.page.is_visible("text=Copy secret")
    one.page.goto("/o/acme/test/payments")
    one.page.select_option("#id_status", "succeeded")
    one.page.click("text=Filter")
    assert "status=succeeded" in one.page.url
    one.page.goto("/o/acme/test/developers/api-keys")
    one.page.click("tr:has-text('No script') a:has-text('Revoke')")
    one.page.click("main button[type=submit]")
    assert one.page.is_visible("text=is revoked")


def opened_palette(one):
    one.page.keyboard.press("Control+k")
    one.page.wait_for_selector("#palette[open] #palette-results a")


def test_the_palette_is_driven_by_keys_alone(watched, api):
    made = api.post("/v1/customers", {"name": "Ana Petrovska", "email": "ana@example.com"}).json()
    one = watched()
    one.sign_in()
    opened_palette(one)
    assert one.violations() == []
    one.page.keyboard.type("petrovska")
    one.page.wait_for_selector("#palette-results a:has-text('Ana Petrovska')")
    assert one.violations() == []
    one.page.keyboard.press("ArrowDown")
    assert "Ana Petrovska" in one.page.evaluate("document.activeElement.textContent")
    one.page.keyboard.press("ArrowUp")
    assert one.page.evaluate("document.activeElement.id") == "palette-query"
    one.page.keyboard.press("Escape")
    assert not one.page.is_visible("#palette")
    opened_palette(one)
    one.page.wait_for_selector("#palette-results a:has-text('Ana Petrovska')")
    one.page.keyboard.press("ArrowDown")
    one.page.keyboard.press("Enter")
    one.page.wait_for_url(f"**/customers/{made['id']}")


def test_enter_in_the_palette_opens_a_whole_id(watched, payment):
    one = watched(scheme="dark", width=375)
    one.sign_in()
    opened_palette(one)
    one.page.keyboard.insert_text(payment.rsplit("/", 1)[1])
    one.page.wait_for_selector("#palette-results a:has-text('Open this payment intent')")
    assert one.violations() == []
    assert one.overflow() <= 0
    one.page.keyboard.press("Enter")
    one.page.wait_for_url(f"**{payment}")


def test_single_keys_go_places_until_they_are_switched_off(watched):
    one = watched()
    one.sign_in()
    one.page.keyboard.press("g")
    one.page.keyboard.press("l")
    one.page.wait_for_url("**/developers/logs")
    one.page.focus("#id_path")
    one.page.keyboard.type("/v1?gh")
    assert one.page.input_value("#id_path") == "/v1?gh", "keys are text in a field"
    one.page.evaluate("document.activeElement.blur()")
    one.page.keyboard.press("?")
    assert one.page.is_visible("#shortcuts")
    assert one.violations() == []
    assert one.page.is_visible("#shortcuts dd:has-text('Request log')")
    one.page.uncheck("#shortcuts-on")
    one.page.keyboard.press("Escape")
    for key in ("?", "/", "g", "h"):
        one.page.keyboard.press(key)
    assert not one.page.is_visible("dialog[open]")
    assert "/developers/logs" in one.page.url
    one.page.reload()
    one.page.keyboard.press("?")
    assert not one.page.is_visible("#shortcuts"), "the switch is kept"
    opened_palette(one)


def test_a_filter_that_htmx_set_is_saved_found_again_and_its_deletion_undone(watched, api):
    api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"})
    one = watched()
    one.sign_in()
    one.page.goto("/o/acme/test/payments")
    one.page.select_option("#id_status", "succeeded")
    one.page.wait_for_selector("text=Nothing matches")
    one.page.click("text=Save this filter")
    one.page.fill("#id_filter_name", "Paid")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector(".chip[aria-current]:has-text('Paid')")
    assert one.page.url.endswith("/payments?status=succeeded")
    assert one.page.is_visible(".toast:has-text('is saved')")
    assert one.violations() == []
    one.page.click("text=Rename or delete")
    one.page.click("main button:has-text('Delete')")
    one.page.click(".toast button:has-text('Undo')")
    one.page.wait_for_selector(".toast:has-text('is back')")
    assert one.page.is_visible("main code:has-text('status=succeeded')")


def test_a_list_that_did_not_come_says_so_and_offers_to_try_again(watched, api):
    api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"})
    one = watched()
    one.sign_in()
    one.page.goto("/o/acme/test/payments")
    one.page.route("**/payments?status=succeeded", lambda route: route.fulfill(status=500, body="broken"))
    one.page.select_option("#id_status", "succeeded")
    one.page.wait_for_selector("#results[role=alert]")
    assert one.page.is_visible(".toast.error[role=alert]")
    assert one.violations() == []
    one.page.unroute("**/payments?status=succeeded")
    one.page.click("#results a:has-text('Try again')")
    one.page.wait_for_selector("text=Nothing matches")
    assert one.page.url.endswith("/payments?status=succeeded")
    assert [fault for fault in one.faults if "500" not in fault and "Response Status" not in fault] == []
    one.faults.clear()


def focused(one):
    """What has the focus: the text of a control, or the id of a part."""
    return one.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def test_a_list_drawn_anew_keeps_the_focus(watched, api):
    """Another page of it is the list itself; a list that did not come, the way to try again."""
    for number in range(26):
        api.post("/v1/customers", {"name": f"Customer {number:02}"})
    one = watched()
    one.sign_in()
    one.page.goto("/o/acme/test/customers")
    one.page.focus("#results a:has-text('Older')")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("#results a:has-text('Newer')")
    assert focused(one) == "results"
    one.page.keyboard.press("Tab")
    assert focused(one) == "Customer 00"
    assert one.faults == []
    one.page.route("**/customers?before=*", lambda route: route.fulfill(status=500, body="broken"))
    one.page.focus("#results a:has-text('Newer')")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("#results[role=alert]")
    assert focused(one) == "Try again"
    one.faults.clear()


def test_a_list_that_looks_by_itself_leaves_the_focus_where_it_is(watched, api):
    """The panel asks again and again what was tried; whoever stands at a line of it stays there, or comes to the list."""
    one = watched()
    one.sign_in()
    api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"})
    one.page.goto("/o/acme/test/break-something")
    one.page.focus("#results a >> nth=0")
    at = focused(one)
    swapped = (
        "new Promise((done) => document.addEventListener('htmx:afterSettle', done, { once: true })).then(() => {})"
    )
    one.page.evaluate(swapped)
    assert focused(one) == at
    one.page.evaluate("document.activeElement.href = '/gone'")
    one.page.evaluate(swapped)
    assert focused(one) == "results"


def test_toasts_dismissed_by_keyboard_give_the_focus_back(watched):
    one = watched()
    one.sign_in()
    one.page.goto("/o/acme/test/payments")
    one.page.evaluate("toast('error', 'One'); toast('error', 'Two')")
    one.page.focus("#id_status")
    one.page.focus(".toast:has-text('One') [data-dismiss]")
    one.page.keyboard.press("Enter")
    assert one.page.evaluate("document.activeElement.closest('.toast').innerText.trim()") == "Two"
    one.page.keyboard.press("Enter")
    assert focused(one) == "id_status"


def test_a_slow_list_keeps_its_rows_where_they_are(watched, api):
    api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"})
    one = watched()
    one.sign_in()
    one.page.goto("/o/acme/test/payments")
    held = []
    one.page.route("**/payments?status=*", lambda route: held.append(route))
    before = one.page.evaluate("document.querySelector('#results tbody tr').getBoundingClientRect().height")
    one.page.select_option("#id_status", "canceled")
    one.page.wait_for_selector("#results.htmx-request")
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(one.page.locator("#results tbody td").nth(2)).to_have_css("color", "rgba(0, 0, 0, 0)")
    assert one.page.evaluate("document.querySelector('#results tbody tr').getBoundingClientRect().height") == before
    assert one.page.is_disabled("form.filters button[type=submit]")
    held[0].continue_()
    one.page.wait_for_selector("text=Nothing matches")
    assert not one.page.is_disabled("form.filters button[type=submit]")


def test_first_steps_turn_green_by_themselves_and_keep_the_key(watched, api, environment):
    """A key by one click; the first request ticks its line without a reload, and the next command still holds the key."""
    from connect.kit import clock
    from connect.models import ApiKey
    from connect.services import request_log_drain, request_logs

    ApiKey.objects.filter(environment_id=environment.id).update(revoked_at=clock.wall())
    one = watched()
    one.sign_in()
    one.page.click("text=Create a test key")
    secret = one.page.inner_text(".secret code")
    assert one.violations() == []
    api.headers["authorization"] = f"Bearer {secret}"
    assert api.get("/v1/balance").status_code == 200
    request_logs.buffer.flush()
    request_log_drain.drain()
    one.page.wait_for_selector("text=2 of 7 done")
    assert secret in one.page.inner_text("#code-payment")
    assert one.page.inner_text("#announcer") == "First steps: 2 of 7 done"
    assert one.violations() == []
