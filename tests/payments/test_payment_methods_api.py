"""Payment methods: collected, attached, detached, used up."""

from __future__ import annotations

import pytest

from payments.domain.test_instruments import INSTRUMENTS, Authorization
from tests.payments.books import refused, types
from tests.payments.conftest import CARD, PAYMENT

PATH = "/v1/payment_methods"


@pytest.fixture
def customer(api):
    return api.post("/v1/customers", {"email": "ana@example.com"}).json()["id"]


@pytest.fixture
def method(api):
    """A Visa card that belongs to nobody yet."""
    return api.post(PATH, {"type": "card", "card": CARD}).json()


def test_create_from_a_number(send, api, books):
    details = {"name": "Ana", "email": "ana@example.com", "address": {"country": "RS"}}
    with books.unchanged("payments_payment_method"):
        created = send(PATH, {"type": "card", "card": CARD, "billing_details": details, "metadata": {"a": "1"}}).json()
    card = created["card"]
    assert (card["brand"], card["last4"], card["exp_month"], card["exp_year"]) == ("visa", "4242", 12, 2050)
    assert (created["customer"], created["metadata"], created["type"]) == (None, {"a": "1"}, "card")
    assert created["billing_details"]["address"]["country"] == "RS"
    assert api.get(f"{PATH}/{created['id']}").json() == created


def test_create_from_a_token_and_the_same_number_has_the_same_fingerprint(send, method):
    created = send(PATH, {"type": "card", "card": {"token": "tok_visa"}}).json()
    other = send(PATH, {"type": "card", "card": {"token": "tok_mastercard"}}).json()
    assert created["card"]["fingerprint"] == method["card"]["fingerprint"] != other["card"]["fingerprint"]


@pytest.mark.parametrize(
    ("given", "status", "code", "param"),
    [
        ({}, 400, "parameter_missing", "type"),
        ({"type": "card"}, 400, "parameter_missing", "card"),
        ({"type": "sepa_debit"}, 400, "parameter_invalid", "type"),
        ({"type": "card", "card": {"number": "4242424242424242"}}, 400, "parameter_missing", "card[exp_month]"),
        ({"type": "card", "card": {"token": "tok_nothing"}}, 400, "resource_missing", "card[token]"),
        ({"type": "card", "card": {**CARD, "exp_month": 13}}, 400, "parameter_invalid_integer", "card[exp_month]"),
        ({"type": "card", "card": {**CARD, "pin": "1234"}}, 400, "parameter_unknown", "card[pin]"),
        ({"type": "card", "card": {**CARD, "number": "4242424242424241"}}, 402, "incorrect_number", "number"),
    ],
)
def test_a_refused_creation_leaves_nothing(send, books, given, status, code, param):
    with books.unchanged():
        refused(send(PATH, given), status, code, param)


def test_attach_keeps_it_for_a_customer_once(send, api, books, customer, method):
    with books.events() as events:
        attached = send(f"{PATH}/{method['id']}/attach", {"customer": customer}).json()
    assert attached == {**method, "customer": customer}
    assert types(events) == ["payment_method.attached"]
    with books.unchanged():
        assert send(f"{PATH}/{method['id']}/attach", {"customer": customer}).json() == attached
    other = api.post("/v1/customers").json()["id"]
    with books.unchanged():
        refused(send(f"{PATH}/{method['id']}/attach", {"customer": other}), 400, "payment_method_already_attached")
        refused(send(f"{PATH}/{method['id']}/attach", {"customer": "cus_1"}), 400, "resource_missing", "customer")
        refused(send(f"{PATH}/pm_1/attach", {"customer": customer}), 404, "resource_missing", "payment_method")
        refused(send(f"{PATH}/{method['id']}/attach", {}), 400, "parameter_missing", "customer")


@pytest.mark.parametrize(
    "instrument", [i for i in INSTRUMENTS if i.authorization is not Authorization.BAD_NUMBER], ids=lambda i: i.key
)
def test_a_card_its_issuer_declines_for_good_cannot_be_kept(api, books, customer, instrument):
    answer = api.post(f"{PATH}/{instrument.payment_method}/attach", {"customer": customer})
    if instrument.attaches:
        assert answer.json()["customer"] == customer
    else:
        assert refused(answer, 402, instrument.code).get("decline_code") == instrument.decline_code
        assert api.get(PATH).json()["data"] == []


def test_detach_is_for_good(api, books, customer, method, intent, act):
    api.post(f"{PATH}/{method['id']}/attach", {"customer": customer})
    api.post(f"/v1/customers/{customer}", {"invoice_settings": {"default_payment_method": method["id"]}})
    waiting = intent(customer=customer, payment_method=method["id"])
    with books.events() as events:
        detached = api.post(f"{PATH}/{method['id']}/detach").json()
    assert detached == method
    assert types(events) == ["payment_method.detached"]
    assert api.get(f"/v1/customers/{customer}").json()["invoice_settings"]["default_payment_method"] is None
    with books.unchanged():
        refused(api.post(f"{PATH}/{method['id']}/detach"), 400, "payment_method_not_attached")
        answer = api.post(f"{PATH}/{method['id']}/attach", {"customer": customer})
        refused(answer, 400, "payment_method_used_up", "payment_method")
        refused(act(waiting, "confirm"), 400, "payment_method_used_up", "payment_method")


def test_without_a_customer_a_method_pays_once(api, books, customer, method, intent):
    later = intent(payment_method=method["id"])
    intent(payment_method=method["id"], confirm=True)
    with books.unchanged():
        answer = api.post("/v1/payment_intents", {**PAYMENT, "payment_method": method["id"]})
        refused(answer, 400, "payment_method_used_up", "payment_method")
        refused(api.post(f"/v1/payment_intents/{later['id']}/confirm"), 400, "payment_method_used_up", "payment_method")
        answer = api.post(f"{PATH}/{method['id']}/attach", {"customer": customer})
        refused(answer, 400, "payment_method_used_up", "payment_method")


def test_a_declined_method_may_be_tried_again_and_an_attached_one_pays_again(api, customer, intent):
    kept = api.post(f"{PATH}/pm_card_visa/attach", {"customer": customer}).json()["id"]
    for _ in range(2):
        assert intent(customer=customer, payment_method=kept, confirm=True)["status"] == "succeeded"
    failing = api.post(PATH, {"type": "card", "card": {**CARD, "number": "4000000000009995"}}).json()["id"]
    for _ in range(2):
        answer = api.post("/v1/payment_intents", {**PAYMENT, "payment_method": failing, "confirm": True})
        refused(answer, 402, "card_declined")


def test_attached_after_the_intent_was_made_it_needs_its_customer(api, customer, method, intent, act):
    waiting = intent(payment_method=method["id"])
    api.post(f"{PATH}/{method['id']}/attach", {"customer": customer})
    refused(act(waiting, "confirm"), 400, "payment_method_customer_mismatch", "payment_method")


def test_update_changes_expiry_and_words(send, api, books, method):
    path = f"{PATH}/{method['id']}"
    given = {"card": {"exp_month": 1, "exp_year": 2049}, "metadata": {"b": "2"}, "billing_details": {"phone": "+381"}}
    with books.events() as events:
        changed = send(path, given).json()
    assert (changed["card"]["exp_month"], changed["card"]["exp_year"]) == (1, 2049)
    assert (changed["metadata"], changed["billing_details"]["phone"]) == ({"b": "2"}, "+381")
    assert types(events) == ["payment_method.updated"]
    with books.unchanged():
        refused(send(path, {"card": {"exp_year": 2001}}), 402, "invalid_expiry_year", "exp_year")
        refused(send(path, {"card": {"number": "4242424242424242"}}), 400, "parameter_unknown", "card[number]")


def test_unknown_methods_are_missing(api, api_as, method):
    for client, identifier in ((api, "pm_1"), (api_as("other", "test"), method["id"])):
        refused(client.get(f"{PATH}/{identifier}"), 404, "resource_missing", "payment_method")
        refused(client.post(f"{PATH}/{identifier}/detach"), 404, "resource_missing", "payment_method")
