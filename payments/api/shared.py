"""Inputs that several resources take alike."""

from __future__ import annotations

from typing import Any

from connect.api.fields import EnumField, IntegerField, TextField
from connect.api.serializers import InputSerializer
from payments.domain import method_types


def text(length: int, **kwargs: Any) -> TextField:
    """An optional text that `''` unsets."""
    return TextField(max_length=length, required=False, allow_null=True, **kwargs)


class AddressIn(InputSerializer):
    """A postal address; `country` is an ISO 3166 two-letter code."""

    city = text(200)
    country = text(2)
    line1 = text(500)
    line2 = text(500)
    postal_code = text(20)
    state = text(200)


class ShippingIn(InputSerializer):
    """Where the goods go."""

    address = AddressIn()
    name = TextField(max_length=256)
    carrier = text(100)
    phone = text(40)
    tracking_number = text(100)


class BillingDetailsIn(InputSerializer):
    """Who the payer is."""

    address = AddressIn(required=False, allow_null=True)
    email = text(512)
    name = text(256)
    phone = text(40)
    tax_id = text(50)


class CardIn(InputSerializer):
    """A card: typed in (test environments only), or a test `token` such as `tok_visa`."""

    number = TextField(max_length=30, required=False)
    exp_month = IntegerField(required=False, min_value=1, max_value=12)
    exp_year = IntegerField(required=False, min_value=0, max_value=9999)
    cvc = TextField(max_length=4, required=False)
    token = TextField(max_length=100, required=False)


class PayByBankIn(InputSerializer):
    """The bank, or a linked account, that the payer is to pay with; without either they choose on the page."""

    institution = TextField(max_length=100, required=False)
    account = TextField(max_length=100, required=False)


class PaymentMethodDataIn(InputSerializer):
    """A payment method described on the spot."""

    ACCEPTED_WITHOUT_EFFECT = {"allow_redisplay": "Saved methods are shown to their own customer only."}

    type = EnumField(list(method_types.ALL))
    card = CardIn(required=False)
    pay_by_bank = PayByBankIn(required=False)
    billing_details = BillingDetailsIn(required=False)


class CardOptionsIn(InputSerializer):
    """`any` and `challenge` have the payer authenticate in any case, `automatic` leaves it to the issuer."""

    request_three_d_secure = EnumField(["any", "automatic", "challenge"], required=False)


class PaymentMethodOptionsIn(InputSerializer):
    """What is asked of the payment method's type."""

    card = CardOptionsIn(required=False)


def payment_method_options(given: dict[str, Any]) -> dict[str, Any]:
    """`given` with its `payment_method_options` as an intent keeps and shows them."""
    if "payment_method_options" in given:
        asked = given["payment_method_options"].get("card", {}).get("request_three_d_secure", "automatic")
        card = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": asked}
        given["payment_method_options"] = {"card": card}
    return given
