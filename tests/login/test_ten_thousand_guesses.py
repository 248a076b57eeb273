"""Ten thousand guesses at each door, side by side: what is tried is what the limiter allows, and no door opens."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import IPv4Address

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from connect.domain import tiers
from connect.kit import clock
from connect.models import OAuthDeviceGrant, SignIn
from tests.login.conftest import is_signed_in, links_in, set_up_app, sign_in
from tests.oauth.tokens import register
from tests.soak import SEEN

THREADS = 8


class Password:
    """The sign-in form, each guess from an address of its own; in the end not even the right password opens."""

    rate = tiers.SIGN_IN

    def __init__(self, mira, caller):
        self.mira = mira

    def guess(self, number):
        client = Client(REMOTE_ADDR=str(IPv4Address("198.18.0.0") + number))
        return sign_in(client, self.mira.email, f"guess number {number}")

    def tried(self, answers):
        return SignIn.objects.filter(user=self.mira, outcome="failed").count()

    def is_open(self):
        sign_in(client := Client(), self.mira.email)
        return is_signed_in(client)


class Code:
    """The second step, by a thief who has the password: codes of the app and recovery codes, in many browsers."""

    rate = tiers.SIGN_IN

    def __init__(self, mira, caller):
        self.mira = mira
        sign_in(browser := Client(), mira.email)
        set_up_app(browser)
        SignIn.objects.all().delete()
        self.thief = Client()
        sign_in(self.thief, mira.email)

    def guess(self, number):
        client = Client()
        client.cookies = self.thief.cookies.copy()
        code = number * 7919
        answer = client.post(
            "/accounts/2fa/authenticate/", {"code": f"{code % 10**6:06d}" if number % 2 else f"{code % 10**8:08d}"}
        )
        assert answer.status_code != 302, "a code that opens leads on"
        return answer

    def tried(self, answers):
        return SignIn.objects.filter(user=self.mira, outcome="failed").count()

    def is_open(self):
        return is_signed_in(self.thief)


class DeviceCode:
    """The page on which a person names a device, while one waits to be named."""

    rate = tiers.DEVICE_CODES
    LETTERS = "BCDFGHJKLMNPQRSTVWXZ"

    def __init__(self, mira, caller):
        self.browser = Client()
        sign_in(self.browser, mira.email)
        OAuthDeviceGrant.objects.create(
            client_id=register(caller).id, device_code="d", user_code="ZZZZZZZZ", scope="customers:read",
            expires=clock.wall() + timedelta(hours=2),
        )  # fmt: skip

    def guess(self, number):
        client = Client()
        client.cookies = self.browser.cookies.copy()
        code = "".join(self.LETTERS[number // 20**place % 20] for place in range(8))
        return client.post("/oauth/device", {"user_code": code, "decision": "allow"})

    def tried(self, answers):
        return answers[404]

    def is_open(self):
        return OAuthDeviceGrant.objects.get().status != OAuthDeviceGrant.AUTHORIZATION_PENDING


class ResetLink:
    """Links as a reset sends them. They are not counted, for 128 bits are not guessed; the real one goes on working."""

    rate = None

    def __init__(self, mira, caller):
        Client().post("/accounts/password/reset/", {"email": mira.email})
        self.link = next(link for link in links_in(mail.outbox[-1].body) if "/reset/key/" in link)
        found = re.search(r"-(\w{32})/$", self.link)
        assert found, self.link
        self.secret = found[1]

    def guess(self, number):
        guessed = hashlib.sha256(str(number).encode()).hexdigest()[: len(self.secret)]
        answer = Client().get(self.link.replace(self.secret, guessed), follow=True)
        assert answer.context["token_fail"], guessed
        return answer

    def tried(self, answers):
        return answers[200]

    def is_open(self):
        assert "token_fail" not in Client().get(self.link, follow=True).context, "nobody locks the owner out"
        return False


def side_by_side(guess, guesses):
    """All of them in eight threads, each with one database connection, as a web process has; counts the answers."""

    def some(first):
        try:
            return Counter(guess(number).status_code for number in range(first, guesses, THREADS))
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(some, range(THREADS)), Counter())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guesses", [30, pytest.param(10_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("door", [Password, Code, DeviceCode, ResetLink])
def test_row_57_guesses_open_no_door(door, guesses, person, caller, record_property, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)  # as in the product: a connection serves many
    at = door(person(), caller)
    began = time.monotonic()
    answers = side_by_side(at.guess, guesses)
    seconds = time.monotonic() - began
    tried = at.tried(answers)
    record_property(SEEN, f"{guesses} guesses in {seconds:.0f} s, {tried} of them tried, answers {dict(answers)}")
    assert answers.total() == guesses
    assert set(answers) <= {200, 404, 429, 503}, "503: it could not be counted in time, so it was not tried"
    if door.rate is not None:
        assert 0 < tried <= door.rate.burst + int(seconds * door.rate.per_second) + 1
    assert not at.is_open()
