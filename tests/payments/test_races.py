"""Many at once, by HTTP, against the real web process: one outcome, and every cent in one place."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.at_once import together
from tests.live_server import Answered, LiveServer, live_server
from tests.payments.seeds import SEED

PATH = "/v1/payment_intents"
BODY = {"amount": 1000, "currency": "eur"}
HELD = {**BODY, "capture_method": "manual", "payment_method": "pm_card_visa", "confirm": True}
AGAIN = {"lock_timeout", "idempotency_key_in_use", "service_unavailable"}
"""Codes that ask for the same request once more."""


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as running:
        yield running


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Each test's own; it follows from `RACE_SEED` and the test's name."""
    print("RACE_SEED", SEED)
    return random.Random(f"{SEED}/{request.node.name}")


def until_final(send: Callable[[], Answered]) -> Answered:
    """Send as an SDK with retries does: again while the answer asks for it."""
    for _ in range(50):
        answer = send()
        if answer.status < 400 or answer.json()["error"]["code"] not in AGAIN:
            return answer
    raise AssertionError("the object stayed busy")


def outcome(answer: Answered) -> str:
    """A status of an intent, or the code of an error."""
    found = answer.json()
    return found["error"]["code"] if "error" in found else found["status"]


def create(server: LiveServer, body: Any) -> dict[str, Any]:
    answer = server.request("POST", PATH, body)
    assert answer.status == 200, answer.body
    return answer.json()


def check(server: LiveServer) -> None:
    """No drift, no attempt left open, and the balance is the sum of its transactions."""
    assert server.query("SELECT * FROM ledger_drift") == []
    assert server.query("SELECT count(*) FROM payments_payment_attempt WHERE state = 'open'") == [(0,)]
    assert server.query("SELECT count(*) FROM payments_payment_intent WHERE open_attempt_id IS NOT NULL") == [(0,)]
    shown = server.request("GET", "/v1/balance").json()
    ((total,),) = server.query("SELECT coalesce(sum(net_minor), 0)::bigint FROM payments_balance_transaction")
    assert sum(part["amount"] for part in shown["pending"] + shown["available"]) == total


def test_two_hundred_confirmations_make_one_charge(server):
    found = create(server, {**BODY, "payment_method": "pm_card_visa"})
    confirm = f"{PATH}/{found['id']}/confirm"
    answers = together(*[lambda: server.request("POST", confirm, {})] * 200)
    outcomes = Counter((answer.status, outcome(answer)) for answer in answers)
    print(outcomes)
    assert outcomes[200, "succeeded"] == 1
    assert set(outcomes) <= {(200, "succeeded"), (400, "payment_intent_unexpected_state"), (429, "lock_timeout")}
    for answer in answers:
        if answer.status == 400:
            assert answer.json()["error"]["payment_intent"]["status"] in {"processing", "succeeded"}
    charges = server.request("GET", f"/v1/charges?payment_intent={found['id']}").json()["data"]
    assert [charge["amount_captured"] for charge in charges] == [1000]
    (posted,) = server.query("SELECT count(*) FROM ledger_transaction WHERE reference = %s", [charges[0]["id"]])
    assert posted == (1,)
    events = server.query("SELECT type FROM connect_event WHERE object_id = %s ORDER BY id", [found["id"]])
    assert events == [("payment_intent.created",), ("payment_intent.succeeded",)]
    check(server)


@pytest.mark.parametrize("body", [BODY, {**BODY, "payment_method": "pm_card_visa", "confirm": True}],
                         ids=["created", "confirmed"])  # fmt: skip
def test_thirty_creations_with_one_key_make_one_object(server, dice, body):
    key = f"race-{dice.randrange(2**63)}"
    before = server.query("SELECT count(*) FROM payments_payment_intent")[0][0]

    def send() -> Answered:
        return server.request("POST", PATH, body, Idempotency_Key=key)

    answers = together(*[send] * 30)
    outcomes = Counter((answer.status, outcome(answer)) for answer in answers)
    print(outcomes)
    status = "succeeded" if "confirm" in body else "requires_payment_method"
    assert set(outcomes) <= {(200, status), (409, "idempotency_key_in_use")}
    assert outcomes[200, status] >= 1
    final = [answer if answer.status == 200 else until_final(send) for answer in answers]
    assert {answer.body for answer in final} == {final[0].body}
    assert sum("idempotent-replayed" not in answer.headers for answer in final) == 1
    assert server.query("SELECT count(*) FROM payments_payment_intent")[0][0] == before + 1
    check(server)


def test_captures_in_part_never_take_more_than_is_held(server):
    found = create(server, HELD)
    part = {"amount_to_capture": 150, "final_capture": False}
    answers = together(
        *[lambda: until_final(lambda: server.request("POST", f"{PATH}/{found['id']}/capture", part))] * 12
    )
    assert Counter(map(outcome, answers)) == {"requires_capture": 6, "amount_too_large": 6}
    after = server.request("GET", f"{PATH}/{found['id']}").json()
    assert (after["amount_received"], after["amount_capturable"]) == (900, 100)
    done = server.request("POST", f"{PATH}/{found['id']}/capture", {}).json()
    assert (done["status"], done["amount_received"]) == ("succeeded", 1000)
    ((fees,),) = server.query(
        "SELECT sum(fee_minor)::bigint FROM payments_balance_transaction WHERE source_id = %s", [done["latest_charge"]]
    )
    assert fees == 14
    check(server)


def test_attach_and_detach_at_once_never_stand_in_each_others_way(server, dice):
    """Both take the customer's lock first; the other order would deadlock."""
    customer = server.request("POST", "/v1/customers", {}).json()["id"]
    for _ in range(20):
        method = server.request("POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": customer}).json()["id"]
        path = f"/v1/payment_methods/{method}"
        default = {"invoice_settings": {"default_payment_method": method}}
        works = [
            partial(server.request, "POST", f"{path}/detach", {}),
            partial(server.request, "POST", f"{path}/attach", {"customer": customer}),
            partial(server.request, "POST", f"/v1/customers/{customer}", default),
        ]
        dice.shuffle(works)
        assert {answer.status for answer in together(*works)} <= {200, 400}
        shown = server.request("GET", f"/v1/customers/{customer}").json()
        assert shown["invoice_settings"]["default_payment_method"] is None
