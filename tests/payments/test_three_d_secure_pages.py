"""The issuer's page: what it shows, to whom, under which policy, and in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.test import Client

from connect.kit import ids
from tests.payments.payer import Payer

ASKS = "pm_card_authenticationRequired"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "tests" / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def payer() -> Payer:
    return Payer()


@pytest.fixture
def waiting(intent):
    def make(**given):
        return intent(payment_method=ASKS, confirm=True, **{"return_url": "https://shop.test:8443/x", **given})

    return make


def test_amount_payee_and_card_are_shown(waiting, payer):
    page = payer.open(waiting(amount=123456, currency="mkd")).content.decode()
    for shown in ("Acme", "1,234.56 MKD".replace(" ", "\N{NO-BREAK SPACE}"), "Visa •••• 3184"):
        assert shown in page
    assert "3184" * 2 not in page


def test_a_card_that_is_only_saved_says_that_nothing_is_charged(api, payer):
    found = api.post("/v1/setup_intents", {"payment_method": ASKS, "confirm": True}).json()
    page = payer.open(found).content.decode()
    assert "Confirm that this card is kept" in page
    assert "Nothing is charged now" in page


def test_the_policy_lets_the_form_lead_to_the_merchant_and_nowhere_else(waiting, payer):
    answer = payer.open(waiting())
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["form-action"] == "'self' https://shop.test:8443"
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert "no-store" in answer["Cache-Control"]
    assert (answer["X-Frame-Options"], answer["Referrer-Policy"]) == ("DENY", "same-origin")
    assert "<script" not in answer.content.decode()


@pytest.mark.parametrize(("by", "told"), [("complete", "<h1>Confirmed</h1>"), ("fail", "<h1>Not confirmed</h1>")])
def test_without_a_way_back_the_page_says_how_it_ended(intent, payer, by, told):
    found = intent(payment_method=ASKS, confirm=True)
    answer = payer.answer(found, by)
    assert (answer.status_code, answer["Location"]) == (303, payer.path(found))
    page = payer.open(found)
    assert told in page.content.decode()
    assert "form-action 'self';" in page["Content-Security-Policy"] + ";"


@pytest.mark.parametrize("what", ["secret", "environment", "other", "live", "shape", "empty"])
def test_a_wrong_address_is_not_there(what, waiting, payer, environments):
    """Another environment's name before the secret finds nothing, nor does a secret before nobody's."""
    path = payer.path(waiting())
    before, _, token = path.rpartition("/")
    short_id, _, secret = token.partition(".")
    wrong = {
        "secret": f"{short_id}.{ids.base62(7, 22)}",
        "environment": f"{'a' * len(short_id)}.{secret}",
        "other": f"{environments['other/test'].short_id}.{secret}",
        "live": f"{environments['acme/live'].short_id}.{secret}",
        "shape": secret,
        "empty": f"{short_id}.",
    }[what]
    for method in ("get", "post"):
        answer = getattr(payer.client, method)(f"{before}/{wrong}", {"answer": "complete"})
        assert answer.status_code == 404
        assert "Acme" not in answer.content.decode()


def test_no_cookie_is_asked_for_or_set(waiting, payer):
    """A payer whose browser keeps no cookies can pay; the secret in the address is the only authority."""
    found = waiting()
    assert payer.open(found).cookies == {}
    strict = Payer(Client(enforce_csrf_checks=True))
    assert strict.answer(found, "complete").status_code == 303


@pytest.mark.parametrize(
    ("code", "lang", "title", "amount"),
    [
        ("en", "en", "Confirm this payment", "1,234.56 MKD"),
        ("mk", "mk", "Потврдете го ова плаќање", "1.234,56 MKD"),
        ("sq", "sq", "Konfirmoni këtë pagesë", "1 234,56 MKD"),
        ("sr", "sr-Cyrl", "Потврдите ово плаћање", "1.234,56 MKD"),
        ("sr-latn", "sr-Latn", "Potvrdite ovo plaćanje", "1.234,56 MKD"),
    ],
)
def test_it_speaks_the_payers_language(waiting, payer, code, lang, title, amount):
    found = waiting(amount=123456, currency="mkd")
    by_address = payer.client.get(f"{payer.path(found)}?lang={code}")
    by_browser = payer.client.get(payer.path(found), headers={"accept-language": code})
    for answer in (by_address, by_browser):
        page = answer.content.decode()
        assert f'<html lang="{lang}">' in page
        assert f"<h1>{title}</h1>" in page
        assert amount.replace(" ", "\N{NO-BREAK SPACE}") in page
        assert answer["Content-Language"] == code
    assert f'action="{payer.path(found)}?lang={code}"' in by_address.content.decode()


def test_every_text_is_translated():
    """Each text of the template stands in every catalog."""
    import re

    template = (ROOT / "templates/three_d_secure/challenge.html").read_text(encoding="utf-8")
    texts = re.findall(r'\{% translate [\'"](.+?)[\'"] %\}', template)
    texts += [
        re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", text)
        for text in re.findall(r"\{% blocktranslate[^%]*%\}(.*?)\{% endblocktranslate %\}", template)
    ]
    assert len(texts) > 25
    for language in ("mk", "sq", "sr", "sr_Latn"):
        known = (ROOT / f"locale/{language}/LC_MESSAGES/django.po").read_text(encoding="utf-8")
        assert [text for text in texts if f'msgid "{text}"\n' not in known] == [], language


def test_it_takes_the_methods_it_has(waiting, payer):
    found = waiting()
    assert payer.client.head(payer.path(found)).status_code == 200
    for method in ("put", "patch", "delete"):
        assert getattr(payer.client, method)(payer.path(found)).status_code == 405


# --- in a browser ---


@pytest.fixture(scope="module")
def browser():
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
def page_of(browser, live_server):
    """`page_of(intent, scheme="dark", width=320)` is the page; `leads_to` is where else it may lead."""
    made, faults = [], []

    def open_page(found, *, scheme="light", width=1280, leads_to="data:"):
        context = browser.new_context(
            base_url=live_server.url, color_scheme=scheme, viewport={"width": width, "height": 800},
        )  # fmt: skip
        made.append(context)
        page = context.new_page()
        page.on("console", lambda message: "status of 404" in message.text or faults.append(message.text))
        page.on(
            "request", lambda request: request.url.startswith((live_server.url, leads_to)) or faults.append(request.url)
        )
        page.goto(Payer().path(found))
        return page

    yield open_page
    for context in made:
        context.close()
    assert faults == []


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 320), ("dark", 320)])
def test_every_state_of_the_page_is_accessible_and_fits(page_of, live_server, waiting, act, scheme, width):
    found = waiting(return_url=f"{live_server.url}/healthz")
    page = page_of(found, scheme=scheme, width=width)

    def check():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("rules => axe.run({ runOnly: rules }).then(result => result.violations)", RULES)
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0

    check()
    page.fill("#code", "1")
    page.click("button[value=code]")
    page.wait_for_selector("#code-error")
    check()
    act(found, "cancel")
    page.reload()
    page.wait_for_selector("text=nothing to confirm here")
    check()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_the_browser_follows_the_form_to_the_merchant(page_of, live_server, waiting, api):
    """The policy allows the redirect after the form: a browser that held it against the merchant would stay."""
    shop = live_server.url.replace("localhost", "127.0.0.1")
    assert shop != live_server.url
    found = waiting(return_url=f"{shop}/healthz")
    page = page_of(found, leads_to=shop)
    page.click("button[value=complete]")
    page.wait_for_url("**/healthz?payment_intent=*")
    assert "redirect_status=succeeded" in page.url
    assert api.get(f"/v1/payment_intents/{found['id']}").json()["status"] == "succeeded"
