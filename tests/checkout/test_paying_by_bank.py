"""Paying by bank from the hosted page, at a bank in memory."""

from __future__ import annotations

import pytest
from django.core import mail

from banks import clients as connectors
from banks.clients.fake import FakeConnector
from payments import tasks
from tests.payments.bank_payer import BankPayer
from tests.payments.books import Books, refused

BOTH = ["card", "pay_by_bank"]


@pytest.fixture
def bank(settings):
    settings.FC_SANDBOX_BANK_URL = "https://bank.test"
    with connectors.replaced("berlin_group", FakeConnector()) as fake:
        yield fake


@pytest.fixture
def books(environment, caller) -> Books:
    return Books(environment, caller)


@pytest.fixture
def intent_of(api, now):
    return lambda made: api.get(f"/v1/payment_intents/{now(made)['payment_intent']}").json()


def by_bank(payer, **typed):
    """Press "Pay by bank"; card and name are left empty."""
    return payer.pay("", name="", expiry="", cvc="", pay_with="bank", **typed)


def test_both_ways_to_pay_are_offered_and_each_alone(bank, session, payer):
    both = payer(session(payment_method_types=BOTH)).open().content.decode()
    assert 'name="pay_with" value="bank"' in both
    assert 'name="number"' in both
    alone = payer(session(payment_method_types=["pay_by_bank"])).open().content.decode()
    assert 'name="pay_with" value="bank"' in alone
    assert 'name="number"' not in alone
    assert 'name="pay_with"' not in payer(session()).open().content.decode()


@pytest.mark.parametrize("types", [BOTH, ["pay_by_bank"]])
def test_a_payment_by_bank_completes_the_session_and_leads_to_the_shop(
    bank, session, payer, now, intent_of, api, environment, types
):
    made = session(payment_method_types=types, success_url="https://shop.test/paid?{CHECKOUT_SESSION_ID}")
    answer = by_bank(payer(made))
    assert (answer.status_code, "/pay/" in answer["Location"]) == (302, True)
    at_bank = BankPayer(bank)
    at_bank.choose(intent_of(made))
    bank.settle("ACSC")
    assert at_bank.come_back()["Location"] == f"https://shop.test/paid?{made['id']}"
    assert (now(made)["status"], now(made)["payment_status"]) == ("complete", "paid")
    assert intent_of(made)["amount_received"] == 2500
    tasks.send_receipts(str(environment.id))
    assert "Sandbox Bank" in mail.outbox[-1].body


def test_a_refused_payment_is_told_on_the_page_and_a_card_can_pay(bank, session, payer, now, intent_of):
    made = session(payment_method_types=BOTH)
    at = payer(made)
    by_bank(at)
    at_bank = BankPayer(bank)
    at_bank.choose(intent_of(made))
    bank.settle("RJCT")
    page = at_bank.come_back().content.decode()
    assert "Your bank declined the payment" in page
    at.pay()
    assert now(made)["payment_status"] == "paid"


def test_a_payment_the_bank_still_works_on_completes_the_session_unpaid(
    bank, session, payer, now, intent_of, books, environment
):
    made = session(payment_method_types=BOTH)
    by_bank(payer(made))
    at_bank = BankPayer(bank)
    at_bank.choose(intent_of(made))
    bank.settle("ACSP")
    at_bank.follow(bank.payments[bank.newest_payment()].order.redirect_uri + "?look=3")
    assert (now(made)["status"], now(made)["payment_status"]) == ("complete", "unpaid")
    bank.settle("ACSC")
    books.let_leases_run_out()
    tasks.settle_attempts(str(environment.id))
    assert now(made)["payment_status"] == "paid"


def test_a_card_does_not_pay_what_the_bank_has_already(bank, session, payer, now, intent_of):
    made = session(payment_method_types=BOTH)
    at = payer(made)
    by_bank(at)
    BankPayer(bank).choose(intent_of(made))
    answer = at.pay()
    assert "/pay/" in answer["Location"]
    assert (intent_of(made)["status"], now(made)["payment_status"]) == ("requires_action", "unpaid")


def test_a_session_whose_bank_has_the_order_is_not_expired(bank, session, payer, api, now, intent_of):
    made = session(payment_method_types=BOTH)
    by_bank(payer(made))
    BankPayer(bank).choose(intent_of(made))
    refused(api.post(f"/v1/checkout/sessions/{made['id']}/expire"), 400, "payment_intent_unexpected_state")
    assert now(made)["status"] == "open"


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"mode": "setup", "currency": "eur"}, "pay_by_bank_not_kept", "payment_method_types"),
        ({"payment_intent_data": {"capture_method": "manual"}}, "pay_by_bank_captures_at_once",
         "payment_intent_data[capture_method]"),
        ({"payment_intent_data": {"setup_future_usage": "off_session"}}, "pay_by_bank_needs_payer",
         "payment_intent_data[setup_future_usage]"),
    ],
)  # fmt: skip
def test_a_page_that_could_not_pay_by_bank_is_refused(bank, api, given, code, param):
    line = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}, "quantity": 1}
    body = {"mode": "payment", "payment_method_types": BOTH, "line_items": [line], **given}
    if body["mode"] == "setup":
        del body["line_items"]
    refused(api.post("/v1/checkout/sessions", body), 400, code, param)
