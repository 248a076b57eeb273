"""Saved cards and authentication by the official SDK; the payer's part is done on the page itself."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

SHOP = "https://shop.test/return"


def press(url: str, answer: str) -> dict[str, str]:
    """Press a button of the issuer's page as a browser does. What the merchant reads off the payer's return."""
    back = requests.post(url, {"answer": answer}, timeout=30, allow_redirects=False).headers["Location"]
    assert back.startswith(SHOP)
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


@pytest.mark.sdk("payment_methods.retrieve")
def test_a_payment_with_authentication(v1):
    paid = {"amount": 1999, "currency": "eur", "payment_method": "pm_card_threeDSecure2Required"}
    intent = v1.payment_intents.create({**paid, "confirm": True, "return_url": SHOP})
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    back = press(intent.next_action.redirect_to_url.url, "complete")
    assert back == {
        "payment_intent": intent.id, "payment_intent_client_secret": intent.client_secret,
        "redirect_status": "succeeded",
    }  # fmt: skip
    done = v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (done.status, done.latest_charge.payment_method_details.card.three_d_secure.result) == (
        "succeeded", "authenticated",
    )  # fmt: skip
    assert v1.payment_methods.retrieve(intent.payment_method).card.last4 == "3220"


@pytest.mark.sdk(
    "setup_intents.create", "setup_intents.retrieve", "setup_intents.update", "setup_intents.confirm",
    "setup_intents.cancel", "setup_intents.list",
)  # fmt: skip
def test_set_a_card_up_and_charge_it_while_its_owner_is_away(v1):
    customer = v1.customers.create({"email": "away@example.com"})
    setup = v1.setup_intents.create({"customer": customer.id, "usage": "off_session"})
    assert isinstance(setup, stripe.SetupIntent)
    setup = v1.setup_intents.update(setup.id, {"metadata": {"order": "7"}})
    card = "pm_card_authenticationRequiredOnSetup"
    setup = v1.setup_intents.confirm(setup.id, {"payment_method": card, "return_url": SHOP})
    assert (setup.status, setup.metadata["order"]) == ("requires_action", "7")
    assert press(setup.next_action.redirect_to_url.url, "complete")["setup_intent"] == setup.id
    setup = v1.setup_intents.retrieve(setup.id, {"expand": ["payment_method"]})
    assert (setup.status, setup.payment_method.customer) == ("succeeded", customer.id)
    paid = v1.payment_intents.create(
        {"amount": 700, "currency": "eur", "customer": customer.id, "payment_method": setup.payment_method.id,
         "off_session": True, "confirm": True}
    )  # fmt: skip
    assert paid.status == "succeeded"
    other = v1.setup_intents.create({"customer": customer.id})
    assert v1.setup_intents.cancel(other.id, {"cancellation_reason": "abandoned"}).status == "canceled"
    assert [found.id for found in v1.setup_intents.list({"customer": customer.id})] == [other.id, setup.id]


@pytest.mark.sdk("errors")
def test_a_payment_that_needs_its_absent_payer_is_a_card_error_with_the_method_inside(v1):
    """The recipe of every guide: catch it, read the payment method off the error, and ask the payer back."""
    customer = v1.customers.create({"payment_method": "pm_card_authenticationRequired"})
    method = customer.invoice_settings.default_payment_method
    with pytest.raises(stripe.CardError) as caught:
        v1.payment_intents.create(
            {"amount": 700, "currency": "eur", "customer": customer.id, "off_session": True, "confirm": True}
        )
    assert caught.value.code == "authentication_required"
    intent = v1.payment_intents.retrieve(caught.value.error.payment_intent["id"])
    assert intent.last_payment_error.payment_method.id == method
    again = v1.payment_intents.confirm(intent.id, {"payment_method": method, "return_url": SHOP})
    assert press(again.next_action.redirect_to_url.url, "complete")["redirect_status"] == "succeeded"


def test_a_card_that_is_refused_at_setup_brings_the_setup_intent(v1):
    with pytest.raises(stripe.CardError) as caught:
        v1.setup_intents.create({"payment_method": "pm_card_chargeDeclined", "confirm": True})
    assert caught.value.error.setup_intent["last_setup_error"]["decline_code"] == "generic_decline"
