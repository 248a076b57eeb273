"""What is held can be raised, and is taken in at most fifty parts; what nobody knows stays held."""

from __future__ import annotations

import pytest

from payments.services import payment_attempts, payment_intents
from payments.services.payment_intents import CAPTURES_MAX, INCREMENTS_MAX
from tests.payments.books import CLEARING, FEES, PENDING, refused, types

PATH = "/v1/payment_intents"


# --- incrementing ---


def test_an_authorization_is_raised_and_one_hold_takes_the_place_of_the_other(send, api, books, held, act):
    found = held()
    given = {"amount": 1500, "description": "More wine", "metadata": {"bottles": "2"}, "statement_descriptor": "BAR"}
    with books.events() as events:
        raised = send(f"{PATH}/{found['id']}/increment_authorization", given).json()
    assert {name: raised[name] for name in ("status", "amount", "amount_capturable", "description", "metadata")} == {
        "status": "requires_capture", "amount": 1500, "amount_capturable": 1500, "description": "More wine",
        "metadata": {"bottles": "2"},
    }  # fmt: skip
    charge = api.get(f"/v1/charges/{found['latest_charge']}").json()
    assert charge["amount"] == charge["payment_method_details"]["card"]["amount_authorized"] == 1500
    assert types(events) == ["charge.updated", "payment_intent.amount_capturable_updated"]
    assert [event.payload for event in events] == [charge, {**raised, "client_secret": None}]
    assert sorted(books.holds_of(charge["id"])) == [("pending", 1500, 0, 0), ("voided", 1000, 0, 1000)]
    done = act(found, "capture").json()
    assert (done["status"], done["amount_received"]) == ("succeeded", 1500)
    assert books.postings(charge["id"]) == [("charge.capture", {CLEARING: -1500, PENDING: 1479, FEES: 21})]
    assert books.check_balance(api) == {"eur": (0, 1479)}


@pytest.mark.parametrize("amount", [1000, 999, 1])
def test_an_authorization_is_only_raised(send, books, held, amount):
    found = held()
    with books.unchanged():
        error = refused(
            send(f"{PATH}/{found['id']}/increment_authorization", {"amount": amount}), 400, "amount_too_small", "amount"
        )
    assert "currently authorized amount of 10.00 EUR" in error["message"]


def test_a_declined_increment_leaves_what_was_held(send, api, books, held, act):
    found = held("pm_card_incrementDeclined")
    with books.events() as events:
        error = refused(send(f"{PATH}/{found['id']}/increment_authorization", {"amount": 1500}), 402, "card_declined")
    assert events == []
    assert error["payment_intent"] == api.get(f"{PATH}/{found['id']}").json() == found
    assert books.hold(found["latest_charge"]) == ("pending", 1000, 0, 0)
    assert act(found, "capture").json()["amount_received"] == 1000
    books.check_balance(api)


def test_an_increment_done_in_silence_is_recorded_once(api, books, held, act):
    found = held("pm_card_incrementTimeout")
    assert act(found, "increment_authorization", amount=1500).json()["amount"] == 1000
    for name in ("capture", "cancel"):
        refused(act(found, name), 429, "lock_timeout")
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    after = api.get(f"{PATH}/{found['id']}").json()
    assert (after["amount"], after["amount_capturable"]) == (1500, 1500)
    with books.unchanged():
        books.let_leases_run_out()
        assert payment_attempts.settle_open(books.caller) == 0
    books.check()


def test_an_increment_needs_a_hold_nothing_was_captured_of(books, held, act, intent):
    found = held()
    act(found, "capture", amount_to_capture=100, final_capture=False)
    with books.unchanged():
        refused(act(found, "increment_authorization", amount=1500), 400, "payment_intent_unexpected_state")
    paid = intent(payment_method="pm_card_visa", confirm=True)
    with books.unchanged():
        error = refused(act(paid, "increment_authorization", amount=1500), 400, "payment_intent_unexpected_state")
    assert error["message"] == (
        "This PaymentIntent's authorization could not be incremented because it has a status of succeeded. Only a"
        " PaymentIntent with one of the following statuses may be incremented: requires_capture."
    )


def test_an_authorization_is_raised_ten_times_at_most(books, held, act):
    found = held()
    for number in range(1, INCREMENTS_MAX + 1):
        assert act(found, "increment_authorization", amount=1000 + number).json()["amount"] == 1000 + number
    with books.unchanged():
        refused(act(found, "increment_authorization", amount=2000), 400, "increment_limit_reached")
    books.check()


# --- many captures ---


def test_fifty_captures_and_the_last_is_final(api, books, held, act, monkeypatch):
    monkeypatch.setattr(payment_intents, "CAPTURES_MAX", 4)
    assert CAPTURES_MAX == 50
    found = held()
    for _ in range(3):
        assert act(found, "capture", amount_to_capture=100, final_capture=False).status_code == 200
    with books.unchanged():
        refused(
            act(found, "capture", amount_to_capture=100, final_capture=False),
            400,
            "capture_limit_reached",
            "final_capture",
        )
    done = act(found, "capture", amount_to_capture=100).json()
    assert (done["status"], done["amount_received"]) == ("succeeded", 400)
    books.check_balance(api)


@pytest.mark.parametrize(("card", "name"), [("captureUnknown", "capture"), ("voidUnknown", "cancel")])
def test_what_nobody_knows_of_a_hold_stays_held(api, books, held, act, card, name):
    found = held(f"pm_card_{card}")
    act(found, name)
    for _ in range(2):
        books.let_leases_run_out()
        assert payment_attempts.settle_open(books.caller) == 1
    assert api.get(f"{PATH}/{found['id']}").json() == found
    assert books.hold(found["latest_charge"]) == ("pending", 1000, 0, 0)


def test_a_capture_that_is_declined_late_releases_the_hold(api, books, held, act):
    found = held("pm_card_captureLateDecline")
    assert act(found, "capture").json() == found
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    after = api.get(f"{PATH}/{found['id']}").json()
    assert (after["status"], after["cancellation_reason"]) == ("canceled", "expired")
    assert books.check_balance(api) == {"eur": (0, 0)}
