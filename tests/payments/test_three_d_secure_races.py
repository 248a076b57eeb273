"""Two tabs, a late button, a cancellation at the same moment: by HTTP, against the real web process, one outcome."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.at_once import together
from tests.live_server import LiveServer, live_server

PATH = "/v1/payment_intents"
ASKS = {"payment_method": "pm_card_authenticationRequired", "confirm": True, "return_url": "https://shop.test/"}
ROUNDS = 15


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as running:
        yield running


@pytest.fixture
def dice() -> random.Random:
    seed = random.randrange(2**32)
    print("seed", seed)
    return random.Random(seed)


class Tab:
    """A browser tab with the page open, ready to press a button."""

    def __init__(self, server: LiveServer, intent: dict[str, Any]) -> None:
        self.session = requests.Session()
        self.url = server.url + urlsplit(intent["next_action"]["redirect_to_url"]["url"]).path
        assert "Confirm" in self.session.get(self.url, timeout=60).text

    def press(self, answer: str) -> str:
        """What the merchant is told, or what the page says when it leads nowhere."""
        with self.session:
            found = self.session.post(self.url, {"answer": answer}, timeout=60, allow_redirects=False)
        if found.status_code == 200 and "nothing to confirm here" in found.text:
            return "nothing to confirm"
        assert found.status_code == 303, found.text
        target = urlsplit(found.headers["Location"])
        return parse_qs(target.query)["redirect_status"][0] if target.netloc else "look again"


def create(server: LiveServer, path: str = PATH, **given: Any) -> dict[str, Any]:
    money = {"amount": 1000, "currency": "eur"} if path == PATH else {}
    answer = server.request("POST", path, {**money, **ASKS, **given})
    assert answer.status == 200, answer.body
    return answer.json()


def charges(server: LiveServer, intent: dict[str, Any]) -> list[dict[str, Any]]:
    return server.request("GET", f"/v1/charges?payment_intent={intent['id']}").json()["data"]


def read(server: LiveServer, intent: dict[str, Any]) -> dict[str, Any]:
    plural = "setup_intents" if intent["object"] == "setup_intent" else "payment_intents"
    return server.request("GET", f"/v1/{plural}/{intent['id']}").json()


def check(server: LiveServer) -> None:
    assert server.query("SELECT * FROM ledger_drift") == []
    assert server.query("SELECT count(*) FROM payments_payment_attempt WHERE state = 'open'") == [(0,)]


def test_two_tabs_that_complete_at_once_make_one_charge(server):
    seen: Counter[tuple[str, ...]] = Counter()
    for _ in range(ROUNDS):
        found = create(server)
        tabs = [Tab(server, found) for _ in range(3)]
        told = together(*[lambda tab=tab: tab.press("complete") for tab in tabs])
        assert set(told) <= {"succeeded", "pending"}
        assert "succeeded" in told
        seen[tuple(sorted(told))] += 1
        assert read(server, found)["status"] == "succeeded"
        (charge,) = charges(server, found)
        assert charge["amount_captured"] == 1000
        assert server.query("SELECT count(*) FROM ledger_transaction WHERE reference = %s", [charge["id"]]) == [(1,)]
    print(seen)
    check(server)


def test_complete_and_fail_at_once_have_one_winner(server, dice):
    winners: Counter[str] = Counter()
    for _ in range(ROUNDS):
        found = create(server)
        tabs = {name: Tab(server, found) for name in ("complete", "fail")}
        works = [lambda tab=tab, name=name: tab.press(name) for name, tab in tabs.items()]
        dice.shuffle(works)
        told = together(*works)
        after = read(server, found)
        if after["status"] == "succeeded":
            assert set(told) <= {"succeeded", "pending"}
            assert len(charges(server, found)) == 1
        else:
            assert (after["status"], told) == ("requires_payment_method", ["failed", "failed"])
            assert after["last_payment_error"]["code"] == "payment_intent_authentication_failure"
            assert charges(server, found) == []
        winners[after["status"]] += 1
    print(winners)
    check(server)


def test_completion_and_cancellation_have_one_winner(server, dice):
    winners: Counter[str] = Counter()
    for _ in range(ROUNDS):
        found = create(server)
        tab = Tab(server, found)
        works = [lambda tab=tab: tab.press("complete"),
                 lambda found=found: server.request("POST", f"{PATH}/{found['id']}/cancel", {})]  # fmt: skip
        order = [0, 1]
        dice.shuffle(order)
        told = dict(zip(order, together(*[works[index] for index in order]), strict=True))
        page, canceled = told[0], told[1]
        after = read(server, found)
        if canceled.status == 200:
            assert (after["status"], page) == ("canceled", "nothing to confirm")
            assert charges(server, found) == []
        else:
            assert canceled.json()["error"]["code"] in {"lock_timeout", "payment_intent_unexpected_state"}
            assert (after["status"], page) == ("succeeded", "succeeded")
            assert len(charges(server, found)) == 1
        winners[after["status"]] += 1
    print(winners)
    check(server)


def test_completion_and_another_confirmation_make_one_charge(server, dice):
    """The merchant's own code confirms with another card in the very moment the payer presses the button."""
    for _ in range(ROUNDS):
        found = create(server)
        tab = Tab(server, found)
        confirm = f"{PATH}/{found['id']}/confirm"
        works = [lambda tab=tab: tab.press("complete"),
                 lambda confirm=confirm: server.request("POST", confirm, {"payment_method": "pm_card_visa"})]  # fmt: skip
        dice.shuffle(works)
        together(*works)
        assert read(server, found)["status"] == "succeeded"
        assert [charge["paid"] for charge in charges(server, found)] == [True]
    check(server)


def test_two_tabs_set_a_card_up_once(server):
    customer = server.request("POST", "/v1/customers", {}).json()["id"]
    for _ in range(ROUNDS):
        found = create(server, "/v1/setup_intents", customer=customer)
        tabs = [Tab(server, found) for _ in range(2)]
        told = together(*[lambda tab=tab: tab.press("complete") for tab in tabs])
        assert set(told) <= {"succeeded", "pending"}
        done = read(server, found)
        assert done["status"] == "succeeded"
        events = server.query("SELECT type FROM connect_event WHERE object_id = %s ORDER BY id", [found["id"]])
        assert [name for (name,) in events] == [
            "setup_intent.created", "setup_intent.requires_action", "setup_intent.succeeded",
        ]  # fmt: skip
        attached = server.query("SELECT type FROM connect_event WHERE object_id = %s", [done["payment_method"]])
        assert attached == [("payment_method.attached",)]
    check(server)


def test_keeping_cards_never_stands_in_the_way_of_the_customer(server, dice):
    """Payments that keep their card, updates of the intent and of the customer: all lock the customer first."""
    customer = server.request("POST", "/v1/customers", {}).json()["id"]
    for _ in range(ROUNDS):
        body = {"amount": 1000, "currency": "eur", "customer": customer, "setup_future_usage": "off_session"}
        found = server.request("POST", PATH, body).json()
        works = [
            lambda found=found: server.request(
                "POST", f"{PATH}/{found['id']}/confirm", {"payment_method": "pm_card_visa"}
            ),
            lambda found=found: server.request("POST", f"{PATH}/{found['id']}", {"customer": customer}),
            lambda: server.request("POST", f"/v1/customers/{customer}", {"name": "Ana"}),
        ]
        dice.shuffle(works)
        assert {answer.status for answer in together(*works)} <= {200, 400}
        paid = read(server, found)
        assert paid["status"] == "succeeded"
        method = server.request("GET", f"/v1/payment_methods/{paid['payment_method']}").json()
        assert method["customer"] == customer
    check(server)
