"""A person's own pages: settings, security, sessions, history."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail, signing
from django.test import Client
from django.urls import reverse

from connect.models import SignIn
from tests.login.conftest import PASSWORD, is_signed_in, set_up_app, sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"


class AsItIs:
    """What stands in the table, once its signature is taken off."""

    def loads(self, data):
        return data


@pytest.fixture
def mira(person):
    return person("mira@shop.example", "owner")


@pytest.fixture
def pages(mira):
    client = Client(headers={"user-agent": FIREFOX})
    sign_in(client, mira.email)
    return client


@pytest.mark.parametrize(
    "path",
    ["/account", "/account/sessions", "/account/sign-ins", "/accounts/2fa/", "/accounts/email/",
     "/accounts/password/change/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/"],
)  # fmt: skip
def test_each_page_is_in_our_design_and_offers_the_others(pages, path, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        page = pages.get(path).content.decode()
    for other in ("/account", "/accounts/2fa/", "/account/sessions", "/account/sign-ins"):
        assert f'href="{other}"' in page
    assert "aria-current" in page
    assert " style=" not in page
    assert "<style" not in page


def test_the_settings_of_a_person_are_kept(pages, mira):
    form = {"name": "Mira Ilieva", "locale": "mk", "time_zone": "Europe/Belgrade", "theme": "dark"}
    answer = pages.post("/account", form)
    assert (answer.status_code, answer["Location"]) == (302, "/account")
    assert answer.cookies["fc_theme"].value == "dark"
    mira.refresh_from_db()
    assert (mira.name, mira.locale, mira.time_zone) == ("Mira Ilieva", "mk", "Europe/Belgrade")


@pytest.mark.parametrize("wrong", [{"locale": "tlh"}, {"time_zone": "Mars/Olympus"}, {"theme": "pink"}])
def test_a_setting_that_does_not_exist_is_refused_and_nothing_is_changed(pages, mira, wrong):
    form = {"name": "Mira", "locale": "mk", "time_zone": "Europe/Belgrade", "theme": "dark", **wrong}
    assert pages.post("/account", form).status_code == 422
    mira.refresh_from_db()
    assert (mira.name, mira.locale, mira.time_zone) == ("", "en", "Europe/Skopje")


def test_the_dashboard_leads_to_the_account(pages):
    assert 'href="/account"' in pages.get("/o/acme/test/").content.decode()


def test_one_session_is_ended_and_the_others_live_on(pages, mira):
    lost, kept = Client(headers={"user-agent": CHROME}), Client()
    sign_in(lost, mira.email)
    sign_in(kept, mira.email)
    found = pages.get("/account/sessions").context["sessions"]
    assert [session.is_current for session in found] == [True, False, False]
    chosen = next(session for session in found if session.device == "Chrome on Windows")
    assert pages.post(f"/account/sessions/{chosen.id}/end").status_code == 302
    assert (is_signed_in(lost), is_signed_in(kept), is_signed_in(pages)) == (False, True, True)


def test_all_other_sessions_are_ended_at_once(pages, mira):
    others = [Client(), Client()]
    for other in others:
        sign_in(other, mira.email)
    pages.post("/account/sessions/end-others")
    assert [is_signed_in(client) for client in (pages, *others)] == [True, False, False]


def test_the_session_of_somebody_else_is_not_there(pages, person):
    other = person("other@shop.example")
    theirs = Client()
    sign_in(theirs, other.email)
    session = theirs.get("/account/sessions").context["sessions"][0]
    assert pages.post(f"/account/sessions/{session.id}/end").status_code == 404
    assert is_signed_in(theirs)


def test_the_history_tells_success_and_failure_and_which_browser(pages, mira):
    sign_in(Client(headers={"user-agent": CHROME}), mira.email, "a wrong password")
    rows = pages.get("/account/sign-ins").context["rows"]
    assert [(row.info.outcome, row.info.method, row.info.device) for row in rows] == [
        ("failed", "password", "Chrome on Windows"),
        ("succeeded", "password", "Firefox on Linux"),
    ]
    assert [row.info.ip for row in rows] == ["127.0.0.1"] * 2


def test_the_history_goes_on_on_the_next_page_without_a_gap(pages, mira):
    SignIn.objects.bulk_create(SignIn(user=mira, outcome="failed", method="password") for _ in range(60))
    first = pages.get("/account/sign-ins")
    second = pages.get(f"/account/sign-ins?before={first.context['older']}")
    shown = [row.info.id for page in (first, second) for row in page.context["rows"]]
    assert len(shown) == len(set(shown)) == 61
    assert shown == sorted(shown, reverse=True)


def test_the_history_of_somebody_else_is_not_shown(pages, person):
    other = person("other@shop.example")
    sign_in(Client(), other.email, "a wrong password")
    assert len(pages.get("/account/sign-ins").context["rows"]) == 1


def test_a_new_device_is_told_of_by_mail_and_a_known_one_is_not(mira):
    known = Client()
    sign_in(known, mira.email)
    assert mail.outbox == []  # the first of all is no news
    known.post("/accounts/logout/")
    sign_in(known, mira.email)
    assert mail.outbox == []
    sign_in(Client(headers={"user-agent": CHROME}), mira.email)
    assert [(sent.subject, sent.to) for sent in mail.outbox] == [("New sign-in to your account", [mira.email])]
    assert "Chrome/128" in mail.outbox[0].body
    assert re.search(r"When: \d{1,2} \w+ \d{4}, \d\d:\d\d UTC", mail.outbox[0].body)
    assert SignIn.objects.filter(user=mira, is_new_device=True).count() == 1


def test_a_forged_device_cookie_is_no_known_device(mira):
    sign_in(Client(), mira.email)
    forger = Client()
    forger.cookies["fc_device"] = "WyJhIl0:forged:forged"
    sign_in(forger, mira.email)
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_factors_that_come_and_go_are_told_of_by_mail(pages):
    set_up_app(pages)
    assert [sent.subject for sent in mail.outbox] == ["An authenticator app was added"]
    pages.post("/accounts/2fa/totp/deactivate/")
    assert mail.outbox[-1].subject == "Your authenticator app was removed"
    assert "If this was not you" in mail.outbox[-1].body


def test_what_a_session_holds_is_sealed(pages):
    """The key of an app that is not switched on yet waits there: who reads the table, or a backup of it, finds none."""
    secret = pages.get("/accounts/2fa/totp/activate/").context["form"].secret
    kept = [
        signing.loads(row.session_data, salt=SessionStore().key_salt, serializer=AsItIs)
        for row in Session.objects.all()
    ]
    assert kept
    assert not any(secret.encode() in each or b"account" in each for each in kept)
    assert pages.get("/accounts/2fa/totp/activate/").status_code == 200
    assert pages.session["mfa.totp.secret"]


def test_a_session_under_a_key_that_is_gone_is_none(pages):
    row = Session.objects.get()
    row.session_data = signing.dumps({"_auth_user_id": "1"}, salt=SessionStore().key_salt, compress=True)
    row.save()
    assert pages.get("/account").status_code == 302


def test_recovery_codes_are_shown_once_downloaded_and_made_anew(pages):
    _, codes = set_up_app(pages)
    assert len(set(codes)) == 10
    again = pages.get("/accounts/2fa/recovery-codes/").content.decode()
    assert not any(code in again for code in codes)
    assert pages.get("/accounts/2fa/recovery-codes/download/").status_code == 403
    answer = pages.post("/accounts/2fa/recovery-codes/generate/")
    page = pages.get(answer["Location"])
    shown = page.content.decode()
    fresh = re.findall(r"<li><code>(\d{8})</code></li>", shown)
    assert len(set(fresh) - set(codes)) == 10
    file = re.search(r'download="[^"]+" href="data:text/plain;charset=utf-8,([^"]+)"', shown)
    assert file is not None
    assert all(code in file[1] for code in fresh)
    assert "no-store" in page["Cache-Control"]


def test_the_address_is_changed_only_when_the_new_one_is_confirmed(pages, mira):
    pages.post("/accounts/email/", {"email": "new@shop.example", "action_add": "1"})
    mira.refresh_from_db()
    assert mira.email == "mira@shop.example"
    (sent,) = mail.outbox
    assert sent.to == ["new@shop.example"]
    link = re.search(r"/accounts/confirm-email/\S+", sent.body)
    assert link is not None
    pages.post(link[0])
    mira.refresh_from_db()
    assert mira.email == "new@shop.example"
    assert mail.outbox[-1].to == ["mira@shop.example"]
    sign_in(client := Client(), "new@shop.example", PASSWORD)
    assert is_signed_in(client)


def test_whoever_has_a_second_factor_can_change_their_address_too(pages, mira):
    set_up_app(pages)
    pages.post("/accounts/email/", {"email": "new@shop.example", "action_add": "1"})
    assert mail.outbox[-1].to == ["new@shop.example"]


def test_an_address_of_somebody_else_is_not_told(pages, mira, person):
    """Changing to an address that has an account looks the same as to one that has none."""
    person("taken@shop.example")
    taken = pages.post("/accounts/email/", {"email": "taken@shop.example", "action_add": "1"})
    assert (taken.status_code, taken["Location"]) == (302, reverse("account_email"))
    assert len(mail.outbox) == 1
