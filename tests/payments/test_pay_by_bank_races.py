"""Paying by bank when two do it at once, or when the process dies in between: one order, one charge, no drift."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from banks import clients as connectors
from banks.clients.fake import FakeConnector
from connect.kit import failpoints
from connect.kit.failpoints import Trap
from connect.kit.tenancy import use_environment
from payments import tasks
from tests.at_once import together
from tests.payments.bank_payer import DATA, BankPayer

ROUNDS = 8
SHOP = "https://shop.test/"


@pytest.fixture
def bank(settings):
    settings.FC_SANDBOX_BANK_URL = "https://bank.test"
    with connectors.replaced("berlin_group", FakeConnector()) as fake:
        yield fake


@pytest.fixture
def waiting(bank, intent):
    return lambda: intent(payment_method_data=DATA, confirm=True, return_url=SHOP)


@pytest.fixture
def read(api):
    return lambda found: api.get(f"/v1/payment_intents/{found['id']}").json()


def make_due(environment) -> None:
    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute("UPDATE banks_payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")


def let_the_lease_run_out(environment) -> None:
    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute("UPDATE banks_payment SET lease_until = clock_timestamp() - interval '1 second'")


def charges_of(api, found) -> list[str]:
    return [charge["status"] for charge in api.get("/v1/charges", {"payment_intent": found["id"]}).json()["data"]]


@pytest.mark.django_db(transaction=True)
def test_tabs_that_submit_at_once_make_one_order(bank, waiting):
    for _ in range(ROUNDS):
        found, before = waiting(), bank.count("begin_payment")
        tabs = [BankPayer(bank) for _ in range(3)]
        answers = together(*(lambda tab=tab, found=found: tab.choose(found).status_code for tab in tabs))
        assert answers == [303, 303, 303]
        assert bank.count("begin_payment") - before == 1


@pytest.mark.django_db(transaction=True)
def test_the_payer_the_job_and_the_sweeper_at_once_post_once(bank, waiting, api, read, books, environment):
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(ROUNDS):
        found = waiting()
        payer = BankPayer(bank)
        payer.choose(found)
        if dice.random() < 0.5:  # the conclusion is open already when all three come
            bank.settle("ACSP")
            make_due(environment)
            tasks.follow_bank_payments(str(environment.id))
            books.let_leases_run_out()
        bank.settle("ACSC")
        make_due(environment)
        works = [
            lambda payer=payer: payer.come_back().status_code,
            lambda: tasks.follow_bank_payments(str(environment.id)),
            lambda: tasks.settle_attempts(str(environment.id)),
        ]
        dice.shuffle(works)
        together(*works)
        books.let_leases_run_out()
        tasks.settle_attempts(str(environment.id))
        paid = read(found)
        assert paid["status"] == "succeeded"
        assert charges_of(api, found) == ["succeeded"]
        assert len(books.postings(paid["latest_charge"])) == 2
    books.check_balance(api)


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_and_a_choice_at_once_never_leave_an_order_without_its_intent(bank, waiting, api, act, read):
    for _ in range(ROUNDS):
        found, before = waiting(), bank.count("begin_payment")
        canceled, _ = together(
            lambda found=found: act(found, "cancel").status_code, lambda found=found: BankPayer(bank).choose(found)
        )
        sent = bank.count("begin_payment") - before
        assert (canceled, sent) in {(200, 0), (400, 1)}
        assert read(found)["status"] == ("canceled" if canceled == 200 else "requires_action")


CONFIRMING = (
    "payments.attempt.claimed",
    "payments.attempt.called",
    "payments.attempt.recorded",
    "api.external.committed",
)
RETURNING = ("banks.payment.asked", *CONFIRMING)


@pytest.mark.parametrize("point", CONFIRMING)
def test_a_process_that_dies_while_confirming_leaves_one_payment(bank, api, books, monkeypatch, point):
    body = {"amount": 1000, "currency": "eur", "confirm": True, "payment_method_data": DATA, "return_url": SHOP}
    monkeypatch.setitem(failpoints._ARMED, point, Trap("raise"))
    assert api.post("/v1/payment_intents", body, idempotency_key="k").status_code == 500
    monkeypatch.delitem(failpoints._ARMED, point)
    books.let_leases_run_out()
    found = api.post("/v1/payment_intents", body, idempotency_key="k").json()
    assert found["status"] == "requires_action"
    assert len(api.get("/v1/payment_intents").json()["data"]) == 1
    payer = BankPayer(bank)
    payer.choose(found)
    bank.settle("ACSC")
    payer.come_back()
    assert charges_of(api, found) == ["succeeded"]
    books.check_balance(api)


@pytest.mark.parametrize("point", ["banks.payment.claimed", "banks.payment.sent"])
def test_a_process_that_dies_while_sending_the_order_lets_the_payer_begin_again(
    bank, waiting, api, read, books, environment, monkeypatch, point
):
    found = waiting()
    payer = BankPayer(bank, raises=False)
    monkeypatch.setitem(failpoints._ARMED, point, Trap("raise"))
    assert payer.choose(found).status_code == 500
    monkeypatch.delitem(failpoints._ARMED, point)
    orphans = set(bank.payments)
    assert "/pay/" in payer.open(found)["Refresh"]  # somebody may still be at it
    assert payer.choose(found)["Location"].startswith("/pay/")
    let_the_lease_run_out(environment)
    assert payer.choose(found)["Location"].startswith("https://bank.test/")
    bank.settle("ACSC")
    payer.come_back()
    assert [order.bank_status for key, order in bank.payments.items() if key in orphans] == ["RCVD"] * len(orphans)
    assert (read(found)["status"], charges_of(api, found)) == ("succeeded", ["succeeded"])
    books.check_balance(api)


@pytest.mark.parametrize("first", ["the payer", "the job"])
@pytest.mark.parametrize("point", RETURNING)
def test_a_process_that_dies_while_the_payer_returns_settles_once(
    bank, waiting, api, read, books, environment, monkeypatch, point, first
):
    found = waiting()
    payer = BankPayer(bank, raises=False)
    payer.choose(found)
    bank.settle("ACSC")
    monkeypatch.setitem(failpoints._ARMED, point, Trap("raise"))
    assert payer.come_back().status_code == 500
    monkeypatch.delitem(failpoints._ARMED, point)
    books.let_leases_run_out()
    if first == "the job":
        make_due(environment)
        tasks.follow_bank_payments(str(environment.id))
        tasks.settle_attempts(str(environment.id))
    assert "redirect_status=succeeded" in payer.come_back()["Location"]
    assert (read(found)["status"], charges_of(api, found)) == ("succeeded", ["succeeded"])
    assert [state for _, state in books.attempts(found["id"])] == ["action_required", "approved"]
    books.check_balance(api)
