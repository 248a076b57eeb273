"""Capturing and canceling: in full, in part, several times; every state; and to the cent."""

from __future__ import annotations

import pytest

from tests.payments.books import CLEARING, FEES, PENDING, refused, types

PATH = "/v1/payment_intents"


def charge_of(api, found):
    return api.get(f"/v1/charges/{found['latest_charge']}").json()


def test_capture_in_full(send, api, books, held):
    found = held()
    with books.events() as events:
        captured = send(f"{PATH}/{found['id']}/capture", {"metadata": {"shipped": "yes"}}).json()
    assert (captured["status"], captured["amount_received"], captured["amount_capturable"]) == ("succeeded", 1000, 0)
    assert captured["metadata"] == {"shipped": "yes"}
    charge = charge_of(api, captured)
    assert (charge["captured"], charge["amount_captured"]) == (True, 1000)
    assert books.hold(charge["id"]) == ("posted", 1000, 1000, 0)
    assert books.postings(charge["id"]) == [("charge.capture", {CLEARING: -1000, PENDING: 986, FEES: 14})]
    assert types(events) == [
        "charge.captured", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
    ]  # fmt: skip
    assert events[0].payload == charge
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_capture_in_part_releases_the_rest(send, api, books, held):
    found = held()
    captured = send(f"{PATH}/{found['id']}/capture", {"amount_to_capture": 300}).json()
    assert (captured["status"], captured["amount_received"], captured["amount_capturable"]) == ("succeeded", 300, 0)
    charge = charge_of(api, captured)
    assert (charge["amount"], charge["amount_captured"]) == (1000, 300)
    assert books.hold(charge["id"]) == ("posted", 1000, 300, 700)
    assert books.postings(charge["id"]) == [("charge.capture", {CLEARING: -300, PENDING: 296, FEES: 4})]
    assert books.check_balance(api) == {"eur": (0, 296)}


def test_several_captures_pay_the_fee_of_their_sum(api, books, held, act):
    found = held()
    seen = []
    for amount, final in ((333, False), (333, False), (334, True)):
        with books.events() as events:
            found = act(found, "capture", amount_to_capture=amount, final_capture=final).json()
        seen.append((found["status"], found["amount_received"], found["amount_capturable"], types(events)))
    updated = "payment_intent.amount_capturable_updated"
    assert seen == [
        ("requires_capture", 333, 667, [updated]),
        ("requires_capture", 666, 334, [updated]),
        ("succeeded", 1000, 0, ["charge.captured", updated, "payment_intent.succeeded"]),
    ]
    charge = charge_of(api, found)
    lines = api.get("/v1/balance_transactions", {"source": charge["id"]}).json()["data"]
    assert sorted(line["amount"] for line in lines) == [333, 333, 334]
    assert sum(line["fee"] for line in lines) == 14
    assert charge["balance_transaction"] == lines[-1]["id"]
    assert books.hold(charge["id"]) == ("posted", 1000, 1000, 0)
    assert [kind for kind, _ in books.postings(charge["id"])] == ["charge.capture"] * 3
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_the_last_of_several_captures_may_leave_some(api, books, held, act):
    found = held()
    act(found, "capture", amount_to_capture=400, final_capture=False)
    done = act(found, "capture", amount_to_capture=1).json()
    assert (done["status"], done["amount_received"], done["amount_capturable"]) == ("succeeded", 401, 0)
    assert books.hold(done["latest_charge"]) == ("posted", 1000, 401, 599)
    books.check_balance(api)


def test_capturing_everything_ends_the_hold_whatever_was_said(api, books, held, act):
    """Nothing is left to keep open: an intent that could neither be captured nor canceled would be stuck for ever."""
    found = held()
    act(found, "capture", amount_to_capture=400, final_capture=False)
    done = act(found, "capture", amount_to_capture=600, final_capture=False).json()
    assert (done["status"], done["amount_received"]) == ("succeeded", 1000)
    assert books.hold(done["latest_charge"]) == ("posted", 1000, 1000, 0)
    books.check_balance(api)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"amount_to_capture": 1001}, "amount_too_large"),
        ({"amount_to_capture": 0}, "parameter_invalid_integer"),
        ({"amount_to_capture": "some"}, "parameter_invalid_integer"),
        ({"final_capture": "maybe"}, "parameter_invalid"),
        ({"amount": 100}, "parameter_unknown"),
    ],
)
def test_a_refused_capture_changes_nothing(send, books, held, given, code):
    found = held()
    with books.unchanged():
        refused(send(f"{PATH}/{found['id']}/capture", given), 400, code, next(iter(given)))


def test_never_more_than_what_is_left(books, held, act):
    found = held()
    act(found, "capture", amount_to_capture=400, final_capture=False)
    with books.unchanged():
        error = refused(act(found, "capture", amount_to_capture=601), 400, "amount_too_large", "amount_to_capture")
    assert "Set amount_to_capture to at most" in error["message"]


@pytest.mark.parametrize("state", ["requires_payment_method", "requires_confirmation", "requires_action", "processing",
                                   "succeeded", "canceled"])  # fmt: skip
def test_capture_is_refused_in_every_other_state(books, intent, act, state):
    found = in_state(state, intent, act)
    with books.unchanged():
        error = refused(act(found, "capture"), 400, "payment_intent_unexpected_state")
    assert error["payment_intent"] == found
    assert error["message"] == (
        f"This PaymentIntent could not be captured because it has a status of {state}."
        " Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
    )


def test_a_hold_that_expired_is_canceled_and_said_so(api, books, held, act):
    found = held("pm_card_captureExpired")
    with books.events() as events:
        error = refused(act(found, "capture"), 400, "charge_expired_for_capture")
    after = api.get(f"{PATH}/{found['id']}").json()
    assert error["payment_intent"] == after
    assert (after["status"], after["cancellation_reason"], after["amount_capturable"]) == ("canceled", "expired", 0)
    assert types(events) == ["charge.expired", "payment_intent.canceled"]
    assert books.hold(found["latest_charge"]) == ("voided", 1000, 0, 1000)
    assert books.postings(found["latest_charge"]) == []
    assert books.check_balance(api) == {"eur": (0, 0)}


# --- cancel ---


def in_state(state, intent, act):
    """A payment intent in `state`."""
    if state == "requires_payment_method":
        found = intent()
    elif state == "requires_confirmation":
        found = intent(payment_method="pm_card_visa")
    elif state == "canceled":
        found = act(intent(), "cancel").json()
    else:
        card = {"requires_action": "pm_card_authenticationRequired", "processing": "pm_card_outcomeUnknown"}
        method = "manual" if state == "requires_capture" else "automatic"
        found = intent(payment_method=card.get(state, "pm_card_visa"), confirm=True, capture_method=method)
    assert found["status"] == state
    return found


@pytest.mark.parametrize("state", ["requires_payment_method", "requires_confirmation", "requires_action"])
@pytest.mark.parametrize("reason", [None, "duplicate", "fraudulent", "requested_by_customer", "abandoned"])
def test_cancel_what_holds_nothing(books, api, intent, act, state, reason):
    found = in_state(state, intent, act)
    with books.events() as events, books.unchanged("payments_payment_intent", "connect_event"):
        canceled = act(found, "cancel", **({"cancellation_reason": reason} if reason else {})).json()
    assert (canceled["status"], canceled["cancellation_reason"], canceled["next_action"]) == ("canceled", reason, None)
    assert canceled["canceled_at"] >= canceled["created"]
    assert types(events) == ["payment_intent.canceled"]


def test_cancel_releases_what_is_held(send, api, books, held):
    found = held()
    with books.events() as events:
        canceled = send(f"{PATH}/{found['id']}/cancel", {"cancellation_reason": "duplicate"}).json()
    assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", "duplicate")
    assert (canceled["amount_capturable"], canceled["amount_received"]) == (0, 0)
    assert types(events) == ["payment_intent.canceled"]
    assert books.hold(found["latest_charge"]) == ("voided", 1000, 0, 1000)
    assert books.postings(found["latest_charge"]) == []
    assert charge_of(api, found)["refunded"] is True
    assert books.attempts(found["id"]) == [("authorize", "approved"), ("void", "approved")]
    assert books.check_balance(api) == {"eur": (0, 0)}


def test_cancel_after_a_partial_capture_keeps_what_was_taken(api, books, held, act):
    found = held()
    act(found, "capture", amount_to_capture=400, final_capture=False)
    with books.events() as events:
        canceled = act(found, "cancel").json()
    assert types(events) == ["charge.captured", "payment_intent.canceled"], "nothing further will be taken"
    assert events[0].payload == charge_of(api, found)
    assert events[0].payload["captured"] is True
    assert (canceled["status"], canceled["amount_received"], canceled["amount_capturable"]) == ("canceled", 400, 0)
    assert books.hold(found["latest_charge"]) == ("posted", 1000, 400, 600)
    assert charge_of(api, found)["refunded"] is False
    assert books.check_balance(api) == {"eur": (0, 394)}


@pytest.mark.parametrize("state", ["succeeded", "canceled"])
def test_what_has_ended_cannot_be_canceled(books, intent, act, state):
    found = in_state(state, intent, act)
    with books.unchanged():
        error = refused(act(found, "cancel"), 400, "payment_intent_unexpected_state")
    assert error["payment_intent"] == found
    assert error["message"] == (
        f"You cannot cancel this PaymentIntent because it has a status of {state}. Only a PaymentIntent with one of the"
        " following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation,"
        " requires_action, processing."
    )


def test_nobody_cancels_what_is_with_the_processor(books, intent, act):
    found = in_state("processing", intent, act)
    with books.unchanged():
        answer = act(found, "cancel")
    refused(answer, 429, "lock_timeout")
    assert answer.headers["Stripe-Should-Retry"] == "true"


@pytest.mark.parametrize("reason", ["automatic", "expired", "void_invoice", "because"])
def test_only_a_callers_reasons_are_taken(books, intent, act, reason):
    found = intent()
    with books.unchanged():
        refused(act(found, "cancel", cancellation_reason=reason), 400, "parameter_invalid", "cancellation_reason")
