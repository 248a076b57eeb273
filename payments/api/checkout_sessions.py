"""`/v1/checkout/sessions`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import (
    BooleanField,
    CurrencyField,
    EnumField,
    IdField,
    IntegerField,
    MetadataField,
    TextField,
    TimeRangeField,
    UnixTimeField,
    UrlField,
)
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.domain.errors import RedirectRefused
from connect.domain.locales import LOCALES
from connect.kit.errors import LockTimeout, MissingParameterTarget, ResourceMissing
from payments.api.prices import PriceDataIn
from payments.api.products import ProductDataIn
from payments.api.shared import ShippingIn, text
from payments.domain import errors, method_types
from payments.domain.checkout_state import LINE_ITEMS_MAX, Mode, Status, SubmitType
from payments.domain.payment_intent_state import CaptureMethod
from payments.selectors import checkout_sessions as selectors
from payments.services import checkout_sessions
from payments.shapes.checkout_sessions import CheckoutSessionOut, LineItemOut


class LinePriceDataIn(PriceDataIn):
    """A price for this session only, of a product that exists or is described in `product_data`."""

    product = TextField(max_length=100, required=False)
    product_data = ProductDataIn(required=False)


class LineItemIn(InputSerializer):
    """What is bought, and how many."""

    price = TextField(max_length=100, required=False)
    price_data = LinePriceDataIn(required=False)
    quantity = IntegerField(required=False, min_value=1, max_value=1_000_000)


class SessionIntentDataIn(InputSerializer):
    """What the payment intent gets that is made when the payer pays."""

    capture_method = EnumField([method.value for method in CaptureMethod], required=False)
    description = text(1000)
    metadata = MetadataField()
    receipt_email = text(512)
    setup_future_usage = EnumField(["off_session", "on_session"], required=False)
    shipping = ShippingIn(required=False)
    statement_descriptor = text(22)
    statement_descriptor_suffix = text(22)
    transfer_group = text(255)


class SessionSetupDataIn(InputSerializer):
    """What the setup intent gets that is made when the payer leaves a card."""

    description = text(1000)
    metadata = MetadataField()


class PhoneNumberCollectionIn(InputSerializer):
    """Whether the page asks for a phone number."""

    enabled = BooleanField()


class CheckoutSessionCreateIn(InputSerializer):
    """What a payer is asked for on the hosted page.

    `success_url` may hold `{CHECKOUT_SESSION_ID}`; without it the payer ends on a page of ours.
    """

    ACCEPTED_WITHOUT_EFFECT = {
        "payment_method_options": "No method of this environment has options yet.",
        "wallet_options": "There are no wallets on the page.",
        "saved_payment_method_options": "The page does not show saved cards.",
    }

    mode = EnumField([mode.value for mode in Mode])
    line_items = ListField(child=LineItemIn(), required=False, max_length=LINE_ITEMS_MAX)
    success_url = UrlField(required=False)
    cancel_url = UrlField(required=False)
    ui_mode = EnumField(["hosted_page", "hosted"], required=False)
    customer = TextField(max_length=100, required=False)
    customer_email = TextField(max_length=512, required=False, pattern=r"[^@\s]+@[^@\s]+")
    customer_creation = EnumField(["always", "if_required"], required=False)
    client_reference_id = TextField(max_length=200, required=False)
    currency = CurrencyField(required=False)
    expires_at = UnixTimeField(required=False)
    locale = EnumField(LOCALES, required=False)
    submit_type = EnumField([kind.value for kind in SubmitType], required=False)
    billing_address_collection = EnumField(["auto", "required"], required=False)
    phone_number_collection = PhoneNumberCollectionIn(required=False)
    payment_method_types = ListField(child=EnumField(list(method_types.ALL)), required=False, min_length=1)
    payment_intent_data = SessionIntentDataIn(required=False)
    setup_intent_data = SessionSetupDataIn(required=False)
    metadata = MetadataField()


class CheckoutSessionUpdateIn(InputSerializer):
    """What can change about a session."""

    metadata = MetadataField()


class CheckoutSessionFilters(ListFilters):
    """Which sessions to list."""

    customer = IdField("cus", required=False)
    payment_intent = IdField("pi", required=False)
    status = EnumField([status.value for status in Status], required=False)
    created = TimeRangeField(required=False)


class CheckoutSessionViewSet(ApiViewSet):
    scope_resource = "checkout"
    id_prefix = "cs"

    @operation(
        CheckoutSessionOut,
        input=CheckoutSessionCreateIn,
        errors=(
            MissingParameterTarget, errors.PriceInactive, errors.PriceRecurring, errors.CurrenciesMixed,
            errors.AmountTooSmall, errors.AmountTooLarge, errors.CheckoutExpiryInvalid, RedirectRefused,
            errors.SandboxInLive, errors.LookupKeyTaken,
            errors.PayByBankUnavailable, errors.PayByBankCapturesAtOnce, errors.PayByBankNeedsPayer,
            errors.PayByBankNotKept,
        ),
    )  # fmt: skip
    def create(self, request: Request) -> HttpResponse:
        """Create a checkout session

        Send the payer to its `url`. Nothing is charged, and no intent is made, before the payer submits the page.
        """
        given = self.input(CheckoutSessionCreateIn)
        given.pop("ui_mode", None)  # there is only the one
        return self.local(lambda caller: checkout_sessions.create(caller, **given))

    @operation(CheckoutSessionOut, lists=True, input=CheckoutSessionFilters)
    def list(self, request: Request) -> HttpResponse:
        """List checkout sessions, newest first"""
        page, filters = self.page(CheckoutSessionFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=CheckoutSessionOut)

    @operation(CheckoutSessionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a checkout session"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(CheckoutSessionOut, input=CheckoutSessionUpdateIn, errors=(ResourceMissing,))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a checkout session"""
        given = self.input(CheckoutSessionUpdateIn)
        return self.local(lambda caller: checkout_sessions.update(caller, session_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(CheckoutSessionOut, errors=(ResourceMissing, errors.CheckoutSessionNotOpen, LockTimeout))
    def expire(self, request: Request, pk: str) -> HttpResponse:
        """Expire a checkout session

        The page takes no payment and no card any more, and the session's payment intent or setup intent is canceled.
        """
        self.input(NoInput)
        return self.local(lambda caller: checkout_sessions.expire(caller, session_id=pk))

    @action(detail=True, methods=["get"])
    @operation(LineItemOut, lists=True, input=ListFilters, errors=(ResourceMissing,))
    def line_items(self, request: Request, pk: str) -> HttpResponse:
        """List a checkout session's line items, in the order they were given"""
        page, _ = self.page(prefix="li")
        return self.list_of(lambda caller: selectors.lines(caller, pk, page), shape=LineItemOut)
