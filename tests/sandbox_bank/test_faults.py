"""The bank misbehaves as it is told to: how, where, how often, until when."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


def misbehave(bank, kind, **more):
    bank.control("misbehave", {"kind": kind, **more})


def test_it_goes_down_for_some_calls(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "down", times=2)
    statuses = [tpp.call("GET", "/v1/accounts", checked=False).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


def test_it_goes_down_for_a_while(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "down", seconds=0.7)
    assert tpp.call("GET", "/v1/accounts", checked=False).status_code == 503
    time.sleep(0.8)
    assert tpp.call("GET", "/v1/accounts").status_code == 200


def test_it_goes_down_until_told(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "down")
    assert {tpp.call("GET", "/v1/accounts", checked=False).status_code for _ in range(3)} == {503}
    sandbox_bank.control("behave", {"kind": "down"})
    assert tpp.call("GET", "/v1/accounts").status_code == 200


def test_only_one_endpoint_misbehaves(tpp, sandbox_bank):
    path = tpp.agreed().account()
    misbehave(sandbox_bank, "down", endpoint="transactions")
    assert tpp.call("GET", "/v1/accounts").status_code == 200
    assert tpp.call("GET", f"{path}/balances").status_code == 200
    asked = f"{path}/transactions?bookingStatus=both&dateFrom=2026-01-01"
    assert tpp.call("GET", asked, checked=False).status_code == 503


def test_the_second_page_fails(tpp, sandbox_bank):
    sandbox_bank.control("switches", {"page_size": 50})
    path = tpp.agreed().account()
    misbehave(sandbox_bank, "error", endpoint="transactions", skip=1, times=1, status=500)
    first = tpp.entries(path)["transactions"]
    following = first["_links"]["next"]["href"]
    assert [tpp.call("GET", following, checked=False).status_code for _ in range(2)] == [500, 200]


def test_it_says_too_many_and_when_to_come_again(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "too_many", retry_after=90)
    refused = tpp.call("GET", "/v1/accounts")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "90")


def test_it_says_an_error_of_choice(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "error", status=401, code="CERTIFICATE_EXPIRED")
    refused = tpp.call("GET", "/v1/accounts")
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (401, "CERTIFICATE_EXPIRED")


def test_its_json_is_broken(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "malformed")
    answered = tpp.call("GET", "/v1/accounts", checked=False)
    assert (answered.status_code, answered.headers["content-type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answered.json()


def test_it_answers_with_a_page_for_people(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "html", status=502)
    answered = tpp.call("GET", "/v1/accounts", checked=False)
    assert (answered.status_code, answered.headers["content-type"]) == (502, "text/html")


def test_it_is_slow(tpp, sandbox_bank):
    tpp.agreed()
    misbehave(sandbox_bank, "slow", ms=600)
    began = time.monotonic()
    assert tpp.call("GET", "/v1/accounts").status_code == 200
    assert time.monotonic() - began >= 0.6


def test_it_hangs_and_a_reset_lets_go(tpp, sandbox_bank, client):
    tpp.agreed()
    misbehave(sandbox_bank, "hang", ms=60_000)
    with pytest.raises(httpx.ReadTimeout):
        client.get(f"{sandbox_bank.url}/v1/accounts", timeout=0.5)
    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        waiting = pool.submit(client.get, f"{sandbox_bank.url}/v1/accounts", timeout=30)
        time.sleep(0.3)
        sandbox_bank.reset()
        waiting.result()
    assert time.monotonic() - began < 10


def test_it_drips(tpp, sandbox_bank):
    """Each wait for a byte is short, the whole is long: what a time-out per read does not notice."""
    tpp.agreed()
    misbehave(sandbox_bank, "drip", ms=100, bytes=400)
    began = time.monotonic()
    assert len(tpp.get("/v1/accounts")["accounts"]) == 5
    assert time.monotonic() - began > 0.5


@pytest.mark.parametrize(("kind", "shown"), [("blank_ids", ""), ("not_provided_ids", "NOTPROVIDED")])
def test_it_gives_no_ids(tpp, sandbox_bank, kind, shown):
    path = tpp.agreed().account()
    misbehave(sandbox_bank, kind)
    booked = tpp.entries(path)["transactions"]["booked"]
    assert {(one["transactionId"], one["entryReference"], one["endToEndId"]) for one in booked} == {(shown,) * 3}


def test_it_gives_other_ids_each_time(tpp, sandbox_bank):
    path = tpp.agreed().account()
    misbehave(sandbox_bank, "reissued_ids")
    first, second = (tpp.entries(path)["transactions"]["booked"] for _ in range(2))
    assert not {one["transactionId"] for one in first} & {one["transactionId"] for one in second}
    assert [one["transactionAmount"] for one in first] == [one["transactionAmount"] for one in second]


def test_it_says_everything_twice(tpp, sandbox_bank):
    path = tpp.agreed().account("EUR")
    once = tpp.entries(path)["transactions"]["booked"]
    misbehave(sandbox_bank, "duplicates")
    assert tpp.entries(path)["transactions"]["booked"] == [one for one in once for _ in range(2)]


def test_it_forgets_signs(tpp, sandbox_bank):
    path = tpp.agreed().account("EUR")
    misbehave(sandbox_bank, "unsigned_amounts")
    booked = tpp.entries(path)["transactions"]["booked"]
    assert not any(one["transactionAmount"]["amount"].startswith("-") for one in booked)
    assert any("creditorName" in one for one in booked)


def test_its_pages_turn_in_circles(tpp, sandbox_bank):
    path = tpp.agreed().account("EUR")
    misbehave(sandbox_bank, "loop")
    first = tpp.entries(path)["transactions"]
    second = tpp.get(first["_links"]["next"]["href"])["transactions"]
    assert second == tpp.get(second["_links"]["next"]["href"])["transactions"]
    assert first["booked"] == second["booked"]


def test_its_links_are_relative(tpp, sandbox_bank):
    sandbox_bank.control("switches", {"page_size": 50})
    path = tpp.agreed().account()
    misbehave(sandbox_bank, "relative_links")
    following = tpp.entries(path)["transactions"]["_links"]["next"]["href"]
    assert following.startswith("/v1/accounts/")
    assert tpp.get(following)["transactions"]["booked"]
