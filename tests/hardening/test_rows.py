"""Rows of the catalogue of what can go wrong (keys, limits), one test each, named after its row.

33: a key is shown once                tests/matrix/test_secrets.py::test_row_33_secrets_are_left_nowhere
38: eight processes share one limit    tests/connect/limits/test_accuracy.py::test_row_38_eight_processes
39: Valkey is down                     here
34, 36, 40                             here
"""

from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connect.domain import api_keys as form
from connect.domain import tiers
from connect.kit import clock, metrics, redaction, valkey
from connect.selectors import api_keys as selectors
from connect.selectors import credentials
from connect.services import api_keys, limits
from tests.conftest import Api
from tests.soak import SEEN


@pytest.mark.parametrize("texts", [100_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_row_34_no_random_text_passes_for_a_key_and_every_key_is_found_in_a_leak(texts, record_property):
    """The checksum: no false accept among well-shaped texts; the search for leaks: every key, in whatever it stands."""
    seed = random.randrange(2**32)
    record_property(SEEN, f"{texts} texts, 1000 keys, seed {seed}")
    print("seed", seed)
    generator = random.Random(seed)
    accepted = sum(
        form.is_well_formed(
            f"fc_{generator.choice(('live', 'test'))}_{''.join(generator.choices(form.ALPHABET, k=36))}"
        )
        for _ in range(texts)
    )
    assert accepted == 0
    around = [
        'key = "%s"',
        "Authorization: Bearer %s",
        "https://%s:@host/v1",
        "FC_KEY=%s\n",
        "%s",
        '{"a":["%s"]}',
        "(%s)",
    ]
    for kind in ("live", "test"):
        for _ in range(500):
            secret = form.generate(kind)
            leak = generator.choice(around) % secret
            assert form.PATTERN.findall(leak) == [kind]
            assert form.is_well_formed(form.PATTERN.search(leak)[0])
            assert secret not in redaction.text(leak)
            changed = generator.randrange(8, len(secret))
            other = generator.choice([letter for letter in form.ALPHABET if letter != secret[changed]])
            assert not form.is_well_formed(secret[:changed] + other + secret[changed + 1 :])


def test_row_36_expiry_addresses_and_last_use_of_a_key(caller, db):
    """To the second of its expiry and not one longer; from its addresses and no other; noted once a minute."""
    ends = clock.wall() + timedelta(hours=1)
    info, secret = api_keys.create(
        caller, name="Shop", scopes=["*"], expires_at=ends, ip_allowlist=["10.1.0.0/16", "2001:db8::/32"]
    )
    known = credentials.resolve(secret)
    assert known is not None
    assert not known.is_expired(ends - timedelta(microseconds=1))
    assert known.is_expired(ends)
    for address, allowed in {
        "10.1.0.0": True, "10.1.255.255": True, "10.2.0.0": False, "10.0.255.255": False, "127.0.0.1": False,
        "2001:db8::1": True, "2001:db9::1": False, "nonsense": False, "": False,
    }.items():  # fmt: skip
        assert known.allows_address(address) is allowed, address
        answer = Client().get("/v1/balance", headers={"authorization": f"Bearer {secret}"}, REMOTE_ADDR=address)
        refused = {} if allowed else answer.json()["error"]
        assert (answer.status_code, refused.get("code")) == ((200, None) if allowed else (403, "address_not_allowed"))
    first = clock.wall()
    written = []
    for seconds in range(0, 300, 7):
        api_keys.mark_used({info.id: first + timedelta(seconds=seconds)})
        shown = selectors.get(caller.environment.id, info.id)
        assert shown is not None
        assert shown.last_used_at is not None
        written.append(shown.last_used_at)
        assert first + timedelta(seconds=seconds) - shown.last_used_at < timedelta(seconds=67)
    assert len(set(written)) <= 300 // 60 + 1


def test_row_36_a_key_that_has_ended_is_refused(caller, db, monkeypatch):
    """In every process: what has ended is asked of the clock at each request, not of the cache."""
    _, secret = api_keys.create(caller, name="Shop", scopes=["*"], expires_at=clock.wall() + timedelta(hours=1))
    assert Api(secret).get("/v1/balance").status_code == 200
    later = clock.wall() + timedelta(hours=1)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert Api(secret).get("/v1/balance").status_code == 401


def test_row_39_without_valkey_the_api_goes_on_and_signing_in_does_not(api, settings, tmp_path):
    """The API fails open, with an alarm; the login fails closed, because passwords can be guessed."""
    alarms = metrics.LIMITER_ALARMS._value.get()
    nobody = f"unix://{tmp_path}/nobody.sock"
    settings.REDIS_URL = nobody
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": nobody}}
    assert [api.get("/v1/balance").status_code for _ in range(3)] == [200, 200, 200]
    assert metrics.LIMITER_ALARMS._value.get() > alarms
    wrong = Api(form.generate("test"))
    answers = [wrong.get("/v1/balance").status_code for _ in range(tiers.FAILED_CREDENTIALS.burst + 5)]
    assert set(answers) == {401, 429}, "guessing is counted in this process' memory"
    assert Client().get("/accounts/login/").status_code == 200
    login = {"login": "owner@acme.example", "password": "correct horse battery staple"}
    refused = Client(raise_request_exception=False).post("/accounts/login/", login)
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert "cannot be reached for a moment" in refused.content.decode()
    assert "sessionid" not in refused.cookies


def _asked(act):
    """An answer, and how many statements the database was asked for it."""
    with CaptureQueriesContext(connection) as statements:
        answer = act()
    return answer, len(statements)


def test_row_40_a_noisy_tenant_is_told_to_wait_and_its_neighbour_notices_nothing(api_as, monkeypatch):
    """One environment is refused and told how long; another's requests pass, with all of their own allowance.

    A refusal asks the database nothing, so it holds none of the connections that the neighbour needs, and the neighbour's
    requests cost what they cost alone. What that is in milliseconds, `benchmarks/neighbours.py` measures.
    """
    small = tiers.Tier("Small", tiers.Rate(2, 5), tiers.Rate(2, 5), None, hard=False, log_days=7)
    monkeypatch.setattr(tiers, "of", lambda environment: small)
    noisy, quiet = api_as("acme", "test"), api_as("other", "test")
    quiet.get("/v1/balance")  # after which its key is known to this process
    alone = _asked(lambda: quiet.get("/v1/balance"))[1]
    assert alone > 0
    valkey.client().flushdb()
    answers = [_asked(lambda: noisy.get("/v1/balance")) for _ in range(30)]
    refused = [answer for answer, _ in answers if answer.status_code == 429]
    assert len(refused) > 10
    assert {answer.status_code for answer, _ in answers} == {200, 429}
    assert {statements for answer, statements in answers if answer.status_code == 429} == {0}
    for answer in refused:
        assert int(answer["Retry-After"]) >= 1
        assert answer.json()["error"]["code"] == "rate_limit"
    beside, statements = _asked(lambda: quiet.get("/v1/balance"))
    assert beside.status_code == 200
    assert statements == alone
    assert int(beside["RateLimit-Remaining"]) == small.key.burst - 1
    time.sleep(int(refused[-1]["Retry-After"]))
    assert noisy.get("/v1/balance").status_code == 200, "Retry-After was long enough"
    assert limits.outage.on is False
