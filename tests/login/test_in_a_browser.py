"""Signing in, and what a signed-in person sees, in Chromium: passkeys, hostile names, and what is left after signing out.

Chromium's virtual authenticator stands for the device that holds a passkey.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from connect.models import Organization, SignIn
from connect.services import api_keys
from tests.login.conftest import PASSWORD, links_in, sign_in

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.django_db(transaction=True),
]
AXE = Path(__file__).resolve().parents[1] / "browser" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
REPORTS = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""
"""What the browser would have sent to a report address: each breach of the content security policy."""


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
def mira(live_server, person):
    return person("mira@shop.example", "owner")


@pytest.fixture
def page(browser, live_server, mira):
    """A page of a fresh browser that notes every breach, dialog and error."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.add_init_script(REPORTS)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.faults = []
    page.on("dialog", lambda dialog: (page.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: page.faults.append(f"script: {error}"))
    page.on(
        "console",
        lambda message: (
            page.faults.append(message.text)
            if message.type in {"error", "warning"} and "status of 4" not in message.text
            else None
        ),
    )
    yield page
    context.close()


def enter(page, user):
    """Signed in without the form: the session's cookie is put into the browser."""
    client = Client()
    sign_in(client, user.email)
    site = page.goto("/healthz").url.removesuffix("/healthz")
    cookie = client.cookies["sessionid"]
    kept = {"name": "sessionid", "value": cookie.value, "url": site, "httpOnly": bool(cookie["httponly"])}
    page.context.add_cookies([kept])
    return client


def accessible(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run({ runOnly: rules }).then(result => result.violations)", RULES)
    return [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in found]


MARK = "http://evil.example/taken"
CORPUS = [
    "<script>window.taken=1</script>",
    '"><script>window.taken=2</script>',
    "'><img src=x onerror=window.taken=3>",
    '" autofocus onfocus="window.taken=4" x="',
    "</title></textarea></pre></code><svg/onload=window.taken=5>",
    '<div hx-get="/account" hx-trigger="load" hx-target="body">6</div>',
    '"><form hx-post="/account/sessions/end-others" hx-trigger="load" hx-vals="{}">7</form>',
    "<b hx-on:htmx:load='window.taken=8' hx-on::load='window.taken=8'>8</b>",
    '<a href="javascript:window.taken=9" id=nine>9</a>',
    "<style>*{background:url(http://evil.example/taken)}</style>",
    '<iframe srcdoc="<script>parent.taken=11</script>"></iframe>',
    '<meta http-equiv="refresh" content="0;url=http://evil.example/taken">',
    '<base href="http://evil.example/taken/">',
    "<link rel=stylesheet href=http://evil.example/taken.css>",
    "{{constructor.constructor('window.taken=15')()}}${window.taken=15}{% csrf_token %}",
    "<details open ontoggle=window.taken=16>",
    "<math><mtext><img src onerror=window.taken=17></mtext></math>",
    "\u2028<script>window.taken=18</script>\u2029",
    "</script><script>window.taken=19</script>",
    '<button data-copy="x" data-dismiss hx-delete="/account" popovertarget="account">20</button>',
]
"""Hostile text: for HTML, attributes, scripts, styles, frames, templates, and for htmx, which would obey `hx-` attributes."""


def poisoned(api, caller, user):
    """Write the corpus wherever somebody may write, and return the pages that show it."""
    pages = ["/account", "/account/sessions", "/account/sign-ins", "/accounts/2fa/"]
    user.name = CORPUS[0] + CORPUS[3]
    user.save()
    Organization.objects.filter(slug="acme").update(name="".join(CORPUS)[:120])
    for start in range(0, len(CORPUS), 4):
        some = CORPUS[start : start + 4]
        everything = "".join(some)
        metadata = {f"key{n}{text[:30].replace('[', '').replace(']', '')}": text for n, text in enumerate(some)}
        customer = api.post(
            "/v1/customers", {"name": everything[:250], "description": everything, "metadata": metadata}
        ).json()
        intent = api.post(
            "/v1/payment_intents",
            {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True,
             "customer": customer["id"], "description": everything, "metadata": metadata},
        ).json()  # fmt: skip
        hook = api.post(
            "/v1/webhook_endpoints",
            {"url": "https://shop.example.com/hooks", "enabled_events": ["*"], "description": everything[:300],
             "metadata": metadata},
        ).json()  # fmt: skip
        api_keys.create(caller, name=some[0][:80], scopes=["*"], expires_at=None, ip_allowlist=[])
        SignIn.objects.create(user=user, outcome="failed", method="password", user_agent=everything[:300])
        at = "/o/acme/test"
        pages += [
            f"{at}/customers/{customer['id']}", f"{at}/payments/{intent['id']}", f"{at}/payments/{intent['id']}?tab=json",
            f"{at}/developers/webhooks/{hook['id']}",
        ]  # fmt: skip
    events = api.get("/v1/events", {"limit": 3}).json()["data"]
    pages += [f"/o/acme/test/developers/events/{event['id']}" for event in events]
    pages += [f"/o/acme/test/{end}" for end in ("", "customers", "payments", "developers/api-keys", "developers/webhooks",
              "developers/events", "developers/logs", "checkout", "balance")]  # fmt: skip
    return pages


def test_row_54_hostile_text_runs_nowhere_and_breaks_no_policy(page, api, caller, mira):
    pages = poisoned(api, caller, mira)
    enter(page, mira)
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    reflected = [f"/o/acme/test/search?q={text}" for text in CORPUS[:6]]
    reflected += [
        f"/accounts/login/?next={CORPUS[1]}",
        f"/nothing/{CORPUS[2]}",
        f"/o/acme/test/payments?status={CORPUS[3]}",
    ]
    shown = 0
    for path in [*pages, *reflected]:
        page.goto(path, wait_until="load")
        shown += "taken=" in page.inner_text("body")
        found = page.evaluate(
            "({taken: window.taken ?? null, reports: window.reports,"
            " planted: document.querySelectorAll('main [hx-on\\\\:htmx\\\\:load], main [onerror], main [onload], main iframe,"
            ' main style, main script:not([src]):not([type="application/json"]), main base, main meta\').length})'
        )
        assert found == {"taken": None, "reports": [], "planted": 0}, path
    assert shown > 10, "the texts are to be seen, as text"
    assert [one for one in asked if one[0] != "GET" or "evil.example" in one[1]] == []
    assert page.faults == []


def test_row_54_the_page_would_tell_of_a_breach(page, mira):
    """So that the test above is not blind: an inline script that does get into a page is blocked, and reported."""
    enter(page, mira)
    page.goto("/account")
    reported = page.evaluate(
        "new Promise((done) => { document.addEventListener('securitypolicyviolation', (event) => done(event.sample));"
        " document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.taken=1>') })"
    )
    assert page.evaluate("window.reports.length") == 1, reported
    assert page.evaluate("window.taken ?? null") is None


def test_row_56_nothing_of_an_account_is_left_after_signing_out(page, api, mira):
    intent = api.post("/v1/payment_intents", {"amount": 777700, "currency": "eur", "description": "Secret deal"}).json()
    enter(page, mira)
    seen = [
        f"/o/acme/test/payments/{intent['id']}",
        "/o/acme/test/payments",
        "/o/acme/test/developers/api-keys",
        "/account",
    ]
    for path in seen:
        page.goto(path)
        assert re.search(r"Secret deal|7,777|mira@shop\.example", page.content()), "there is something to be left"
    page.goto("/o/acme/test/payments")
    page.select_option("#id_status", "requires_payment_method")  # htmx puts this into the history
    page.wait_for_url("**/payments?status=*")
    page.goto("/account")
    kept = "({...localStorage, ...sessionStorage})"
    # htmx notes the address one is at, as the browser's own history does, and nothing of what the page says.
    assert page.evaluate(kept).keys() <= {"htmx-current-path-for-history"}
    assert "sessionid" not in page.evaluate("document.cookie")
    page.click("text=Sign out")
    page.wait_for_url("**/accounts/login/**")
    for _ in range(len(seen) + 3):
        page.go_back(wait_until="load")
        body = page.content()
        assert not re.search(r"Secret deal|7,777|mira@shop\.example|Signed in as", body), page.url
        if page.url == "about:blank":
            break
    page.goto("/accounts/login/")
    assert page.evaluate(kept) in ({}, {"htmx-current-path-for-history": "/accounts/login/"})


def test_row_56_every_page_of_a_person_says_that_it_is_kept_nowhere(mira):
    client = Client()
    sign_in(client, mira.email)
    for path in ("/account", "/account/sessions", "/accounts/2fa/", "/accounts/email/", "/accounts/logout/", "/status",
                 "/organizations/new", "/o/acme/test/payments", "/nothing-here", "/mailbox"):  # fmt: skip
        assert "no-store" in client.get(path)["Cache-Control"], path


def test_a_newcomer_signs_up_confirms_and_comes_in(page):
    page.goto("/accounts/signup/")
    page.fill("[name=email]", "new@shop.example")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/accounts/confirm-email/")
    assert page.input_value("#id_email") == "new@shop.example"
    (sent,) = mail.outbox
    link = next(link for link in links_in(sent.body) if "confirm-email" in link)
    page.goto(link)
    page.click("main button[type=submit]")
    page.wait_for_url("**/organizations/new")
    assert page.evaluate("window.reports") == []
    assert page.faults == []


def test_an_app_is_set_up_by_its_picture_within_the_policy(page, mira):
    enter(page, mira)
    page.goto("/accounts/2fa/totp/activate/")
    assert page.evaluate("document.querySelector('img.qr').naturalWidth") > 100, "the picture is drawn"
    assert page.evaluate("window.reports") == []
    assert accessible(page) == []
    assert page.faults == []


def test_a_passkey_is_added_named_used_and_removed(page, mira):
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                     "isUserVerified": True, "automaticPresenceSimulation": True}},
    )  # fmt: skip
    enter(page, mira)
    under_way = []
    page.route("**/mfa/js/webauthn.*", lambda route: under_way.append(route))
    page.goto("/accounts/2fa/")
    page.click("text=Add a passkey")
    page.fill("[name=name]", "Mira's laptop")
    assert page.is_checked("[name=passwordless]")
    assert page.is_disabled("#mfa_webauthn_add"), "before its script has come, a click would do nothing"
    under_way.pop().continue_()
    page.unroute("**/mfa/js/webauthn.*")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    assert page.locator(".recovery-codes li").count() == 10
    with page.expect_download() as downloading:
        page.click("text=Download")
    kept = Path(downloading.value.path()).read_text(encoding="utf-8")
    assert page.locator(".recovery-codes code").all_inner_texts() == kept.split()[3:]
    assert [sent.subject for sent in mail.outbox] == ["A passkey was added"]

    page.goto("/accounts/2fa/")
    page.click("text=Rename")
    page.fill("[name=name]", "Work laptop")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Work laptop")

    page.click("text=Sign out")
    page.wait_for_url("**/accounts/login/**")
    page.click("#passkey_login")
    page.wait_for_url("**/o/acme/test/")
    assert SignIn.objects.latest("id").method == "passkey"

    page.goto("/accounts/2fa/")
    page.click("a:has-text('Remove')")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Passkeys")
    assert page.locator("text=Work laptop").count() == 0
    assert mail.outbox[-1].subject == "A passkey was removed"

    page.click("text=Sign out")
    page.wait_for_url("**/accounts/login/**")
    page.click("#passkey_login")
    page.wait_for_selector("text=Incorrect code")
    assert page.evaluate("window.reports") == []
    assert page.faults == []


def test_a_passkey_proves_who_it_is_and_is_a_second_step(page, mira):
    """Asked again before a secret, a passkey does instead of the password, and leads back; so it does after a password."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                     "isUserVerified": True, "automaticPresenceSimulation": True}},
    )  # fmt: skip
    client = enter(page, mira)
    page.goto("/accounts/2fa/webauthn/add/")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    session = client.session
    session["proved_at"] = 0
    session.save()
    wanted = reverse("dashboard:api_key_new", args=["acme", "test"])
    page.goto(wanted)
    page.click("text=Use a security key")
    page.click("#mfa_webauthn_reauthenticate")
    page.wait_for_url(f"**{wanted}")

    page.goto("/account")
    page.click("text=Sign out")
    page.wait_for_url("**/accounts/login/**")
    page.fill("[name=login]", mira.email)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_url("**/accounts/2fa/authenticate/")
    page.click("text=Use a passkey")
    page.wait_for_url("**/accounts/2fa/trust/")
    page.click("text=Ask me every time")
    page.wait_for_url("**/o/acme/test/")
    assert page.evaluate("window.reports") == []
    assert page.faults == []


def test_a_persons_pages_are_accessible_and_fit(browser, live_server, mira):
    context = browser.new_context(base_url=live_server.url, color_scheme="dark", viewport={"width": 320, "height": 900})
    context.add_init_script(REPORTS)
    page = context.new_page()
    for path in ("/accounts/signup/", "/accounts/confirm-email/", "/accounts/confirm-email/gone/",
                 "/accounts/password/reset/key/1-gone/", "/accounts/password/reset/key/done/", "/accounts/inactive/"):  # fmt: skip
        page.goto(path)
        assert accessible(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
    sign_in(Client(headers={"user-agent": "Mozilla/5.0 (iPhone) Safari/604.1"}), mira.email)
    sign_in(Client(), mira.email, "wrong wrong wrong")
    enter(page, mira)
    for path in ("/account", "/account/sessions", "/account/sign-ins", "/accounts/2fa/", "/accounts/email/",
                 "/accounts/password/change/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/",
                 "/accounts/reauthenticate/?next=/account"):  # fmt: skip
        page.goto(path)
        assert accessible(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
        assert page.evaluate("window.reports") == [], path
    context.close()
