"""The hosted page in setup mode: one setup intent, confirmed by the processor, whatever the payer does to the page."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client

from connect.kit import clock, failpoints
from connect.kit.caller import Caller
from connect.kit.failpoints import FailpointReached, Trap
from connect.kit.tenancy import use_environment
from payments import tasks
from payments.models import CheckoutSession
from payments.services import payment_attempts
from tests.checkout.conftest import GOOD, TYPO, Payer, alert
from tests.payments.books import Books, refused, types

SHOP = "https://shop.example/ok?s={CHECKOUT_SESSION_ID}"
ASKS, DECLINED = "4000 0027 6000 3184", "4000 0000 0000 0002"
LOST, UNAVAILABLE, NEVER_ARRIVED = "4000009900000012", "4000009900000046", "4000009900000038"


@pytest.fixture
def books(environment, caller) -> Books:
    return Books(environment, caller)


@pytest.fixture
def setups(api):
    """The setup intents of the environment, newest first."""
    return lambda: api.get("/v1/setup_intents").json()["data"]


def cards_of(api, customer):
    return api.get(f"/v1/customers/{customer}/payment_methods").json()["data"]


def test_the_card_is_kept_by_a_setup_intent(api, session, payer, now, books):
    made = session(
        mode="setup", success_url=SHOP, setup_intent_data={"description": "For later", "metadata": {"a": "b"}}
    )
    assert made["setup_intent"] is None
    with books.events() as published:
        answer = payer(made).pay()
    assert (answer.status_code, answer["Location"]) == (302, f"https://shop.example/ok?s={made['id']}")
    done = now(made)
    assert (done["status"], done["payment_status"], done["url"], done["payment_intent"]) == (
        "complete", "no_payment_required", None, None,
    )  # fmt: skip
    expanded = api.get(f"/v1/checkout/sessions/{made['id']}", {"expand[]": "setup_intent.payment_method"}).json()
    intent = expanded["setup_intent"]
    known = {"id": done["setup_intent"], "status": "succeeded", "usage": "off_session", "customer": done["customer"],
             "description": "For later", "metadata": {"a": "b"}, "last_setup_error": None}  # fmt: skip
    assert {name: intent[name] for name in known} == known
    customer = api.get(f"/v1/customers/{done['customer']}").json()
    assert (customer["email"], customer["name"]) == ("ana@example.com", "Ana")
    (kept,) = cards_of(api, done["customer"])
    assert (kept["id"], kept["card"]["last4"]) == (intent["payment_method"]["id"], "4242")
    assert kept["billing_details"]["email"] == "ana@example.com"
    assert types(published) == [
        "customer.created", "setup_intent.created", "payment_method.attached", "setup_intent.succeeded",
        "checkout.session.completed",
    ]  # fmt: skip
    assert published[-1].payload["setup_intent"] == done["setup_intent"]
    assert api.get("/v1/charges").json()["data"] == []


def test_the_card_is_kept_for_the_customer_of_the_session(api, session, payer, now, setups):
    customer = api.post("/v1/customers", {"email": "known@example.com"}).json()["id"]
    made = session(mode="setup", customer=customer)
    payer(made).pay()
    assert (now(made)["customer"], setups()[0]["customer"], len(cards_of(api, customer))) == (customer, customer, 1)
    assert api.get(f"/v1/customers/{customer}").json()["email"] == "known@example.com"
    assert len(api.get("/v1/customers").json()["data"]) == 1


def test_no_customer_is_made_where_the_app_wants_none(api, session, payer, now, setups):
    made = session(mode="setup", customer_creation="if_required")
    payer(made).pay()
    assert (now(made)["status"], now(made)["customer"], setups()[0]["status"]) == ("complete", None, "succeeded")
    assert api.get("/v1/customers").json()["data"] == []


def test_a_decline_says_what_to_do_and_can_be_followed_by_success(api, session, payer, now, books, setups):
    made = session(mode="setup")
    visitor = payer(made)
    with books.events() as published:
        assert visitor.pay(DECLINED, email="typo@example.com")["Location"] == visitor.path
    assert types(published) == ["customer.created", "setup_intent.created", "setup_intent.setup_failed"]
    opened = visitor.open()
    assert "The bank declined the card. No money was taken. Try another card" in alert(opened)
    page = opened.content.decode()
    assert 'value="typo@example.com"' in page
    assert "4000000000000002" not in page.replace(" ", ""), "a declined card is not shown again"
    open_still = now(made)
    assert (open_still["status"], cards_of(api, open_still["customer"])) == ("open", [])
    assert visitor.pay(email="ana@example.com").status_code == 302
    assert "Your card is saved" in visitor.open().content.decode()
    (intent,) = setups()
    done = now(made)
    assert done["setup_intent"] == open_still["setup_intent"] == intent["id"], "one intent, two tries"
    assert intent["status"] == "succeeded"
    assert api.get(f"/v1/customers/{done['customer']}").json()["email"] == "ana@example.com"
    assert len(api.get("/v1/customers").json()["data"]) == 1


def test_a_card_that_cannot_be_right_makes_nothing(session, payer, books, now):
    made = session(mode="setup")
    visitor = payer(made)
    key = visitor.key()
    for typed, text in (
        ({"number": TYPO}, "This card number is not right"),
        ({"expiry": "01 / 20"}, "the year is not"),
    ):
        with books.unchanged():
            answer = visitor.pay(**{"number": GOOD, **typed}, key=key)
        assert text in answer.content.decode()
    assert now(made)["setup_intent"] is None


@pytest.mark.parametrize("number", [GOOD, DECLINED, ASKS])
def test_the_same_form_arriving_twice_is_one_try(session, payer, books, setups, number):
    visitor = payer(session(mode="setup"))
    key = visitor.key()
    first = visitor.pay(number, key=key)
    with books.unchanged():
        again = visitor.pay(number, key=key)
        visitor.open()
    assert first["Location"] == again["Location"]
    assert len(setups()) == 1


def test_a_finished_session_takes_no_second_card(session, payer, books):
    visitor = payer(session(mode="setup"))
    second_tab = visitor.key()
    visitor.pay()
    with books.unchanged():
        assert visitor.pay("5555 5555 5555 4444", key=second_tab)["Location"] == visitor.path
        assert "Your card is saved" in visitor.open().content.decode()
        assert visitor.client.get(f"{visitor.path}/return")["Location"] == visitor.path


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_make_one_setup_intent(session, now, api, setups):
    made = session(mode="setup", success_url=SHOP)
    tabs = [Payer(Client(), made) for _ in range(4)]
    keys = [tab.key() for tab in tabs]
    start = threading.Barrier(len(tabs))

    def submit(index):
        try:
            start.wait()
            return tabs[index].pay(key=keys[index]).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tabs)) as pool:
        assert set(pool.map(submit, range(len(tabs)))) == {302}
    done = now(made)
    assert done["status"] == "complete"
    assert [(intent["id"], intent["status"]) for intent in setups()] == [(done["setup_intent"], "succeeded")]
    assert len(api.get("/v1/customers").json()["data"]) == 1
    assert len(cards_of(api, done["customer"])) == 1


@pytest.mark.django_db(transaction=True)
def test_an_end_and_a_consent_at_once_agree(api, session, now, setups):
    """Whoever comes first wins whole: the card is kept by a complete session, or not kept by an expired one."""
    for _ in range(6):
        made = session(mode="setup")
        client = Client()
        bank = urlsplit(Payer(client, made).pay(ASKS)["Location"]).path
        start = threading.Barrier(2)

        def at_once(what, start=start):
            try:
                start.wait()
                return what().status_code
            finally:
                connections.close_all()

        calls = [
            lambda made=made: api.post(f"/v1/checkout/sessions/{made['id']}/expire"),
            lambda client=client, bank=bank: client.post(bank, {"answer": "complete"}),
        ]
        with ThreadPoolExecutor(2) as pool:
            expired, _ = pool.map(at_once, calls)
        assert expired in {200, 400, 429}
        done, intent = now(made), setups()[0]
        assert (done["setup_intent"], len(cards_of(api, done["customer"]))) == (
            intent["id"], 0 if expired == 200 else 1,
        )  # fmt: skip
        ended = ("expired", "canceled") if expired == 200 else ("complete", "succeeded")
        assert (done["status"], intent["status"]) == ended


def test_a_bank_that_cannot_be_reached_is_asked_again_by_the_same_form(session, payer, now, setups):
    made = session(mode="setup")
    visitor = payer(made)
    key = visitor.key()
    answer = visitor.pay(UNAVAILABLE, key=key)
    assert answer.status_code == 200
    assert "Your bank could not be reached. No money was taken." in alert(answer)
    assert visitor.pay(GOOD, key=key).status_code == 302
    assert now(made)["status"] == "complete"
    assert [intent["status"] for intent in setups()] == ["succeeded"]


def test_a_setup_without_an_answer_is_waited_for(api, session, payer, now, environment, books, setups):
    made = session(mode="setup")
    visitor = payer(made)
    visitor.pay(LOST)
    waiting = visitor.open().content.decode()
    assert "Your card is being saved" in waiting
    assert "pay again" not in waiting
    with books.unchanged():
        assert visitor.pay(GOOD, key="another").status_code == 302, "a second try is not taken meanwhile"
        refused(api.post(f"/v1/checkout/sessions/{made['id']}/expire"), 429, "lock_timeout")
    with use_environment(environment):
        CheckoutSession.objects.update(expires_at=clock.wall() - timedelta(seconds=1))
    assert tasks.expire_checkouts(str(environment.id)) == 0, "nobody knows yet whether the card was kept"
    books.let_leases_run_out()
    with books.events() as published:
        payment_attempts.settle_open(Caller.system(environment, "tests"))
    assert types(published) == ["payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"]
    assert (now(made)["status"], [intent["status"] for intent in setups()]) == ("complete", ["succeeded"])


@pytest.mark.parametrize("where", ["claimed", "called", "recorded"])
@pytest.mark.parametrize(("number", "heard"), [(GOOD, True), (NEVER_ARRIVED, False)])
def test_a_form_whose_process_died_is_settled_once(
    session, payer, now, books, setups, monkeypatch, number, heard, where
):
    """The sweeper asks the processor; the same form, sent again, is told what became of it and adds nothing."""
    made = session(mode="setup")
    visitor = payer(made)
    key = visitor.key()
    point = f"payments.attempt.{where}"
    monkeypatch.setitem(failpoints._ARMED, point, Trap("raise"))
    with pytest.raises(FailpointReached):
        visitor.pay(number, key=key)
    monkeypatch.delitem(failpoints._ARMED, point)
    assert (now(made)["status"], [intent["status"] for intent in setups()]) == ("open", ["processing"])
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    assert now(made)["status"] == ("complete" if heard else "open")
    with books.unchanged("connect_idempotency_key"):
        assert visitor.pay(number, key=key)["Location"] == visitor.path
    shown = visitor.open()
    if heard:
        assert "Your card is saved" in shown.content.decode()
        return
    assert "Something went wrong while your bank was asked. No money was taken." in alert(shown)
    assert visitor.pay(GOOD, key=key)["Location"] == visitor.path
    assert (now(made)["status"], [intent["status"] for intent in setups()]) == ("complete", ["succeeded"])


def test_the_app_does_not_reach_past_the_page_to_its_intent(api, session, payer, now, books):
    made = session(mode="setup")
    payer(made).pay(DECLINED)
    path = f"/v1/setup_intents/{now(made)['setup_intent']}"
    customer = now(made)["customer"]
    for call, body, param in (
        ("/confirm", {"payment_method": "pm_card_visa"}, None),
        ("/cancel", {}, None),
        ("", {"payment_method": "pm_card_visa"}, "payment_method"),
        ("", {"customer": customer}, "customer"),
    ):
        with books.unchanged():
            error = refused(api.post(f"{path}{call}", body), 400, "setup_intent_unexpected_state", param)
        assert made["id"] in error["message"]
        assert error["setup_intent"]["id"] == now(made)["setup_intent"]
    assert api.post(path, {"description": "words"}).json()["description"] == "words"


@pytest.mark.parametrize("number", [DECLINED, ASKS])
def test_expiring_a_session_cancels_its_setup_intent_and_closes_its_page(api, session, payer, now, books, number):
    made = session(mode="setup", cancel_url="https://shop.example/cart")
    visitor = payer(made)
    key = visitor.key()
    visitor.pay(number)
    with books.events() as published:
        api.post(f"/v1/checkout/sessions/{made['id']}/expire")
    assert types(published) == ["setup_intent.canceled", "checkout.session.expired"]
    intent = api.get(f"/v1/setup_intents/{now(made)['setup_intent']}").json()
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "abandoned")
    assert "The time to save a card here is over" in visitor.open().content.decode()
    with books.unchanged():
        assert visitor.pay(key=key)["Location"] == visitor.path


def test_who_is_asked_by_the_bank_goes_there_and_comes_back_to_the_shop(api, client, session, payer, now, books):
    made = session(mode="setup", success_url=SHOP)
    visitor = payer(made)
    bank = urlsplit(visitor.pay(ASKS)["Location"]).path
    assert bank.startswith("/3ds/")
    opened = visitor.open().content.decode()
    assert bank in opened, "who left for the bank finds the way there again"
    assert "Your bank asks you to confirm that this card is kept." in opened
    challenge = client.get(bank)
    assert "The card is kept for later payments" in challenge.content.decode()
    assert "https://shop.example" in challenge["Content-Security-Policy"].partition("form-action")[2].partition(";")[0]
    assert now(made)["status"] == "open"
    with books.events() as published:
        back = client.post(bank, {"answer": "complete"})
    assert types(published)[-2:] == ["setup_intent.succeeded", "checkout.session.completed"]
    returned = urlsplit(back["Location"])
    assert returned.path == f"{visitor.path}/return"
    assert client.get(f"{returned.path}?{returned.query}")["Location"] == f"https://shop.example/ok?s={made['id']}"
    assert now(made)["status"] == "complete"
    with books.unchanged():
        assert client.post(bank, {"answer": "complete"})["Location"] == back["Location"], "pressed twice"
    assert len(cards_of(api, now(made)["customer"])) == 1


def test_who_fails_at_the_bank_is_told_and_tries_again(api, client, session, payer, now, setups):
    made = session(mode="setup")
    visitor = payer(made)
    bank = urlsplit(visitor.pay(ASKS)["Location"]).path
    back = urlsplit(client.post(bank, {"answer": "fail"})["Location"])
    assert client.get(f"{back.path}?{back.query}")["Location"] == visitor.path
    assert "Your bank could not confirm that it is you. No money was taken." in alert(visitor.open())
    assert cards_of(api, now(made)["customer"]) == []
    again = urlsplit(visitor.pay(ASKS)["Location"]).path
    assert again != bank
    assert client.post(again, {"answer": "complete"}).status_code == 303
    assert (now(made)["status"], [intent["status"] for intent in setups()]) == ("complete", ["succeeded"])


def test_another_card_makes_the_page_of_the_first_void(api, client, session, payer, now, books, setups):
    made = session(mode="setup")
    visitor = payer(made)
    bank = urlsplit(visitor.pay(ASKS)["Location"]).path
    visitor.pay(GOOD)
    assert now(made)["status"] == "complete"
    with books.unchanged("payments_authentication"):
        client.post(bank, {"answer": "complete"})
    assert "There is nothing to confirm here any more" in client.get(bank).content.decode()
    (kept,) = cards_of(api, now(made)["customer"])
    assert (kept["card"]["last4"], len(setups())) == ("4242", 1)


@pytest.mark.parametrize("mode", ["payment", "setup"])
def test_who_pays_for_a_customer_who_was_deleted_meanwhile_is_told_so(api, session, payer, now, mode):
    customer = api.post("/v1/customers", {"email": "known@example.com"}).json()["id"]
    made = session(mode=mode, customer=customer)
    api.delete(f"/v1/customers/{customer}")
    answer = payer(made).pay()
    assert (answer.status_code, alert(answer)) == (
        200, "Card payments are not available here at the moment. Ask the seller for another way to pay.",
    )  # fmt: skip
    assert now(made)["status"] == "open"
    assert api.get("/v1/charges").json()["data"] == []
