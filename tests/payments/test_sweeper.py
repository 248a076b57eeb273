"""Answers that never came: every fault the sandbox can play is settled by asking, once, and never by guessing."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest
from django.db import connections

from connect.kit.tenancy import TransactionForbidden, use_environment
from payments import clients
from payments.clients.fake import FakeProcessor
from payments.clients.processor import Approved, AuthorizeRequest, Unknown
from payments.services import payment_attempts, payment_intents, payment_outcomes, processor_calls
from tests.payments.books import CLEARING, FEES, PENDING, refused, types

PATH = "/v1/payment_intents"
PROCESSING_ERROR = "An error occurred while processing your card. Try again in a little bit."


def sweep(books):
    """One run of the sweeper a minute later. Returns how many attempts were asked about."""
    books.let_leases_run_out()
    return payment_attempts.settle_open(books.caller)


@pytest.fixture
def processor():
    with clients.replaced("sandbox", FakeProcessor()) as fake:
        yield fake


@pytest.mark.parametrize("card", ["timeoutApproved", "pendingApproved"])
def test_what_was_approved_in_silence_is_booked_once(api, books, intent, card):
    with books.events() as events:
        found = intent(payment_method=f"pm_card_{card}", confirm=True)
    assert (found["status"], found["latest_charge"], found["amount_received"]) == ("processing", None, 0)
    assert types(events) == ["payment_intent.created", "payment_intent.processing"]
    assert events[1].payload == {**found, "client_secret": None}
    assert books.check_balance(api) == {}
    assert payment_attempts.settle_open(books.caller) == 0, "nobody takes an attempt over while its lease runs"
    with books.events() as events:
        assert sweep(books) == 1
    paid = api.get(f"{PATH}/{found['id']}").json()
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 1000)
    assert types(events) == ["charge.succeeded", "payment_intent.succeeded"]
    assert books.postings(paid["latest_charge"]) == [("charge.capture", {CLEARING: -1000, PENDING: 986, FEES: 14})]
    assert books.attempts(found["id"]) == [("authorize", "approved")]
    with books.unchanged():
        assert sweep(books) == 0
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_a_hold_approved_in_silence_is_held_and_can_be_captured(api, books, intent, act):
    found = intent(payment_method="pm_card_timeoutApproved", confirm=True, capture_method="manual")
    sweep(books)
    held = api.get(f"{PATH}/{found['id']}").json()
    assert (held["status"], held["amount_capturable"]) == ("requires_capture", 1000)
    assert books.hold(held["latest_charge"]) == ("pending", 1000, 0, 0)
    assert act(held, "capture").json()["status"] == "succeeded"
    assert books.check_balance(api) == {"eur": (0, 986)}


@pytest.mark.parametrize(
    ("card", "decline_code"), [("timeoutDeclined", "generic_decline"), ("pendingDeclined", "do_not_honor")]
)
def test_what_was_declined_in_silence_fails_and_can_be_paid_otherwise(api, books, intent, act, card, decline_code):
    found = intent(payment_method=f"pm_card_{card}", confirm=True)
    assert found["status"] == "processing"
    with books.events() as events:
        assert sweep(books) == 1
    failed = api.get(f"{PATH}/{found['id']}").json()
    assert (failed["status"], failed["payment_method"]) == ("requires_payment_method", None)
    assert failed["last_payment_error"]["decline_code"] == decline_code
    assert types(events) == ["charge.failed", "payment_intent.payment_failed"]
    assert books.postings(failed["latest_charge"]) == []
    assert act(found, "confirm", payment_method="pm_card_visa").json()["status"] == "succeeded"
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_what_the_processor_never_heard_of_fails_without_a_charge(api, books, intent, act):
    found = intent(payment_method="pm_card_timeoutNotReceived", confirm=True)
    assert found["status"] == "processing"
    with books.events() as events:
        assert sweep(books) == 1
    failed = api.get(f"{PATH}/{found['id']}").json()
    assert (failed["status"], failed["latest_charge"], failed["payment_method"]) == (
        "requires_payment_method",
        None,
        None,
    )
    assert failed["last_payment_error"]["code"] == "processing_error"
    assert failed["last_payment_error"]["message"] == PROCESSING_ERROR
    assert types(events) == ["payment_intent.payment_failed"]
    assert books.attempts(found["id"]) == [("authorize", "abandoned")]
    assert act(found, "confirm", payment_method="pm_card_visa").json()["status"] == "succeeded"
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_an_unreachable_processor_leaves_nothing_to_sweep(api, books, intent, act):
    found = intent(payment_method="pm_card_processorUnavailable")
    with books.events() as events:
        refused(act(found, "confirm"), 503, "processor_unavailable")
    assert events == []
    assert api.get(f"{PATH}/{found['id']}").json() == found
    assert books.attempts(found["id"]) == [("authorize", "abandoned")]
    with books.unchanged():
        assert sweep(books) == 0
    assert act(found, "cancel").json()["status"] == "canceled"


def test_a_method_brought_by_an_unreachable_confirmation_stays_for_the_next(api, books, intent, act):
    found = intent()
    refused(act(found, "confirm", payment_method="pm_card_processorUnavailable"), 503, "processor_unavailable")
    after = api.get(f"{PATH}/{found['id']}").json()
    assert (after["status"], after["payment_method"] is not None) == ("requires_confirmation", True)


def test_what_nobody_knows_stays_open_and_locked(api, books, intent, act):
    found = intent(payment_method="pm_card_outcomeUnknown", confirm=True)
    with books.events() as events:
        for _ in range(3):
            assert sweep(books) == 1
    assert events == [], "it was said once that it is processing"
    assert api.get(f"{PATH}/{found['id']}").json() == found
    assert books.attempts(found["id"]) == [("authorize", "open")]
    refused(act(found, "cancel"), 429, "lock_timeout")
    assert books.check_balance(api) == {}


def test_a_capture_that_happened_in_silence_is_booked_once(api, books, held, act):
    found = held("pm_card_captureTimeout")
    waiting = act(found, "capture", amount_to_capture=400).json()
    assert (waiting["status"], waiting["amount_received"]) == ("requires_capture", 0)
    for name in ("capture", "cancel"):
        refused(act(found, name), 429, "lock_timeout")
    with books.events() as events:
        assert sweep(books) == 1
    done = api.get(f"{PATH}/{found['id']}").json()
    assert (done["status"], done["amount_received"], done["amount_capturable"]) == ("succeeded", 400, 0)
    assert types(events) == [
        "charge.captured", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
    ]  # fmt: skip
    assert books.hold(done["latest_charge"]) == ("posted", 1000, 400, 600)
    assert books.check_balance(api) == {"eur": (0, 394)}


def test_a_release_that_happened_in_silence_is_booked_once(api, books, held, act):
    found = held("pm_card_voidTimeout")
    waiting = act(found, "cancel", cancellation_reason="duplicate").json()
    assert (waiting["status"], waiting["cancellation_reason"]) == ("requires_capture", None)
    refused(act(found, "capture"), 429, "lock_timeout")
    with books.events() as events:
        assert sweep(books) == 1
    done = api.get(f"{PATH}/{found['id']}").json()
    assert (done["status"], done["cancellation_reason"]) == ("canceled", "duplicate")
    assert types(events) == ["payment_intent.canceled"]
    assert books.hold(found["latest_charge"]) == ("voided", 1000, 0, 1000)
    assert books.check_balance(api) == {"eur": (0, 0)}


@pytest.mark.parametrize(("name", "operation"), [("capture", "capture"), ("cancel", "void")])
def test_a_capture_or_release_that_never_arrived_leaves_the_hold(api, books, held, act, processor, name, operation):
    found = held()
    processor.will(operation, Unknown(reason="no answer"))
    assert act(found, name).json()["status"] == "requires_capture"
    processor.books.clear()  # the processor's own answer: it never heard of it
    sweep(books)
    assert api.get(f"{PATH}/{found['id']}").json() == found
    assert books.attempts(found["id"])[-1] == (operation, "abandoned")
    assert act(found, name).json()["status"] in {"succeeded", "canceled"}
    books.check_balance(api)


def test_one_attempt_that_cannot_be_settled_does_not_stop_the_others(api, books, intent, monkeypatch, caplog):
    broken = intent(payment_method="pm_card_timeoutApproved", confirm=True)
    fine = intent(payment_method="pm_card_timeoutApproved", confirm=True)
    original = processor_calls.ask

    def ask(waiting):
        if waiting.call.request.attempt_id == first:
            raise LookupError("no such processor")
        return original(waiting)

    from payments.models import PaymentAttempt

    with use_environment(books.environment):
        rows = PaymentAttempt.objects.order_by("id")
        first = rows[0].request["attempt_id"]
    monkeypatch.setattr(processor_calls, "ask", ask)
    assert sweep(books) == 2
    assert [api.get(f"{PATH}/{found['id']}").json()["status"] for found in (broken, fine)] == [
        "processing",
        "succeeded",
    ]


def test_a_late_answer_to_a_settled_attempt_changes_nothing(books, intent, processor, monkeypatch):
    """The sweeper was faster than the request: whoever comes second finds it recorded."""
    original, settled = processor_calls.perform, []

    def overtaken(waiting):
        answer = original(waiting)
        settled.append(sweep(books))
        return answer

    monkeypatch.setattr(processor_calls, "perform", overtaken)
    paid = intent(payment_method="pm_card_visa", confirm=True)
    assert (paid["status"], settled) == ("succeeded", [1])
    assert len(books.postings(paid["latest_charge"])) == 1
    assert processor.balance_minor == 1000
    books.check()


def test_what_a_connected_account_left_open_is_settled_too(books, processor):
    """The job works for every account of the environment, and each attempt is its own account's."""
    from connect.kit import ids

    merchant = replace(books.caller, account=ids.new())
    processor.will("authorize", "fail_after")
    with use_environment(books.environment):
        waiting = payment_intents.create_and_confirm(
            merchant, amount=1000, currency="eur", payment_method="pm_card_visa"
        )
    answer = processor_calls.perform(waiting)
    with use_environment(books.environment):
        intent = payment_outcomes.record(merchant, waiting, answer)
    assert intent.status == "processing"
    assert sweep(books) == 1
    assert books.attempts(intent.id) == [("authorize", "approved")]
    assert processor.balance_minor == 1000
    books.check()


def test_money_goes_back_through_the_processor_that_took_it(api, books, intent, processor, monkeypatch):
    """Payments may go elsewhere by now."""
    with clients.replaced("older", FakeProcessor()) as older:
        monkeypatch.setattr(clients, "name_for", lambda *_, **__: "older")
        found = intent(payment_method="pm_card_visa", confirm=True)
        monkeypatch.undo()
        assert api.post("/v1/refunds", {"payment_intent": found["id"]}).json()["status"] == "succeeded"
        assert (older.balance_minor, processor.calls) == (0, [])
    books.check_balance(api)


def test_no_processor_is_called_inside_a_transaction(books):
    request = AuthorizeRequest(
        attempt_id="patt_1", livemode=False, amount_minor=1000, currency="eur", instrument="visa", capture=True
    )
    processor = clients.get("sandbox")
    with use_environment(books.environment):
        for call in (processor.authorize, processor.status):
            with pytest.raises(TransactionForbidden, match="commit the claim first"):
                call(request)
    assert isinstance(processor.authorize(request), Approved)


@pytest.mark.django_db(transaction=True)
def test_sweepers_at_once_share_the_work_and_settle_each_once(api, books, intent):
    found = [intent(payment_method="pm_card_timeoutApproved", confirm=True) for _ in range(20)]
    books.let_leases_run_out()
    asked: list[int] = []
    gate = threading.Barrier(4)

    def run():
        try:
            gate.wait()
            asked.append(payment_attempts.settle_open(books.caller))
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(asked) == 20
    paid = [api.get(f"{PATH}/{entry['id']}").json() for entry in found]
    assert Counter(entry["status"] for entry in paid) == {"succeeded": 20}
    assert all(len(books.postings(entry["latest_charge"])) == 1 for entry in paid)
    assert books.check_balance(api) == {"eur": (0, 20 * 986)}
