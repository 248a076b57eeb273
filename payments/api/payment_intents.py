"""`/v1/payment_intents`. The reference for every other resource: inputs first, then one short method per operation."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import (
    BooleanField,
    CurrencyField,
    EnumField,
    IdField,
    MetadataField,
    MinorUnitsField,
    SearchQueryField,
    TextField,
    TimeRangeField,
    UrlField,
)
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput, SearchFilters
from connect.api.views import ApiViewSet
from connect.kit.errors import LockTimeout, MissingParameterTarget, ResourceMissing
from payments.api.shared import (
    PaymentMethodDataIn,
    PaymentMethodOptionsIn,
    ShippingIn,
    payment_method_options,
    text,
)
from payments.domain import errors, method_types, searchable
from payments.domain.payment_intent_state import CALLER_CANCELLATION_REASONS, CaptureMethod, ConfirmationMethod, Status
from payments.selectors import payment_intents as selectors
from payments.services import payment_intents, payment_outcomes, processor_calls
from payments.shapes.payment_intents import PaymentIntentOut

_NO_EFFECT = {
    "automatic_payment_methods": "The methods of the environment are always offered.",
    "use_stripe_sdk": "Authentication happens by redirect.",
}
_FAILURES = (
    errors.CardDeclined, errors.ExpiredCard, errors.IncorrectCvc, errors.ProcessingError, errors.IncorrectNumber,
    errors.AuthenticationRequired, errors.PaymentProcessorUnavailable, errors.PaymentMethodUsedUp,
    errors.PaymentMethodTypeUnavailable, errors.CustomerMismatch, errors.RawCardsRefused,
    errors.PayByBankUnavailable, errors.PayByBankNeedsPayer, errors.PayByBankCapturesAtOnce,
)  # fmt: skip


class PaymentMethodChoice(InputSerializer):
    """How the payer pays: a payment method's id (or a test instrument such as `pm_card_visa`), or its data."""

    payment_method = text(100)
    payment_method_data = PaymentMethodDataIn(required=False)
    receipt_email = text(512)
    setup_future_usage = EnumField(["off_session", "on_session"], required=False, allow_null=True)
    shipping = ShippingIn(required=False, allow_null=True)
    capture_method = EnumField([method.value for method in CaptureMethod], required=False)
    payment_method_options = PaymentMethodOptionsIn(required=False)


class PaymentIntentWords(InputSerializer):
    """What describes a payment without deciding it."""

    description = text(1000)
    metadata = MetadataField()
    statement_descriptor = text(22)
    statement_descriptor_suffix = text(22)
    transfer_group = text(255)


class PaymentIntentCreateIn(PaymentMethodChoice, PaymentIntentWords):
    """The amount to collect, in minor units, and how."""

    ACCEPTED_WITHOUT_EFFECT = _NO_EFFECT

    amount = MinorUnitsField(min_value=1)
    currency = CurrencyField()
    customer = TextField(max_length=100, required=False)
    payment_method_types = ListField(child=EnumField(list(method_types.ALL)), required=False, min_length=1)
    confirmation_method = EnumField([method.value for method in ConfirmationMethod], required=False)
    confirm = BooleanField(required=False)
    return_url = UrlField(required=False)
    off_session = BooleanField(required=False)
    error_on_requires_action = BooleanField(required=False)


class PaymentIntentUpdateIn(PaymentMethodChoice, PaymentIntentWords):
    """Amount, currency, customer and payment method can change until the intent is confirmed."""

    ACCEPTED_WITHOUT_EFFECT = _NO_EFFECT

    amount = MinorUnitsField(min_value=1, required=False)
    currency = CurrencyField(required=False)
    customer = TextField(max_length=100, required=False)


class PaymentIntentConfirmIn(PaymentMethodChoice):
    """How the payer pays, where the intent does not know yet."""

    ACCEPTED_WITHOUT_EFFECT = _NO_EFFECT

    return_url = UrlField(required=False)
    off_session = BooleanField(required=False)
    error_on_requires_action = BooleanField(required=False)


class PaymentIntentCaptureIn(InputSerializer):
    """How much of what is held to take; all of it without `amount_to_capture`."""

    amount_to_capture = MinorUnitsField(min_value=1, required=False)
    final_capture = BooleanField(required=False)
    metadata = MetadataField()
    statement_descriptor = text(22)
    statement_descriptor_suffix = text(22)


class PaymentIntentIncrementIn(InputSerializer):
    """The new total to hold, in minor units, above what is held now."""

    amount = MinorUnitsField(min_value=1)
    description = TextField(max_length=1000, required=False)
    metadata = MetadataField()
    statement_descriptor = TextField(max_length=22, required=False)


class PaymentIntentCancelIn(InputSerializer):
    """Why."""

    cancellation_reason = EnumField([reason.value for reason in CALLER_CANCELLATION_REASONS], required=False)


class PaymentIntentFilters(ListFilters):
    """Which intents to list."""

    customer = IdField("cus", required=False)
    created = TimeRangeField(required=False)
    status = EnumField([status.value for status in Status], required=False)


class PaymentIntentSearch(SearchFilters):
    """Which intents to find."""

    query = SearchQueryField(searchable.PAYMENT_INTENTS)


class PaymentIntentViewSet(ApiViewSet):
    scope_resource = "payments"
    id_prefix = "pi"

    @operation(
        PaymentIntentOut,
        input=PaymentIntentCreateIn,
        errors=(errors.AmountTooSmall, errors.AmountTooLarge, MissingParameterTarget, *_FAILURES),
    )
    def create(self, request: Request) -> HttpResponse:
        """Create a payment intent

        With `confirm=true` it is confirmed in the same request.
        """
        given = payment_method_options(self.input(PaymentIntentCreateIn))
        if given.pop("confirm", False):
            return self._external(lambda caller: payment_intents.create_and_confirm(caller, **given))
        for name in ("return_url", "off_session", "error_on_requires_action"):
            if name in given:
                raise errors.OnlyWithConfirm(param=name)
        return self.local(lambda caller: payment_intents.create(caller, **given))

    @operation(PaymentIntentOut, lists=True, input=PaymentIntentFilters)
    def list(self, request: Request) -> HttpResponse:
        """List payment intents, newest first"""
        page, filters = self.page(PaymentIntentFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=PaymentIntentOut)

    @action(detail=False, methods=["get"])
    @operation(PaymentIntentOut, searches=True, input=PaymentIntentSearch)
    def search(self, request: Request) -> HttpResponse:
        """Search payment intents, newest first

        What was just written is found at once.
        """
        return self.search_of(PaymentIntentSearch, selectors.search, shape=PaymentIntentOut)

    @operation(PaymentIntentOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a payment intent"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(
        PaymentIntentOut,
        input=PaymentIntentUpdateIn,
        errors=(ResourceMissing, errors.PaymentIntentUnexpectedState, errors.AmountTooSmall),
    )
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a payment intent"""
        given = payment_method_options(self.input(PaymentIntentUpdateIn))
        return self.local(lambda caller: payment_intents.update(caller, intent_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        PaymentIntentOut,
        input=PaymentIntentConfirmIn,
        errors=(ResourceMissing, errors.PaymentIntentUnexpectedState, LockTimeout, *_FAILURES),
    )
    def confirm(self, request: Request, pk: str) -> HttpResponse:
        """Confirm a payment intent

        A decline answers 402 with the intent inside the error. Without a final answer from the processor the intent is
        `processing`, and is settled in the background. Where the payer has to authenticate it is `requires_action`, and
        `next_action` says where to send them.
        """
        given = payment_method_options(self.input(PaymentIntentConfirmIn))
        return self._external(lambda caller: payment_intents.begin_confirm(caller, intent_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        PaymentIntentOut,
        input=PaymentIntentCaptureIn,
        errors=(
            ResourceMissing, errors.PaymentIntentUnexpectedState, errors.CaptureTooLarge, errors.CaptureLimitReached,
            LockTimeout, errors.ChargeExpiredForCapture, errors.PaymentProcessorUnavailable,
        ),
    )  # fmt: skip
    def capture(self, request: Request, pk: str) -> HttpResponse:
        """Capture what a payment intent holds

        The rest is released, unless `final_capture` is false.
        """
        given = self.input(PaymentIntentCaptureIn)
        return self._external(lambda caller: payment_intents.begin_capture(caller, intent_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        PaymentIntentOut,
        input=PaymentIntentCancelIn,
        errors=(ResourceMissing, errors.PaymentIntentUnexpectedState, LockTimeout, errors.PaymentProcessorUnavailable),
    )
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """Cancel a payment intent

        What it holds is released.
        """
        given = self.input(PaymentIntentCancelIn)
        return self._external(lambda caller: payment_intents.begin_cancel(caller, intent_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        PaymentIntentOut,
        input=PaymentIntentIncrementIn,
        errors=(
            ResourceMissing, errors.PaymentIntentUnexpectedState, errors.IncrementTooSmall, errors.AmountTooLarge,
            errors.IncrementLimitReached, errors.CardDeclined, LockTimeout, errors.ChargeExpiredForCapture,
            errors.PaymentProcessorUnavailable,
        ),
    )  # fmt: skip
    def increment_authorization(self, request: Request, pk: str) -> HttpResponse:
        """Increment an authorization

        A decline answers 402, and what was authorized before is still held.
        """
        given = self.input(PaymentIntentIncrementIn)
        return self._external(lambda caller: payment_intents.begin_increment(caller, intent_id=pk, **given))

    def _external(self, begin: Any) -> HttpResponse:
        return self.external(
            begin=begin,
            resume=payment_intents.resume,
            call=processor_calls.perform,
            record=payment_outcomes.record,
        )
