"""Saved payment methods: kept by a payment, set up by one, and charged while the payer is away."""

from __future__ import annotations

import pytest

from connect.kit.tenancy import use_environment
from payments import clients
from payments.clients.fake import FakeProcessor
from payments.services import customers as customer_services
from payments.services import payment_attempts, processor_calls
from tests.payments.books import refused, types
from tests.payments.payer import Payer

PATH = "/v1/payment_intents"
UNLESS_SET_UP = "pm_card_authenticationRequiredOnSetup"
ALWAYS = "pm_card_authenticationRequired"
WHEN_PRESENT = "pm_card_authenticationRequiredSetupForOffSession"
AWAY = {"amount": 700, "currency": "eur", "off_session": True, "confirm": True}


@pytest.fixture
def customer(api) -> str:
    return api.post("/v1/customers", {"email": "ana@example.com"}).json()["id"]


@pytest.fixture
def attached(api, customer):
    """`attached("pm_card_visa")` is a method attached to the customer, without having been set up."""
    return lambda name: api.post(f"/v1/payment_methods/{name}/attach", {"customer": customer}).json()["id"]


@pytest.fixture
def set_up(api, customer):
    """`set_up("pm_card_visa")` is a method that a setup intent kept for the customer."""

    def make(name: str, usage: str = "off_session") -> str:
        body = {"customer": customer, "payment_method": name, "confirm": True, "usage": usage}
        found = api.post("/v1/setup_intents", body).json()
        if found["status"] == "requires_action":
            Payer().answer(found, "complete")
            found = api.get(f"/v1/setup_intents/{found['id']}").json()
        assert found["status"] == "succeeded"
        return found["payment_method"]

    return make


@pytest.mark.parametrize("usage", ["off_session", "on_session"])
def test_a_payment_keeps_its_method_for_the_customer(api, books, intent, customer, usage):
    with books.events() as events:
        paid = intent(payment_method="pm_card_visa", customer=customer, setup_future_usage=usage, confirm=True)
    assert (paid["status"], paid["setup_future_usage"]) == ("succeeded", usage)
    method = api.get(f"/v1/payment_methods/{paid['payment_method']}").json()
    assert method["customer"] == customer
    assert types(events) == [
        "payment_intent.created", "payment_method.attached", "charge.succeeded", "payment_intent.succeeded",
    ]  # fmt: skip
    listed = api.get(f"/v1/customers/{customer}/payment_methods").json()["data"]
    assert [found["id"] for found in listed] == [method["id"]]
    again = api.post(PATH, {**AWAY, "customer": customer, "payment_method": method["id"]}).json()
    assert again["status"] == "succeeded"
    books.check_balance(api)


def test_a_held_payment_keeps_its_method_at_once(api, held, customer):
    found = held(customer=customer, setup_future_usage="off_session")
    assert api.get(f"/v1/payment_methods/{found['payment_method']}").json()["customer"] == customer


def test_a_declined_payment_keeps_nothing(api, books, intent, act, customer):
    found = intent(customer=customer, setup_future_usage="off_session")
    with books.events() as events:
        assert act(found, "confirm", payment_method="pm_card_chargeDeclined").status_code == 402
    assert types(events) == ["charge.failed", "payment_intent.payment_failed"]
    assert api.get(f"/v1/customers/{customer}/payment_methods").json()["data"] == []


def test_without_setup_future_usage_nothing_is_kept(api, intent, customer):
    paid = intent(payment_method="pm_card_visa", customer=customer, confirm=True)
    assert api.get(f"/v1/payment_methods/{paid['payment_method']}").json()["customer"] is None
    answer = api.post(PATH, {**AWAY, "customer": customer, "payment_method": paid["payment_method"]})
    refused(answer, 400, "payment_method_used_up", "payment_method")


def test_a_method_set_up_without_a_customer_can_be_attached_later(api, intent, customer):
    paid = intent(payment_method="pm_card_visa", setup_future_usage="off_session", confirm=True)
    method = paid["payment_method"]
    assert api.post(f"/v1/payment_methods/{method}/attach", {"customer": customer}).json()["customer"] == customer


def test_a_payment_with_authentication_sets_up_for_later(api, intent, customer):
    found = intent(payment_method=UNLESS_SET_UP, customer=customer, setup_future_usage="off_session", confirm=True)
    assert found["status"] == "requires_action"
    assert api.get(f"/v1/payment_methods/{found['payment_method']}").json()["customer"] is None
    Payer().answer(found, "complete")
    assert api.get(f"/v1/payment_methods/{found['payment_method']}").json()["customer"] == customer
    later = api.post(PATH, {**AWAY, "customer": customer, "payment_method": found["payment_method"]}).json()
    assert later["status"] == "succeeded"


# card, how it was saved, whether it can be charged while its payer is away
CASES = [
    ("pm_card_visa", "attached", True),
    ("pm_card_visa", "set_up", True),
    (UNLESS_SET_UP, "attached", False),
    (UNLESS_SET_UP, "on_session", False),
    (UNLESS_SET_UP, "set_up", True),
    (ALWAYS, "attached", False),
    (ALWAYS, "set_up", False),
    (WHEN_PRESENT, "attached", True),
    (WHEN_PRESENT, "set_up", True),
]


@pytest.mark.parametrize(("card", "saved", "passes"), CASES)
def test_which_saved_card_can_be_charged_without_its_payer(api, books, customer, attached, set_up, card, saved, passes):
    method = {"attached": attached, "set_up": set_up, "on_session": lambda name: set_up(name, "on_session")}[saved](
        card
    )
    with books.events() as events:
        answer = api.post(PATH, {**AWAY, "customer": customer, "payment_method": method})
    if passes:
        assert (answer.json()["status"], answer.json()["amount_received"]) == ("succeeded", 700)
    else:
        error = refused(answer, 402, "authentication_required")
        assert error["decline_code"] == "authentication_required"
        found = error["payment_intent"]
        assert (found["status"], found["payment_method"]) == ("requires_payment_method", None)
        assert found["last_payment_error"]["payment_method"]["id"] == method
        assert found["last_payment_error"]["code"] == "authentication_required"
        charge = api.get(f"/v1/charges/{error['charge']}").json()
        assert (charge["status"], charge["failure_code"], charge["id"]) == (
            "failed", "authentication_required", found["latest_charge"],
        )  # fmt: skip
        assert types(events) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    books.check_balance(api)


def test_the_payer_comes_back_and_pays_what_failed_without_them(api, books, customer, attached):
    method = attached(ALWAYS)
    failed = api.post(PATH, {**AWAY, "customer": customer, "payment_method": method}).json()["error"]["payment_intent"]
    body = {"payment_method": method, "return_url": "https://shop.test/"}
    found = api.post(f"{PATH}/{failed['id']}/confirm", body).json()
    assert found["status"] == "requires_action"
    Payer().answer(found, "complete")
    assert api.get(f"{PATH}/{found['id']}").json()["status"] == "succeeded"
    books.check_balance(api)


def test_a_forced_authentication_cannot_happen_without_the_payer(api, customer, set_up):
    options = {"card": {"request_three_d_secure": "any"}}
    method = set_up("pm_card_visa")
    answer = api.post(PATH, {**AWAY, "customer": customer, "payment_method": method, "payment_method_options": options})
    refused(answer, 402, "authentication_required")


@pytest.mark.parametrize("way", ["create", "confirm"])
def test_the_customers_default_method_pays_when_none_is_named(api, intent, act, customer, attached, way):
    method = attached("pm_card_mastercard")
    api.post(f"/v1/customers/{customer}", {"invoice_settings": {"default_payment_method": method}})
    if way == "create":
        paid = intent(customer=customer, confirm=True, off_session=True)
    else:
        paid = act(intent(customer=customer), "confirm").json()
    assert (paid["status"], paid["payment_method"]) == ("succeeded", method)


def test_a_named_method_goes_before_the_default_one(api, intent, act, customer, attached):
    default, other = attached("pm_card_mastercard"), attached("pm_card_visa")
    api.post(f"/v1/customers/{customer}", {"invoice_settings": {"default_payment_method": default}})
    assert act(intent(customer=customer, payment_method=other), "confirm").json()["payment_method"] == other


def test_without_a_default_the_customer_has_to_be_asked(intent, act, customer, attached):
    attached("pm_card_visa")
    refused(act(intent(customer=customer), "confirm"), 400, "payment_intent_unexpected_state", "payment_method")


def test_a_payment_settled_later_keeps_the_method_too(api, books, intent, customer):
    """The answer was lost; the sweeper attaches what the request would have attached."""
    with clients.replaced("sandbox", FakeProcessor()) as fake:
        fake.will("authorize", "fail_after")
        found = intent(payment_method="pm_card_visa", customer=customer, setup_future_usage="off_session", confirm=True)
        assert found["status"] == "processing"
        books.let_leases_run_out()
        assert payment_attempts.settle_open(books.caller) == 1
    method = api.get(f"/v1/payment_methods/{found['payment_method']}").json()
    assert method["customer"] == customer


def test_a_customer_deleted_while_the_processor_answers_gets_nothing(api, books, intent, customer, monkeypatch):
    """The payment is a fact and is recorded; there is nobody any more to keep its card for."""
    original = processor_calls.perform

    def slow(waiting):
        answer = original(waiting)
        with use_environment(books.environment):
            customer_services.delete(books.caller, customer_id=customer)
        return answer

    monkeypatch.setattr(processor_calls, "perform", slow)
    paid = intent(payment_method="pm_card_visa", customer=customer, setup_future_usage="off_session", confirm=True)
    assert paid["status"] == "succeeded"
    assert api.get(f"/v1/payment_methods/{paid['payment_method']}").json()["customer"] is None
    books.check_balance(api)
