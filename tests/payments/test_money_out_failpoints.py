"""The process dies at each place of a refund, a capture, a release and an increment: it is done once all the same.

The processor has books, so that what it really did can be counted. Either the client sends the same request again, or
the sweeper comes first and the client afterwards.
"""

from __future__ import annotations

import pytest
from django.test import Client

from connect.kit import failpoints
from connect.kit.failpoints import Trap
from payments import clients
from payments.clients.fake import FakeProcessor
from payments.clients.processor import ActionRequired
from payments.services import payment_attempts
from tests.payments.payer import Payer

POINTS = ("payments.attempt.claimed", "payments.attempt.called", "payments.attempt.recorded", "api.external.committed")
PATH = "/v1/payment_intents"


@pytest.fixture
def processor():
    with clients.replaced("sandbox", FakeProcessor()) as fake:
        yield fake


def prepare(operation, intent, held):
    """The intent to try it on; where and what is sent; what the intent or charge is like afterwards, and its money."""
    if operation == "refund":
        found = intent(payment_method="pm_card_visa", confirm=True)
        return found, "/v1/refunds", {"payment_intent": found["id"], "amount": 700}
    found = held()
    name = {"capture": "capture", "void": "cancel", "increment": "increment_authorization"}[operation]
    return found, f"{PATH}/{found['id']}/{name}", {"amount": 1500} if operation == "increment" else {}


AFTERWARDS = {
    "refund": ("succeeded", 1000, 1000, 700, 300),
    "capture": ("succeeded", 1000, 1000, 0, 1000),
    "void": ("canceled", 1000, 0, 0, 0),
    "increment": ("requires_capture", 1500, 0, 0, 0),
}
"""Status, amount, received, refunded; and what the processor has of the payer's money."""


@pytest.mark.parametrize("first", ["the client", "the sweeper"])
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("operation", AFTERWARDS)
def test_it_is_done_once(api, books, intent, held, processor, monkeypatch, operation, point, first):
    found, path, body = prepare(operation, intent, held)
    monkeypatch.setitem(failpoints._ARMED, point, Trap("raise"))
    assert api.post(path, body, idempotency_key="k").status_code == 500
    monkeypatch.delitem(failpoints._ARMED, point)
    books.let_leases_run_out()
    if first == "the sweeper":
        payment_attempts.settle_open(books.caller)
    answer = api.post(path, body, idempotency_key="k")
    assert answer.status_code == 200, answer.content
    assert api.post(path, body, idempotency_key="k").content == answer.content
    payment_attempts.settle_open(books.caller)

    status, amount, received, refunded, money = AFTERWARDS[operation]
    after = api.get(f"{PATH}/{found['id']}").json()
    assert (after["status"], after["amount"], after["amount_received"]) == (status, amount, received)
    charge = api.get(f"/v1/charges/{found['latest_charge']}").json()
    assert charge["amount_refunded"] == refunded
    assert len(api.get("/v1/refunds").json()["data"]) == (1 if operation == "refund" else 0)
    assert processor.balance_minor == money
    assert [kind for kind, state in books.attempts(found["id"]) if state == "approved"] == ["authorize", operation]
    assert not [kind for kind, state in books.attempts(found["id"]) if state == "open"]
    books.check_balance(api)


@pytest.mark.parametrize("operation", AFTERWARDS)
def test_before_it_is_claimed_nothing_has_happened(api, books, intent, held, processor, monkeypatch, operation):
    _, path, body = prepare(operation, intent, held)
    monkeypatch.setitem(failpoints._ARMED, "api.external.claimed", Trap("raise"))
    with books.unchanged("connect_idempotency_key"):
        assert api.post(path, body, idempotency_key="k").status_code == 500
    monkeypatch.delitem(failpoints._ARMED, "api.external.claimed")
    assert api.post(path, body, idempotency_key="another").status_code == 200
    assert processor.balance_minor == AFTERWARDS[operation][-1]
    books.check_balance(api)


def test_a_check_that_dies_between_question_and_answer_is_made_again(api, books, intent, monkeypatch):
    """The job asked, and was killed before it wrote down that the refund failed: the next run does it once."""
    from django.db import connection

    from connect.kit.tenancy import use_environment
    from payments.services import refund_checks

    paid = intent(payment_method="pm_card_refundFail", confirm=True)
    refund = api.post("/v1/refunds", {"payment_intent": paid["id"]}).json()

    def due():
        with use_environment(books.environment), connection.cursor() as cursor:
            cursor.execute("UPDATE payments_refund SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")
            cursor.execute("UPDATE payments_payment_attempt SET lease_until = clock_timestamp()")

    due()
    monkeypatch.setitem(failpoints._ARMED, "payments.settle.asked", Trap("raise"))
    monkeypatch.setattr(refund_checks.log, "exception", lambda *_, **__: None)
    assert refund_checks.check_due(books.caller) == 1
    assert refund_checks.check_due(books.caller) == 0, "its lease has not run out"
    assert api.get(f"/v1/refunds/{refund['id']}").json() == refund
    monkeypatch.delitem(failpoints._ARMED, "payments.settle.asked")
    due()
    assert refund_checks.check_due(books.caller) == 1
    assert api.get(f"/v1/refunds/{refund['id']}").json()["status"] == "failed"
    assert len(books.postings(refund["id"])) == 2
    books.check_balance(api)


@pytest.mark.parametrize("silence", ["fail_before", "fail_after"])
@pytest.mark.parametrize("operation", ["authorize", *AFTERWARDS])
def test_a_question_nobody_heard_says_nothing_about_the_money(
    api, books, intent, held, processor, monkeypatch, operation, silence
):
    """It was done and never written down, and the processor is away when the same key asks: nobody may conclude that
    nothing happened, and do it a second time.
    """
    if operation == "authorize":
        path, body, money = (
            PATH,
            {"amount": 1000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True},
            1000,
        )
    else:
        _, path, body = prepare(operation, intent, held)
        money = AFTERWARDS[operation][-1]
    monkeypatch.setitem(failpoints._ARMED, "payments.attempt.called", Trap("raise"))
    assert api.post(path, body, idempotency_key="k").status_code == 500
    monkeypatch.delitem(failpoints._ARMED, "payments.attempt.called")
    books.let_leases_run_out()
    processor.will("status", silence)
    answer = api.post(path, body, idempotency_key="k")
    assert answer.status_code == 200, answer.content
    assert answer.json()["status"] in {"processing", "pending", "requires_capture"}
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    assert [name for name, _ in processor.calls].count(operation) == 1
    assert processor.balance_minor == money
    books.check_balance(api)


AFTER_AGREEING = ("payments.attempt.claimed", "payments.attempt.called", "payments.attempt.recorded")


@pytest.mark.parametrize("point", AFTER_AGREEING)
@pytest.mark.parametrize("path", [PATH, "/v1/setup_intents"])
def test_what_a_payer_agreed_to_goes_on_once(api, books, processor, monkeypatch, path, point):
    """The process dies as it tells the processor that the payer has authenticated; no key is there to ask again."""
    operation = "authorize" if path == PATH else "set_up"
    processor.will(operation, ActionRequired(authentication_id="a", redirect_url=None))
    given = {"amount": 1000, "currency": "eur"} if path == PATH else {}
    body = {**given, "payment_method": "pm_card_visa", "confirm": True, "return_url": "https://shop.test/thanks"}
    found = api.post(path, body).json()
    assert found["status"] == "requires_action"
    payer = Payer(Client(raise_request_exception=False))
    monkeypatch.setitem(failpoints._ARMED, f"{point}:{operation}", Trap("raise"))
    assert payer.answer(found, "complete").status_code == 500
    monkeypatch.delitem(failpoints._ARMED, f"{point}:{operation}")
    assert api.get(f"{path}/{found['id']}").json()["status"] == "processing"
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    arrived = point != "payments.attempt.claimed"
    after = api.get(f"{path}/{found['id']}").json()
    assert after["status"] == ("succeeded" if arrived else "requires_payment_method")
    error = after["last_payment_error" if path == PATH else "last_setup_error"]
    assert (error["code"] if error else None) == (None if arrived else "processing_error")
    assert [name for name, _ in processor.calls].count(operation) == (2 if arrived else 1)
    assert processor.balance_minor == (1000 if arrived and path == PATH else 0)
    books.check_balance(api)
