"""An account comes into being when its address is confirmed, and nobody learns which addresses have one."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from connect.models import User
from tests.login.conftest import PASSWORD, is_signed_in, links_in, sign_in

NEW = "new@shop.example"
FORM = {"email": NEW, "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def browser(db):
    return Client()


def confirmation():
    return next(link for link in links_in(mail.outbox[-1].body) if "confirm-email" in link)


def test_nobody_comes_in_before_the_address_is_confirmed(browser):
    assert browser.post("/accounts/signup/", FORM)["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(browser)
    assert sign_in(browser, NEW)["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(browser)
    browser.post(confirmation())
    assert is_signed_in(browser), "in the browser that signed up, confirming is coming in"


def test_elsewhere_a_confirmed_address_signs_nobody_in(browser):
    browser.post("/accounts/signup/", FORM)
    other = Client()
    other.post(confirmation())
    assert not is_signed_in(other)
    sign_in(other, NEW)
    assert is_signed_in(other)


def test_looking_at_a_confirmation_confirms_nothing(browser):
    """Scanners of mail open every link."""
    browser.post("/accounts/signup/", FORM)
    assert Client().get(confirmation()).status_code == 200
    assert sign_in(Client(), NEW)["Location"] == "/accounts/confirm-email/"


def test_the_confirmation_is_sent_again_when_asked_and_not_without_end(browser, monkeypatch):
    from connect.kit import valkey

    browser.post("/accounts/signup/", FORM)
    valkey.client().flushdb()  # as if three minutes had passed
    for _ in range(5):
        answer = browser.post("/account/verification", {"email": NEW.upper()})
        assert answer["Location"] == "/accounts/confirm-email/"
    assert [sent.to for sent in mail.outbox] == [[NEW], [NEW]]
    browser.post(confirmation())
    assert is_signed_in(browser)


def test_sending_again_tells_nothing_about_an_address(browser, person):
    person("known@shop.example")
    browser.post("/accounts/signup/", FORM)
    mail.outbox.clear()
    shown = []
    for address in (NEW, "known@shop.example", "nobody@shop.example"):
        other = Client()
        page = other.post("/account/verification", {"email": address}, follow=True).content.decode()
        shown.append(re.sub(r'csrfmiddlewaretoken" value="[^"]+|req_\w+', "", page).replace(address, ""))
    assert len(set(shown)) == 1
    assert {tuple(sent.to) for sent in mail.outbox} <= {(NEW,)}


def test_nobodys_mailbox_is_filled_by_signing_up_with_its_address(browser, person):
    """Nor by asking for resets: what a stranger sees stays the same, or says the same for every address."""
    mira = person()
    form = {"email": mira.email, "password1": PASSWORD, "password2": PASSWORD}
    seen = {Client().post("/accounts/signup/", form)["Location"] for _ in range(4)}
    assert seen == {"/accounts/confirm-email/"}
    assert len(mail.outbox) == 1, "one in three minutes"
    mail.outbox.clear()
    for email in (mira.email, "nobody@shop.example"):
        answers = [Client().post("/accounts/password/reset/", {"email": email}).status_code for _ in range(8)]
        assert answers == [302] * 5 + [429] * 3
    assert len(mail.outbox) == 10


def test_what_is_no_address_is_refused_with_a_word(browser):
    page = browser.post("/account/verification", {"email": "not an address"}, follow=True).content.decode()
    assert "Write the e-mail address" in page
    assert mail.outbox == []


def test_signing_up_again_changes_nothing_of_the_account_there_is(browser, person):
    person(NEW)
    browser.post(
        "/accounts/signup/", {**FORM, "password1": "some other passphrase", "password2": "some other passphrase"}
    )
    assert User.objects.filter(email=NEW).count() == 1
    assert [sent.subject for sent in mail.outbox] == ["You already have an account"]
    assert not any("confirm-email" in link for link in links_in(mail.outbox[0].body))
    sign_in(browser, NEW)
    assert is_signed_in(browser), "with the password it always had"


@pytest.mark.parametrize("password", ["short", "password123", "1234567890", "new@shop.example"])
def test_a_weak_password_is_refused(browser, password):
    answer = browser.post("/accounts/signup/", {**FORM, "password1": password, "password2": password})
    assert answer.status_code == 200
    assert answer.context["form"].errors["password1"]
    assert not User.objects.filter(email=NEW).exists()


def test_row_54_no_form_of_an_account_is_taken_from_another_site(person):
    """Every address under /accounts and /account refuses a POST without the token that only our own page holds."""
    from tests.matrix.routes import routes

    client = Client(enforce_csrf_checks=True)
    client.force_login(person())
    asked = 0
    for route in routes():
        if not re.match(r"/accounts?(/|$)", route.path):
            continue
        path = re.sub(r"\{\w+\}", "1", route.path) + ("/" if route.path.startswith("/accounts") else "")
        assert client.post(path, {"email": NEW}).status_code == 403, path
        asked += 1
    assert asked > 25
