"""Passwords and codes cannot be guessed, used again or walked around, and nobody learns who has an account."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client

from connect.domain import tiers
from connect.models import SignIn, User
from tests.login.conftest import PASSWORD, is_signed_in, links_in, set_up_app, sign_in, totp

GUESSES = 60
"""More than the limiter lets through at once by a factor of six; `test_ten_thousand_guesses.py` makes more."""
NEW_PASSWORD = "another long passphrase"
NOBODY = "nobody@shop.example"


class Work:
    """Counts what costs time: hashed passwords and mails. Clocks lie on a busy machine; work does not."""

    def __init__(self, monkeypatch):
        self.hashed = 0
        encode = hashers.MD5PasswordHasher.encode

        def counted(hasher, *given):
            self.hashed += 1
            return encode(hasher, *given)

        monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counted)

    def of(self, act):
        hashed, mails = self.hashed, len(mail.outbox)
        answer = act()
        return answer, self.hashed - hashed, len(mail.outbox) - mails


@pytest.fixture
def work(monkeypatch):
    return Work(monkeypatch)


def side_by_side(act, what):
    """Do it for each in eight threads, and close the database connections that they opened."""

    def one(each):
        try:
            return act(each)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, what))


def plain(answer):
    """What a stranger sees, without what is new on every page."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"|req_\w+', "", answer.content.decode())
    body = re.sub(r'value="[^"@]+@shop\.example"', "", body)
    return answer.status_code, answer.get("Location"), body


@pytest.mark.django_db(transaction=True)
def test_row_57_guesses_enumeration_replay_reset_and_recovery_codes_are_blocked(person, work, monkeypatch):
    mira = person()
    # Many guesses, side by side: what the limiter lets through is its burst, and then not even the right password.
    answers = side_by_side(lambda n: sign_in(Client(), mira.email, f"guess number {n}"), range(GUESSES))
    tried = SignIn.objects.filter(user=mira, outcome="failed").count()
    locked = SignIn.objects.filter(user=mira, outcome="locked").count()
    assert 0 < tried <= tiers.SIGN_IN.burst
    assert 0 < locked <= 8, "noted once, give or take those at the same moment"
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert not is_signed_in(_after(sign_in, mira.email))
    _forget_limits()

    # Enumeration: an address with an account and one without look alike and cost alike, at all three doors.
    for act in (
        lambda email: sign_in(Client(), email, "a wrong password"),
        lambda email: Client().post("/accounts/password/reset/", {"email": email}),
        lambda email: Client().post(
            "/accounts/signup/", {"email": email, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        ),
    ):
        known, unknown = work.of(lambda act=act: act(mira.email)), work.of(lambda act=act: act(NOBODY))
        assert plain(known[0]) == plain(unknown[0])
        assert known[1:] == unknown[1:], "hashed passwords and mails"
    _forget_limits()

    # A second factor: the code that switched it on, and each one that signed in, is used up.
    browser = Client()
    sign_in(browser, mira.email)
    secret, codes = set_up_app(browser)
    assert not _second_step(mira, totp(secret))
    later = time.time() + 60
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: later)
    code = totp(secret, at=later)
    assert _second_step(mira, code)
    _forget_limits()  # as if Valkey had been emptied: the code is used all the same
    assert not _second_step(mira, code)
    assert not _second_step(mira, totp(secret, at=later - 30)), "an older code after a newer one"

    # Resetting the password asks for the second factor as ever, signs nobody in, and ends what was signed in.
    Client().post("/accounts/password/reset/", {"email": mira.email})
    link = next(link for link in links_in(mail.outbox[-1].body) if "/reset/key/" in link)
    thief = Client()
    form = thief.get(link, follow=True)
    done = thief.post(form.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}, follow=True)
    assert "Your password is changed" in done.content.decode()
    assert not is_signed_in(thief)
    assert sign_in(thief, mira.email, NEW_PASSWORD)["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(thief)
    assert not is_signed_in(browser)
    assert Client().get(link, follow=True).context["token_fail"], "a link works once"

    # A recovery code opens once.
    _forget_limits()
    assert _second_step(mira, codes[0], NEW_PASSWORD)
    assert not _second_step(mira, codes[0], NEW_PASSWORD)
    assert SignIn.objects.filter(user=mira, method="recovery_code", outcome="succeeded").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_recovery_code_sent_many_times_at_once_opens_once(person):
    mira = person()
    browser = Client()
    sign_in(browser, mira.email)
    _, codes = set_up_app(browser)
    clients = [Client() for _ in range(6)]
    for client in clients:
        sign_in(client, mira.email)
    side_by_side(lambda client: _send_code(client, codes[3]), clients)
    assert sum(is_signed_in(client) for client in clients) == 1


@pytest.mark.django_db(transaction=True)
def test_one_app_code_sent_many_times_at_once_opens_once(person, monkeypatch):
    mira = person()
    browser = Client()
    sign_in(browser, mira.email)
    secret, _ = set_up_app(browser)
    later = time.time() + 60
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: later)
    clients = [Client() for _ in range(6)]
    for client in clients:
        sign_in(client, mira.email)
    code = totp(secret, at=later)
    side_by_side(lambda client: _send_code(client, code), clients)
    assert sum(is_signed_in(client) for client in clients) == 1


@pytest.mark.django_db(transaction=True)
def test_a_remembered_device_needs_no_code_for_thirty_days_and_no_longer_than_the_password(person, monkeypatch):
    mira = person()
    device = Client()
    sign_in(device, mira.email)
    secret, _ = set_up_app(device)
    device.post("/accounts/logout/")
    later = time.time() + 60
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: later)
    sign_in(device, mira.email)
    asked = device.post("/accounts/2fa/authenticate/", {"code": totp(secret, at=later)})
    assert asked["Location"] == "/accounts/2fa/trust/"
    assert not is_signed_in(device)
    trusted = device.post("/accounts/2fa/trust/", {"action": "trust"})
    assert trusted.cookies["mfa_trusted"]["max-age"] == 30 * 86400
    assert trusted.cookies["mfa_trusted"]["httponly"]
    device.post("/accounts/logout/")
    sign_in(device, mira.email)
    assert is_signed_in(device)
    assert SignIn.objects.latest("id").method == "trusted_device"

    device.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )
    device.post("/accounts/logout/")
    assert sign_in(device, mira.email, NEW_PASSWORD)["Location"] == "/accounts/2fa/authenticate/"


def test_row_31_a_changed_password_ends_every_other_session_with_its_next_request(person):
    mira = person()
    here, *others = [Client() for _ in range(4)]
    for client in (here, *others):
        sign_in(client, mira.email)
    assert all(is_signed_in(client) for client in others)
    changed = here.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )
    assert (changed.status_code, changed["Location"]) == (302, "/accounts/2fa/")
    assert is_signed_in(here)
    assert [is_signed_in(client) for client in others] == [False] * 3
    assert mail.outbox[-1].subject == "Your password was changed"
    assert len(here.get("/account/sessions").context["sessions"]) == 1
    sign_in(late := Client(), mira.email)
    assert not is_signed_in(late), "the old password is gone"


def test_an_account_that_is_switched_off_is_out_with_the_next_request(person):
    mira = person()
    client = Client()
    sign_in(client, mira.email)
    User.objects.filter(pk=mira.pk).update(is_active=False)
    assert not is_signed_in(client)


def test_strangers_lock_nobody_out_of_a_device_of_their_own(person):
    """Whoever knows an address can use up its attempts. Where its person has signed in before, they still can."""
    mira = person()
    device = Client()
    sign_in(device, mira.email)
    device.post("/accounts/logout/")
    for number in range(2 * tiers.SIGN_IN.burst):
        sign_in(Client(), mira.email, "a guess", REMOTE_ADDR=f"192.0.2.{number}")
    assert not is_signed_in(_after(sign_in, mira.email)), "from elsewhere not even the right password"
    assert not is_signed_in(_after(lambda client: _on(client, "fc_device", "forged:by:somebody", mira)))
    sign_in(device, mira.email)
    assert is_signed_in(device)

    device.post("/accounts/logout/")
    for _ in range(2 * tiers.SIGN_IN.burst):
        sign_in(device, mira.email, "a guess", REMOTE_ADDR="198.51.100.1")
    sign_in(device, mira.email)
    assert not is_signed_in(device), "a device that was stolen guesses no more than anybody"


def test_a_session_gets_a_new_name_when_somebody_signs_in(person):
    """Whoever planted a session before the sign-in does not have it afterwards."""
    client = Client()
    client.get("/accounts/login/")
    client.session.save()
    planted = client.session.session_key
    sign_in(client, person().email)
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def _second_step(user, code, password=PASSWORD):
    client = Client()
    assert sign_in(client, user.email, password)["Location"] == "/accounts/2fa/authenticate/"
    _send_code(client, code)
    return is_signed_in(client)


def _send_code(client, code):
    client.post("/accounts/2fa/authenticate/", {"code": code})
    client.post("/accounts/2fa/trust/", {"action": "skip"})


def _after(act, *given):
    client = Client()
    act(client, *given)
    return client


def _on(client, cookie, value, user):
    client.cookies[cookie] = value
    sign_in(client, user.email)


def _forget_limits():
    from connect.kit import valkey

    valkey.client().flushdb()
