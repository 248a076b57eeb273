"""HTTP to a bank: deadlines, repeated reads, bounds, addresses, and which error each refusal is."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from banks.clients.berlin_group import client, refusals
from banks.clients.berlin_group.client import Clock, Deadline
from banks.clients.connector import (
    BadResponse,
    CertificateProblem,
    ConnectorError,
    InstitutionDown,
    LoginRequired,
    RateLimited,
)
from banks.domain.profiles import BankProfile
from tests.banks.connector.scripted_bank import Says, refusal, running

MANY = 40


class Watch:
    """A clock that stands still but for its own pauses; chance always says one half."""

    def __init__(self):
        self.at, self.slept = 0.0, []

    def clock(self):
        return Clock(now=lambda: self.at, sleep=self.sleep, chance=lambda: 0.5)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def scripted():
    with running() as bank:
        yield bank


def profile(url="https://bank.example", **given):
    return BankProfile(slug="test-bank", name="Test", country="MK", connector="berlin_group", base_url=url, **given)


def get(scripted, watch=None, *, seconds=30.0, path="/v1/accounts"):
    deadline = Deadline(seconds, watch.clock() if watch else Clock())
    return client.read(profile(scripted.url), path, headers={"X-Request-ID": "1"}, deadline=deadline)


def post(scripted, *, seconds=30.0):
    return client.write("POST", profile(scripted.url), "/v1/payments/x", headers={}, content=b"{}",
                        deadline=Deadline(seconds, Clock()))  # fmt: skip


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "kind"), refusals.BY_CODE.items())
@pytest.mark.parametrize("form", ["tppMessages", "problem"])
def test_each_code_of_the_standard_is_its_error(code, kind, form):
    body = refusal(code) if form == "tppMessages" else {"type": "about:blank", "title": "No", "code": code}
    import json

    found = refusals.error(429 if kind is RateLimited else 400, json.dumps(body).encode())
    assert (type(found), found.code) == (kind, code)


@pytest.mark.parametrize("status", [200, 204, 301, 302, 400, 404, 409, 418, 451, 501, 599])
def test_any_other_status_is_a_bad_response(status):
    assert type(refusals.error(status, b"")) is BadResponse


@pytest.mark.parametrize(("status", "kind"), refusals.BY_STATUS.items())
def test_a_status_speaks_where_no_code_does(status, kind):
    import json

    assert type(refusals.error(status, json.dumps(refusal("SOMETHING_NEW")).encode())) is kind


def test_a_page_of_somebody_before_the_bank_ends_nobodys_consent():
    for status in (401, 403):
        assert type(refusals.error(status, b"<html>Access denied</html>")) is BadResponse


def test_a_5xx_is_about_the_bank_whatever_its_code_says():
    import json

    assert type(refusals.error(503, json.dumps(refusal("CONSENT_EXPIRED")).encode())) is InstitutionDown


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("0", 0), ("120", 120), ("-1875538", 0), ("99999999", 86_400), ("86400", 86_400), ("", None), ("soon", None),
     ("Wed, 21 Oct 2026 07:28:00 GMT", None), (None, None), ("1.5", None)],
)  # fmt: skip
def test_retry_after_is_between_nothing_and_a_day(written, seconds):
    assert refusals.error(429, b"", retry_after=written).retry_after_seconds == seconds


def test_the_known_code_is_found_among_others(scripted, watch):
    both = {
        "tppMessages": [
            {"category": "WARNING", "code": "FORMAT_ERROR"},
            {"category": "ERROR", "code": "CONSENT_INVALID"},
        ]
    }
    scripted.says(Says(401, both))
    with pytest.raises(LoginRequired):
        get(scripted, watch)


# --- reading again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 504, 408])
def test_a_read_is_sent_again_after_a_random_pause(scripted, watch, status):
    scripted.says(Says(status, b"oops"), Says(status, b"oops"), Says(200, {"accounts": []}))
    assert get(scripted, watch).status == 200
    assert watch.slept == [0.5, 1.0], "half of one, and of two seconds"
    assert len(scripted.seen) == 3


def test_no_fourth_time(scripted, watch):
    scripted.default = Says(503, b"oops")
    with pytest.raises(InstitutionDown) as raised:
        get(scripted, watch)
    assert (len(scripted.seen), raised.value.http_status) == (3, 503)


def test_not_again_when_the_deadline_or_the_bank_leaves_no_room(scripted, watch, monkeypatch):
    monkeypatch.setattr(client, "PAUSE_SECONDS", 60.0)
    monkeypatch.setattr(client, "PAUSE_MAX_SECONDS", 60.0)
    scripted.says(Says(503, b""))
    with pytest.raises(InstitutionDown):
        get(scripted, watch, seconds=30.0)
    scripted.says(Says(503, b"", headers={"Retry-After": "60"}))
    with pytest.raises(InstitutionDown) as raised:
        get(scripted, watch)
    assert (len(scripted.seen), watch.slept, raised.value.retry_after_seconds) == (2, [], 60)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_other_answers_are_not_asked_for_again(scripted, watch, status):
    scripted.default = Says(status, refusal("SOMETHING_NEW"))
    with pytest.raises(ConnectorError):
        get(scripted, watch)
    assert len(scripted.seen) == 1


@pytest.mark.parametrize(
    "answer", [Says(503, b""), Says(raw=b""), Says(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")]
)
def test_what_moves_money_is_sent_once(scripted, answer):
    scripted.default = answer
    with pytest.raises(InstitutionDown):
        post(scripted)
    assert len(scripted.seen) == 1


def test_a_connection_that_breaks_is_tried_again(scripted, watch):
    scripted.says(Says(raw=b""), Says(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), Says(200, {}))
    assert get(scripted, watch).body == b"{}"


def test_nobody_listens(scripted, watch):
    with running() as gone:
        pass
    with pytest.raises(InstitutionDown) as raised:
        get(gone, watch)
    assert (raised.value.code, len(watch.slept)) == ("connection", 2)


# --- the deadline -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Says(hang=True), Says(200, {"a": "b" * 400}, drip=True)], ids=["hangs", "drips"])
def test_the_deadline_holds_against_a_bank_that_hangs_or_sends_a_byte_at_a_time(scripted, answer):
    """20 bytes a second make an answer after 20 seconds; without the deadline it would be taken."""
    scripted.default = answer
    with pytest.raises(InstitutionDown) as raised:
        get(scripted, seconds=0.5)
    assert raised.value.code == "timeout"
    assert len(scripted.seen) <= 1, "no time is left for another try"


def test_calls_that_hang_leave_connections_to_all_others(scripted):
    """A pool with room for so many connections would be full of one hanging bank's."""
    arrived = threading.Barrier(MANY + 1)

    def hangs(seen):
        arrived.wait(30)
        return Says(hang=True)

    with running() as hanging, ThreadPoolExecutor(MANY) as pool:
        hanging.default = hangs
        slow = [pool.submit(post, hanging) for _ in range(MANY)]
        arrived.wait(30)
        scripted.says(Says(200, {}))
        assert get(scripted, seconds=10.0).status == 200
        hanging.stopped.set()
        assert [type(future.exception(timeout=60)) for future in slow] == [InstitutionDown] * MANY


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_is_bounded_packed_or_not(scripted, watch, packed):
    body = b'"' + b" " * client.ANSWER_MAX + b'"'
    headers = {"Content-Encoding": "gzip"} if packed else {}
    scripted.says(Says(200, gzip.compress(body) if packed else body, headers=headers))
    with pytest.raises(BadResponse) as raised:
        get(scripted, watch)
    assert raised.value.code == "too_long"


@pytest.mark.parametrize(
    "raw",
    [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"],
)  # fmt: skip
def test_what_is_no_http_is_a_bad_response(scripted, watch, raw):
    scripted.default = Says(raw=raw)
    with pytest.raises(BadResponse) as raised:
        get(scripted, watch)
    assert (raised.value.code, len(scripted.seen)) == ("bad_http", 1)


def test_redirects_are_not_followed_and_cookies_not_kept(scripted, watch):
    scripted.says(Says(302, b"", headers={"Location": f"{scripted.url}/elsewhere", "Set-Cookie": "a=b"}), Says(200, {}))
    with pytest.raises(BadResponse):
        get(scripted, watch)
    get(scripted, watch)
    assert [seen.path for seen in scripted.seen] == ["/v1/accounts", "/v1/accounts"]
    assert "Cookie" not in scripted.seen[1].headers


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "link", "full"),
    [
        ("https://b.example", "/v1/accounts?x=1", "https://b.example/v1/accounts?x=1"),
        ("https://b.example", "https://b.example/v1/a", "https://b.example/v1/a"),
        ("https://b.example/xs2a", "/v1/accounts", "https://b.example/xs2a/v1/accounts"),
        ("https://b.example/xs2a", "/xs2a/v1/accounts", "https://b.example/xs2a/v1/accounts"),
        ("https://b.example/xs2a", "v1/accounts", "https://b.example/xs2a/v1/accounts"),
        ("https://b.example", "https://B.example/v1/a", "https://B.example/v1/a"),
    ],
)
def test_a_link_is_understood_as_banks_write_it(base, link, full):
    assert client.address(profile(base), link) == full


@pytest.mark.parametrize(
    "link",
    ["https://evil.example/v1/a", "//evil.example/v1", "http://b.example/v1", "https://b.example:444/v1",
     "https://b.example@evil.example/", "ftp://b.example/", "javascript:alert(1)", "https://[", "/v1/a b", "/v1/\n",
     "https://b.example:x/", "/" * 9_000],
)  # fmt: skip
def test_a_link_that_leads_away_is_refused(link):
    with pytest.raises(BadResponse):
        client.address(profile("https://b.example"), link)


def test_the_customer_may_be_sent_anywhere_that_is_safe(settings):
    settings.FC_PRIVATE_HOSTS_ALLOWED, settings.FC_SANDBOX_BANK_URL = [], "http://127.0.0.1:8010"
    assert client.page_address(profile(), "https://login.bank.example/x") == "https://login.bank.example/x"
    assert client.page_address(profile("http://127.0.0.1:8010"), "/bank/x") == "http://127.0.0.1:8010/bank/x"
    for unsafe in (
        "http://login.bank.example/x",
        "javascript:alert(1)",
        "https://u:p@bank.example",
        "data:text/html,x",
    ):
        with pytest.raises(BadResponse):
            client.page_address(profile(), unsafe)


def test_without_https_only_where_the_operator_allows_it(scripted, watch, settings):
    settings.FC_PRIVATE_HOSTS_ALLOWED = []
    with pytest.raises(CertificateProblem):
        get(scripted, watch)
    assert scripted.seen == []
    settings.FC_SANDBOX_BANK_URL = scripted.url
    scripted.says(Says(200, {}))
    get(scripted, watch)
    settings.FC_SANDBOX_BANK_URL, settings.FC_PRIVATE_HOSTS_ALLOWED = "", ["127.0.0.1:*"]
    scripted.says(Says(200, {}))
    get(scripted, watch)
