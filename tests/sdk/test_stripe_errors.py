"""Every refusal arrives as the exception that code written for Stripe catches."""

from __future__ import annotations

import pytest
import stripe

PAYMENT = {"amount": 1999, "currency": "eur"}


@pytest.mark.sdk("errors")
@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("chargeDeclined", "card_declined", "generic_decline"),
        ("chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("chargeDeclinedExpiredCard", "expired_card", None),
        ("chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_a_decline_is_a_card_error_with_the_intent_inside(v1, card, code, decline_code):
    with pytest.raises(stripe.CardError) as caught:
        v1.payment_intents.create({**PAYMENT, "payment_method": f"pm_card_{card}", "confirm": True})
    error = caught.value
    assert (error.http_status, error.code, error.error.decline_code) == (402, code, decline_code)
    assert error.user_message
    assert error.error.payment_intent["status"] == "requires_payment_method"
    assert error.error.charge.startswith("ch_")
    assert error.request_id.startswith("req_")


def test_authentication_without_the_payer_is_a_card_error(v1):
    with pytest.raises(stripe.CardError) as caught:
        v1.payment_intents.create(
            {**PAYMENT, "payment_method": "pm_card_authenticationRequired", "confirm": True, "off_session": True}
        )
    assert caught.value.code == "authentication_required"


def test_a_wrong_parameter_is_named(v1):
    for params, name in (
        ({"currency": "eur"}, "amount"),
        ({**PAYMENT, "amunt": 1}, "amunt"),
        ({**PAYMENT, "customer": "cus_1"}, "customer"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            v1.payment_intents.create(params)
        assert (caught.value.http_status, caught.value.param) == (400, name)


def test_an_unknown_object_is_an_invalid_request(v1):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        v1.payment_intents.retrieve("pi_123")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (404, "resource_missing", "intent")


@pytest.mark.sdk("errors")
def test_a_wrong_state_brings_the_intent(v1):
    paid = v1.payment_intents.create({**PAYMENT, "payment_method": "pm_card_visa", "confirm": True})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        v1.payment_intents.cancel(paid.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert caught.value.error.payment_intent["id"] == paid.id


def test_a_used_key_with_other_parameters_is_an_idempotency_error(v1):
    v1.payment_intents.create(PAYMENT, {"idempotency_key": "errors-1"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters they were first used with"):
        v1.payment_intents.create({**PAYMENT, "amount": 2000}, {"idempotency_key": "errors-1"})


def test_a_wrong_key_is_an_authentication_error(client_of):
    with pytest.raises(stripe.AuthenticationError, match="Invalid API key provided"):
        client_of("fc_test_wrong").v1.balance.retrieve()


def test_a_restricted_key_is_a_permission_error(server, client_of):
    client = client_of(server.restricted_key("payments:read", "customers:write"))
    assert client.v1.payment_intents.list().data is not None
    client.v1.customers.create({"name": "allowed"})
    for call in (lambda: client.v1.payment_intents.create(PAYMENT), lambda: client.v1.balance.retrieve()):
        with pytest.raises(stripe.PermissionError) as caught:
            call()
        assert (caught.value.http_status, caught.value.error.code) == (403, "permission_missing")


def test_what_is_busy_is_a_rate_limit_error(v1):
    """An intent that is with the processor cannot be canceled: 429 `lock_timeout`."""
    busy = v1.payment_intents.create({**PAYMENT, "payment_method": "pm_card_outcomeUnknown", "confirm": True})
    assert busy.status == "processing"
    with pytest.raises(stripe.RateLimitError) as caught:
        v1.payment_intents.cancel(busy.id)
    assert caught.value.error.code == "lock_timeout"


@pytest.mark.sdk("retries")
def test_an_unreachable_processor_is_an_api_error_that_the_sdk_tries_again(server, client_of):
    client = client_of(server.secrets["acme"]["test"], max_network_retries=1)
    with pytest.raises(stripe.APIError) as caught:
        client.v1.payment_intents.create(
            {
                **PAYMENT,
                "payment_method": "pm_card_processorUnavailable",
                "confirm": True,
                "description": "unreachable",
            },
            {"idempotency_key": "errors-2"},
        )
    assert (caught.value.http_status, caught.value.error.code) == (503, "processor_unavailable")
    rows = server.query(
        "SELECT a.state FROM payments_payment_attempt a JOIN payments_payment_intent i ON i.id = a.payment_intent_id"
        " WHERE i.description = 'unreachable'"
    )
    assert rows == [("abandoned",), ("abandoned",)], "the retry came with the same key and went on with the same intent"


def test_an_unknown_address_is_an_invalid_request(server, client_of):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client_of(server.secrets["acme"]["test"]).raw_request("get", "/v1/nothing_here")
    assert caught.value.code == "route_unknown"
