"""Creating and updating payment intents: what is recorded, what is refused, and that a refusal leaves no trace."""

from __future__ import annotations

import pytest

from tests.payments.books import refused, types
from tests.payments.conftest import CARD, PAYMENT

PATH = "/v1/payment_intents"


def test_create_records_the_wish_and_moves_nothing(send, api, books):
    with books.events() as events, books.unchanged("payments_payment_intent", "connect_event"):
        answer = send(PATH, {**PAYMENT, "description": "Two coffees", "metadata": {"order": "7"}})
    created = answer.json()
    assert answer.status_code == 200
    assert (created["amount"], created["currency"], created["status"]) == (1000, "eur", "requires_payment_method")
    assert (created["amount_received"], created["amount_capturable"], created["livemode"]) == (0, 0, False)
    assert (created["metadata"], created["payment_method_types"]) == ({"order": "7"}, ["card"])
    assert created["client_secret"].startswith(f"{created['id']}_secret_")
    assert types(events) == ["payment_intent.created"]
    assert events[0].payload == {**created, "client_secret": None}, "frozen as shown, without the secret"
    assert api.get(f"{PATH}/{created['id']}").json() == created


def test_every_text_and_structure_comes_back(send, api):
    shipping = {
        "name": "Ana",
        "phone": "+38970",
        "address": {"line1": "Partizanska 1", "city": "Skopje", "country": "MK"},
    }
    words = {
        "description": "d", "receipt_email": "ana@example.com", "statement_descriptor": "SHOP",
        "statement_descriptor_suffix": "7", "transfer_group": "g", "setup_future_usage": "off_session",
        "capture_method": "manual", "confirmation_method": "manual",
    }  # fmt: skip
    created = send(PATH, {**PAYMENT, **words, "shipping": shipping, "payment_method_types": ["card"]}).json()
    assert {name: created[name] for name in words} == words
    assert created["shipping"]["address"]["city"] == "Skopje"
    assert created["shipping"]["tracking_number"] is None


def test_parameters_without_effect_are_accepted(send):
    extra = {
        "automatic_payment_methods": {"enabled": True},
        "use_stripe_sdk": True,
        "payment_method_options": {"card": {}},
    }
    assert send(PATH, {**PAYMENT, **extra}).status_code == 200


def test_create_with_confirm_takes_the_money(send, api, books):
    with books.events() as events:
        paid = send(PATH, {**PAYMENT, "payment_method": "pm_card_visa", "confirm": True}).json()
    assert (paid["status"], paid["amount_received"], paid["amount_capturable"]) == ("succeeded", 1000, 0)
    charge = api.get(f"/v1/charges/{paid['latest_charge']}").json()
    assert (charge["status"], charge["paid"], charge["captured"]) == ("succeeded", True, True)
    assert (charge["amount_captured"], charge["amount_refunded"]) == (1000, 0)
    line = api.get(f"/v1/balance_transactions/{charge['balance_transaction']}").json()
    assert (line["amount"], line["fee"], line["net"], line["status"]) == (1000, 14, 986, "pending")
    assert (line["source"], line["type"]) == (charge["id"], "charge")
    assert books.postings(charge["id"]) == [
        (
            "charge.capture",
            {"processor:sandbox:clearing:eur": -1000, "platform:pending:eur": 986, "fees:processor:eur": 14},
        )
    ]
    assert books.holds(charge["id"]) == 0
    assert books.attempts(paid["id"]) == [("authorize", "approved")]
    assert types(events) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert events[0].payload["status"] == "requires_confirmation"
    assert events[1].payload == charge
    assert events[2].payload == {**paid, "client_secret": None}
    assert books.check_balance(api) == {"eur": (0, 986)}


@pytest.mark.parametrize(
    ("given", "status", "code", "param"),
    [
        ({"currency": "eur"}, 400, "parameter_missing", "amount"),
        ({"amount": 1000}, 400, "parameter_missing", "currency"),
        ({"amount": "ten", "currency": "eur"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": 0, "currency": "eur"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": -1, "currency": "eur"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": 49, "currency": "eur"}, 400, "amount_too_small", "amount"),
        ({"amount": 5999, "currency": "rsd"}, 400, "amount_too_small", "amount"),
        ({"amount": 100_000_000, "currency": "eur"}, 400, "amount_too_large", "amount"),
        ({"amount": 1000, "currency": "xxx"}, 400, "parameter_invalid", "currency"),
        ({**PAYMENT, "amunt": 1}, 400, "parameter_unknown", "amunt"),
        ({**PAYMENT, "customer": "cus_1"}, 400, "resource_missing", "customer"),
        ({**PAYMENT, "payment_method": "pm_1"}, 400, "resource_missing", "payment_method"),
        ({**PAYMENT, "payment_method_types": ["sepa"]}, 400, "parameter_invalid", "payment_method_types[0]"),
        ({**PAYMENT, "capture_method": "later"}, 400, "parameter_invalid", "capture_method"),
        ({**PAYMENT, "return_url": "https://example.com"}, 400, "parameter_requires_confirm", "return_url"),
        ({**PAYMENT, "off_session": True}, 400, "parameter_requires_confirm", "off_session"),
        ({**PAYMENT, "confirm": True}, 400, "payment_intent_unexpected_state", "payment_method"),
        ({**PAYMENT, "metadata": {"k" * 41: "v"}}, 400, "parameter_invalid", "metadata"),
        ({**PAYMENT, "metadata": {"k": "v" * 501}}, 400, "parameter_invalid", "metadata[k]"),
        ({**PAYMENT, "expand": ["amount"]}, 400, "parameter_invalid", "expand"),
    ],
)
def test_a_refused_creation_leaves_nothing(send, books, given, status, code, param):
    with books.unchanged():
        refused(send(PATH, given), status, code, param)


@pytest.mark.parametrize(
    ("card", "code", "param"),
    [
        ({**CARD, "number": "4242424242424241"}, "incorrect_number", "number"),
        ({**CARD, "number": "4242 4242"}, "incorrect_number", "number"),
        ({**CARD, "exp_month": 1, "exp_year": 2020}, "invalid_expiry_year", "exp_year"),
        ({**CARD, "cvc": "12"}, "invalid_cvc", "cvc"),
    ],
)
def test_a_card_that_cannot_be_good_is_refused_when_entered(send, books, card, code, param):
    body = {**PAYMENT, "confirm": True, "payment_method_data": {"type": "card", "card": card}}
    with books.unchanged():
        error = refused(send(PATH, body), 402, code, param)
    assert error["type"] == "card_error"


def test_a_number_that_is_no_test_card_is_refused_and_appears_nowhere(send, books):
    body = {**PAYMENT, "payment_method_data": {"type": "card", "card": {**CARD, "number": "4111111111111111"}}}
    with books.unchanged():
        answer = send(PATH, body)
    assert refused(answer, 402, "card_declined")["decline_code"] == "test_mode_live_card"
    assert b"4111111111111111" not in answer.content


# --- update ---


def test_update_changes_what_is_given_and_nothing_else(send, api, intent):
    found = intent(metadata={"a": "1", "b": "2"}, description="old")
    path = f"{PATH}/{found['id']}"
    changed = send(path, {"amount": 2000, "currency": "usd", "metadata": {"a": "", "c": "3"}, "description": ""}).json()
    expected = {"amount": 2000, "currency": "usd", "metadata": {"b": "2", "c": "3"}, "description": None}
    assert changed == {**found, **expected}
    assert send(path, {"metadata": ""}).json()["metadata"] == {}


def test_a_payment_method_makes_it_ready_to_confirm_and_back(send, intent):
    path = f"{PATH}/{intent()['id']}"
    with_method = send(path, {"payment_method": "pm_card_visa"}).json()
    assert (with_method["status"], with_method["payment_method"][:3]) == ("requires_confirmation", "pm_")
    without = send(path, {"payment_method": ""}).json()
    assert (without["status"], without["payment_method"]) == ("requires_payment_method", None)


@pytest.mark.parametrize(
    ("param", "value"),
    [("amount", 2000), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("capture_method", "manual")],
)
def test_what_decides_the_payment_is_fixed_once_it_is_paid(send, books, intent, param, value):
    paid = intent(payment_method="pm_card_visa", confirm=True)
    with books.unchanged():
        error = refused(send(f"{PATH}/{paid['id']}", {param: value}), 400, "payment_intent_unexpected_state", param)
    assert error["payment_intent"] == paid
    assert error["message"].startswith(
        f"This PaymentIntent's {param} could not be updated because it has a status of succeeded."
    )


def test_words_may_change_after_payment(send, intent):
    paid = intent(payment_method="pm_card_visa", confirm=True)
    changed = send(f"{PATH}/{paid['id']}", {"description": "thanks", "metadata": {"done": "yes"}}).json()
    assert changed == {**paid, "description": "thanks", "metadata": {"done": "yes"}}


def test_an_update_clears_the_last_error(api, intent, act):
    found = intent()
    assert act(found, "confirm", payment_method="pm_card_chargeDeclined").status_code == 402
    assert api.get(f"{PATH}/{found['id']}").json()["last_payment_error"]["code"] == "card_declined"
    assert api.post(f"{PATH}/{found['id']}", {"description": "again"}).json()["last_payment_error"] is None


def test_a_new_amount_asks_the_payer_again(api, intent):
    """A payer who was shown 10.00 at their bank has not agreed to 20.00."""
    waiting = intent(payment_method="pm_card_authenticationRequired", confirm=True)
    assert waiting["status"] == "requires_action"
    changed = api.post(f"{PATH}/{waiting['id']}", {"amount": 2000}).json()
    assert (changed["status"], changed["next_action"]) == ("requires_confirmation", None)


def test_a_customer_who_does_not_own_the_method_is_refused(api, books, intent):
    first, second = (api.post("/v1/customers", {"payment_method": "pm_card_visa"}).json() for _ in range(2))
    method = first["invoice_settings"]["default_payment_method"]
    found = intent(customer=first["id"], payment_method=method)
    with books.unchanged():
        answer = api.post(f"{PATH}/{found['id']}", {"customer": second["id"]})
        refused(answer, 400, "payment_method_customer_mismatch", "payment_method")
        answer = api.post(PATH, {**PAYMENT, "payment_method": method})
        refused(answer, 400, "payment_method_customer_mismatch", "payment_method")
        answer = api.post(PATH, {**PAYMENT, "payment_method": method, "customer": second["id"]})
        refused(answer, 400, "payment_method_customer_mismatch", "payment_method")


@pytest.mark.parametrize("identifier", ["pi_1", "pi_0000000000000000000000", "ch_0000000000000000000000", "x" * 200])
@pytest.mark.parametrize("suffix", ["", "/confirm", "/capture", "/cancel"])
def test_an_unknown_intent_is_missing_everywhere(api, books, identifier, suffix):
    with books.unchanged():
        refused(api.post(f"{PATH}/{identifier}{suffix}"), 404, "resource_missing", "intent")
    if not suffix:
        refused(api.get(f"{PATH}/{identifier}"), 404, "resource_missing", "intent")


def test_another_environment_cannot_tell_it_from_nothing(api_as, intent):
    found = intent()
    for slug, kind in (("acme", "live"), ("other", "test"), ("other", "live")):
        error = refused(api_as(slug, kind).get(f"{PATH}/{found['id']}"), 404, "resource_missing", "intent")
        assert error["message"] == f"No such payment_intent: '{found['id']}'"


def test_live_takes_no_test_card(api_as):
    live = api_as("acme", "live")
    refused(live.post(PATH, {**PAYMENT, "payment_method": "pm_card_visa"}), 400, "resource_missing", "payment_method")
    data = {"type": "card", "card": CARD}
    refused(live.post(PATH, {**PAYMENT, "payment_method_data": data}), 400, "raw_card_data_refused")
