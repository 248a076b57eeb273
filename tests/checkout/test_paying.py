"""The hosted page takes a payment once, says why it could not, and tells the app."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.test import Client

from connect.kit import clock
from connect.kit.caller import Caller
from connect.kit.clock import Clock
from connect.kit.tenancy import use_environment
from payments import tasks
from payments.models import CheckoutSession, PaymentAttempt
from payments.services import checkout_sessions, holds, payment_attempts
from tests.checkout.conftest import GOOD, POOR, TYPO, Payer, alert
from tests.payments.books import Books

SHOP = "https://shop.example/ok?s={CHECKOUT_SESSION_ID}"
PENDING, LATE_DECLINE, LOST, UNAVAILABLE = (
    "4000009900000053",
    "4000009900000061",
    "4000009900000012",
    "4000009900000046",
)


@pytest.fixture
def books(environment, caller) -> Books:
    return Books(environment, caller)


def names(published):
    return [event.type for event in published]


def test_a_payment_completes_the_session_and_leads_to_the_shop(api, session, payer, now, books):
    made = session(
        success_url=SHOP, metadata={"order": "7"}, payment_intent_data={"description": "Two", "metadata": {"a": "b"}}
    )
    with books.events() as published:
        answer = payer(made).pay()
    assert (answer.status_code, answer["Location"]) == (302, f"https://shop.example/ok?s={made['id']}")
    done = now(made)
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert done["customer_details"]["email"] == "ana@example.com"
    intent = api.get(f"/v1/payment_intents/{done['payment_intent']}").json()
    assert (intent["status"], intent["amount_received"], intent["currency"]) == ("succeeded", 2500, "eur")
    assert (intent["description"], intent["metadata"]) == ("Two", {"a": "b"})
    charge = api.get(f"/v1/charges/{intent['latest_charge']}").json()
    assert charge["billing_details"]["email"] == "ana@example.com"
    assert names(published) == [
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed",
    ]  # fmt: skip
    assert published[-1].payload["payment_status"] == "paid"
    books.check()


def test_a_decline_says_what_to_do_keeps_what_was_typed_and_can_be_followed_by_success(api, session, payer, now, books):
    made = session()
    visitor = payer(made)
    declined = visitor.pay(POOR)
    assert declined.status_code == 302
    page = visitor.open()
    assert "There is not enough money on this card. No money was taken." in alert(page)
    assert 'value="ana@example.com"' in page.content.decode()
    assert POOR.replace(" ", "") not in page.content.decode().replace(" ", "").replace("400000", "", 1)
    after = now(made)
    assert (after["status"], after["payment_status"]) == ("open", "unpaid")
    assert visitor.pay(GOOD).status_code == 302
    paid = now(made)
    assert (paid["status"], paid["payment_intent"]) == ("complete", after["payment_intent"]), "one intent, two tries"
    assert len(api.get("/v1/charges").json()["data"]) == 2
    books.check()


def test_the_same_form_arriving_twice_is_one_try(session, payer, now, books):
    visitor = payer(session())
    key = visitor.key()
    first = visitor.pay(POOR, key=key)
    with books.unchanged():
        again = visitor.pay(POOR, key=key)
    assert (first.status_code, again.status_code) == (302, 302)
    assert visitor.pay(GOOD, key=key)["Location"] == visitor.path, "a corrected form is a new try, also under its key"
    assert "Thank you, it is paid" in visitor.open().content.decode()


def test_a_paid_session_takes_no_second_payment(session, payer, now, books):
    made = session()
    visitor = payer(made)
    second_tab = visitor.key()
    visitor.pay()
    with books.unchanged():
        assert visitor.pay(key=second_tab)["Location"] == visitor.path
        assert "You need not pay again" in visitor.open().content.decode()
        assert visitor.client.get(f"{visitor.path}/return")["Location"] == visitor.path


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_pay_at_once_pay_once(session, now, environment, api):
    """Every interleaving ends in one charge: the second finds the intent busy, or the session complete."""
    made = session(success_url=SHOP)
    tabs = [Payer(Client(), made) for _ in range(4)]
    keys = [tab.key() for tab in tabs]
    start = threading.Barrier(len(tabs))

    def pay(index):
        try:
            start.wait()
            return tabs[index].pay(key=keys[index]).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tabs)) as pool:
        assert set(pool.map(pay, range(len(tabs)))) == {302}
    assert now(made)["status"] == "complete"
    charges = api.get("/v1/charges").json()["data"]
    assert [charge["status"] for charge in charges] == ["succeeded"]
    assert len(api.get("/v1/payment_intents").json()["data"]) == 1
    Books(environment, Caller.system(environment, "tests")).check()


def test_a_card_that_cannot_be_right_never_reaches_the_bank(session, payer, books, now):
    made = session()
    visitor = payer(made)
    key = visitor.key()
    for typed, text in (
        ({"number": TYPO}, "This card number is not right"),
        ({"expiry": "13 / 40"}, "the month is not right"),
        ({"expiry": "01 / 20"}, "the year is not right"),
        ({"expiry": "soon"}, "Enter the date as month and year"),
        ({"cvc": "12"}, "The security code has three digits"),
        ({"email": "nobody"}, "Enter a valid email address"),
        ({"name": ""}, "This field is required"),
        ({"number": ""}, "This field is required"),
    ):
        with books.unchanged():
            answer = visitor.pay(**{"number": GOOD, **typed}, key=key)
        assert answer.status_code == 200
        assert text in answer.content.decode(), typed
        assert 'aria-invalid="true"' in answer.content.decode()
        assert "Nothing was charged" in alert(answer)
        assert 'name="cvc" value' not in answer.content.decode(), "a security code is never shown again"
    assert now(made)["payment_intent"] is None


@pytest.mark.parametrize("expiry", ["12/40", "12 / 2040", "1240", "12-40", " 12 40 "])
def test_an_expiry_is_read_as_people_type_it(session, payer, now, expiry):
    made = session()
    payer(made).pay(expiry=expiry)
    assert now(made)["status"] == "complete"


def test_a_bank_that_cannot_be_reached_is_asked_again_by_the_same_form(session, payer, now):
    made = session()
    visitor = payer(made)
    key = visitor.key()
    answer = visitor.pay(UNAVAILABLE, key=key)
    assert answer.status_code == 200
    assert "Your bank could not be reached. No money was taken." in alert(answer)
    assert visitor.pay(GOOD, key=key).status_code == 302
    assert now(made)["status"] == "complete"


def test_a_payment_without_an_answer_is_waited_for(session, payer, now, environment, books):
    """The money moved, the answer was lost: nobody is asked to pay again, and the sweeper completes the session."""
    made = session()
    visitor = payer(made)
    visitor.pay(LOST)
    assert "Your payment is being processed" in visitor.open().content.decode()
    with books.unchanged():
        assert visitor.pay(GOOD, key="another").status_code == 302, "a second try is not taken meanwhile"
    books.let_leases_run_out()
    with books.events() as published:
        payment_attempts.settle_open(Caller.system(environment, "tests"))
    assert names(published)[-1] == "checkout.session.completed"
    assert "Thank you, it is paid" in visitor.open().content.decode()
    books.check()


@pytest.mark.parametrize(
    ("card", "event", "payment_status"),
    [
        (PENDING, "checkout.session.async_payment_succeeded", "paid"),
        (LATE_DECLINE, "checkout.session.async_payment_failed", "unpaid"),
    ],
)
def test_a_payment_that_is_known_later_completes_the_session_unpaid(
    session, payer, now, environment, books, card, event, payment_status
):
    made = session()
    visitor = payer(made)
    with books.events() as published:
        visitor.pay(card)
    assert names(published)[-1] == "checkout.session.completed"
    assert (now(made)["status"], now(made)["payment_status"]) == ("complete", "unpaid")
    assert "on its way" in visitor.open().content.decode()
    books.let_leases_run_out()
    with books.events() as published:
        payment_attempts.settle_open(Caller.system(environment, "tests"))
    assert names(published)[-1] == event
    assert (now(made)["status"], now(made)["payment_status"]) == ("complete", payment_status)


def test_a_held_payment_completes_the_session_and_is_paid_when_captured(api, session, payer, now):
    made = session(payment_intent_data={"capture_method": "manual"})
    payer(made).pay()
    held = now(made)
    assert (held["status"], held["payment_status"]) == ("complete", "unpaid")
    assert api.post(f"/v1/payment_intents/{held['payment_intent']}/capture").status_code == 200
    assert now(made)["payment_status"] == "paid"


def test_a_held_payment_that_runs_out_after_a_part_was_captured_is_paid(api, books, session, payer, now):
    made = session(payment_intent_data={"capture_method": "manual"})
    payer(made).pay()
    intent = now(made)["payment_intent"]
    part = {"amount_to_capture": 100, "final_capture": False}
    assert api.post(f"/v1/payment_intents/{intent}/capture", part).status_code == 200
    assert now(made)["payment_status"] == "unpaid"
    later = replace(books.caller, clock=Clock(frozen_at=clock.wall() + timedelta(days=8)))
    assert holds.expire_due(later) == 1
    assert api.get(f"/v1/payment_intents/{intent}").json()["status"] == "succeeded"
    assert now(made)["payment_status"] == "paid"


def test_a_held_payment_may_be_canceled_by_the_app(api, session, payer, now):
    made = session(payment_intent_data={"capture_method": "manual"})
    payer(made).pay()
    canceled = api.post(f"/v1/payment_intents/{now(made)['payment_intent']}/cancel").json()
    assert canceled["status"] == "canceled"


@pytest.mark.parametrize(
    ("call", "body"), [("/confirm", {"payment_method": "pm_card_visa"}), ("/cancel", {}), ("", {"amount": 1})]
)
def test_the_app_does_not_reach_past_the_page_to_its_intent(api, session, payer, now, books, call, body):
    made = session()
    payer(made).pay(POOR)
    intent = now(made)["payment_intent"]
    with books.unchanged():
        refused = api.post(f"/v1/payment_intents/{intent}{call}", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "payment_intent_unexpected_state")
    assert made["id"] in refused.json()["error"]["message"]
    assert api.post(f"/v1/payment_intents/{intent}", {"description": "words"}).json()["description"] == "words"


def test_expiring_a_session_cancels_its_intent_and_closes_its_page(api, session, payer, now, books):
    made = session(cancel_url="https://shop.example/cart")
    visitor = payer(made)
    key = visitor.key()
    visitor.pay(POOR)
    with books.events() as published:
        api.post(f"/v1/checkout/sessions/{made['id']}/expire")
    assert names(published) == ["payment_intent.canceled", "checkout.session.expired"]
    assert api.get(f"/v1/payment_intents/{now(made)['payment_intent']}").json()["status"] == "canceled"
    page = visitor.open().content.decode()
    assert "This page is no longer open" in page
    assert 'href="https://shop.example/cart"' in page
    with books.unchanged():
        assert visitor.pay(key=key)["Location"] == visitor.path


def test_a_session_whose_payment_is_with_the_bank_is_not_expired(api, session, payer, environment):
    made = session()
    payer(made).pay(LOST)
    refused = api.post(f"/v1/checkout/sessions/{made['id']}/expire")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "lock_timeout")
    with use_environment(environment):
        CheckoutSession.objects.update(expires_at=clock.wall() - timedelta(seconds=1))
    assert tasks.expire_checkouts(str(environment.id)) == 0


def test_time_closes_the_page_before_the_job_comes_by_and_the_job_tells_the_app(
    session, payer, now, environment, books
):
    made, other = session(), session()
    visitor = payer(made)
    key = visitor.key()
    with use_environment(environment):
        paid_for = CheckoutSession.objects.exclude(secret_hash=_hash(other))
        paid_for.update(expires_at=clock.wall() - timedelta(seconds=1))
    assert "This page is no longer open" in visitor.open().content.decode()
    with books.unchanged():
        visitor.pay(key=key)
    with books.events() as published:
        assert tasks.expire_checkouts(str(environment.id)) == 1
    assert [(event.type, event.object_id) for event in published] == [("checkout.session.expired", made["id"])]
    assert (now(made)["status"], now(other)["status"]) == ("expired", "open")
    assert tasks.expire_checkouts(str(environment.id)) == 0


def _hash(made):
    from payments.selectors import checkout_sessions as selectors

    return selectors.digest(made["url"].rpartition(".")[2])


def test_an_order_for_nothing_needs_no_card(session, payer, now, books):
    free = {"currency": "eur", "unit_amount": 0, "product_data": {"name": "Sample"}}
    made = session(line_items=[{"price_data": free}])
    visitor = payer(made)
    assert 'name="number"' not in visitor.open().content.decode()
    visitor.pay()
    assert (now(made)["status"], now(made)["payment_status"], now(made)["payment_intent"]) == (
        "complete", "no_payment_required", None,
    )  # fmt: skip


def test_a_customer_is_made_where_the_app_wants_one_and_follows_corrections(api, session, payer, now):
    made = session(customer_creation="always")
    visitor = payer(made)
    visitor.pay(POOR, email="typo@example.com")
    visitor.pay(GOOD, email="ana@example.com")
    customer = api.get(f"/v1/customers/{now(made)['customer']}").json()
    assert customer["email"] == "ana@example.com"
    assert api.get(f"/v1/payment_intents/{now(made)['payment_intent']}").json()["customer"] == customer["id"]
    assert len(api.get("/v1/customers").json()["data"]) == 1


def test_no_customer_is_made_unasked(api, session, payer, now):
    made = session()
    payer(made).pay()
    assert now(made)["customer"] is None
    assert api.get("/v1/customers").json()["data"] == []


def test_phone_and_address_are_collected_where_the_app_asks(session, payer, now):
    made = session(phone_number_collection={"enabled": True}, billing_address_collection="required")
    typed = {
        "phone": "+389 70 123 456",
        "line1": "Партизанска 1",
        "postal_code": "1000",
        "city": "Скопје",
        "country": "MK",
    }
    visitor = payer(made)
    assert "This field is required" in visitor.pay(**{**typed, "city": ""}).content.decode()
    visitor.pay(**typed)
    details = now(made)["customer_details"]
    assert details["phone"] == typed["phone"]
    expected = {name: typed[name] for name in ("line1", "postal_code", "city", "country")}
    assert {name: details["address"][name] for name in expected} == expected


def test_too_many_tries_from_one_address_are_stopped(session, payer):
    visitor = payer(session())
    answers = [visitor.pay(expiry="01 / 20", key="k") for _ in range(22)]
    assert "too many tries" in alert(answers[-1])
    assert "too many tries" not in alert(answers[19])


def test_nothing_of_a_card_is_kept(session, payer, environment, now):
    made = session()
    payer(made).pay(number="5555 5555 5555 4444", cvc="731")
    assert now(made)["status"] == "complete"
    with use_environment(environment):
        attempt = PaymentAttempt.objects.get()
        kept = [repr(attempt.request), *map(repr, CheckoutSession.objects.values_list())]
    assert "5555555555554444" not in "".join(kept).replace(" ", "")


def test_the_job_finds_what_is_overdue(session, environment):
    session()
    assert checkout_sessions.expire_due(Caller.system(environment, "tests")) == 0
    with time_machine.travel(clock.wall() + timedelta(days=2), tick=False):
        assert checkout_sessions.expire_due(Caller.system(environment, "tests")) == 1


def test_one_session_that_cannot_be_expired_does_not_stop_the_others(session, environment, now, monkeypatch):
    broken, fine = session(), session()
    original = checkout_sessions.expire

    def expire(caller, *, session_id):
        if session_id == broken["id"]:
            raise LookupError("no such price")
        return original(caller, session_id=session_id)

    monkeypatch.setattr(checkout_sessions, "expire", expire)
    with time_machine.travel(clock.wall() + timedelta(days=2), tick=False):
        assert checkout_sessions.expire_due(Caller.system(environment, "tests")) == 1
    assert (now(broken)["status"], now(fine)["status"]) == ("open", "expired")
