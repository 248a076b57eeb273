"""`/v1/setup_intents`: keep a payment method for later payments."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import BooleanField, EnumField, IdField, MetadataField, TextField, TimeRangeField, UrlField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from payments.api.shared import PaymentMethodDataIn, PaymentMethodOptionsIn, payment_method_options, text
from payments.domain import errors
from payments.domain.setup_intent_state import CancellationReason, Usage
from payments.selectors import setup_intents as selectors
from payments.services import processor_calls, setup_intents, setup_outcomes
from payments.shapes.setup_intents import SetupIntentOut

_NO_EFFECT = {
    "automatic_payment_methods": "The methods of the environment are always offered.",
    "use_stripe_sdk": "Authentication happens by redirect.",
}
_FAILURES = (
    errors.CardDeclined, errors.ExpiredCard, errors.IncorrectCvc, errors.ProcessingError, errors.IncorrectNumber,
    errors.PaymentProcessorUnavailable, errors.PaymentMethodUsedUp, errors.PaymentMethodTypeUnavailable,
    errors.CustomerMismatch, errors.RawCardsRefused,
)  # fmt: skip


class SetupMethodChoice(InputSerializer):
    """What is to be kept: a payment method's id (or a test instrument such as `pm_card_visa`), or its data."""

    payment_method = text(100)
    payment_method_data = PaymentMethodDataIn(required=False)
    payment_method_options = PaymentMethodOptionsIn(required=False)


class SetupIntentUpdateIn(SetupMethodChoice):
    """What can change until the intent succeeds."""

    ACCEPTED_WITHOUT_EFFECT = _NO_EFFECT

    customer = TextField(max_length=100, required=False)
    description = text(1000)
    payment_method_types = ListField(child=EnumField(["card"]), required=False, min_length=1)
    metadata = MetadataField()


class SetupIntentCreateIn(SetupIntentUpdateIn):
    """`usage` says whether the payer will be away (`off_session`) or there when it is charged later."""

    ACCEPTED_WITHOUT_EFFECT = _NO_EFFECT

    usage = EnumField([usage.value for usage in Usage], required=False)
    confirm = BooleanField(required=False)
    return_url = UrlField(required=False)


class SetupIntentConfirmIn(SetupMethodChoice):
    """The payment method, where the intent does not know it yet, and where the payer comes back to."""

    ACCEPTED_WITHOUT_EFFECT = _NO_EFFECT

    return_url = UrlField(required=False)


class SetupIntentCancelIn(InputSerializer):
    """Why."""

    cancellation_reason = EnumField([reason.value for reason in CancellationReason], required=False)


class SetupIntentFilters(ListFilters):
    """Which setup intents to list."""

    customer = IdField("cus", required=False)
    payment_method = IdField("pm", required=False)
    created = TimeRangeField(required=False)


class SetupIntentViewSet(ApiViewSet):
    scope_resource = "payments"
    id_prefix = "seti"

    @operation(SetupIntentOut, input=SetupIntentCreateIn, errors=(MissingParameterTarget, *_FAILURES))
    def create(self, request: Request) -> HttpResponse:
        """Create a setup intent

        With `confirm=true` it is confirmed in the same request.
        """
        given = payment_method_options(self.input(SetupIntentCreateIn))
        if given.pop("confirm", False):
            return self._external(lambda caller: setup_intents.create_and_confirm(caller, **given))
        if "return_url" in given:
            raise errors.OnlyWithConfirm(param="return_url")
        return self.local(lambda caller: setup_intents.create(caller, **given))

    @operation(SetupIntentOut, lists=True, input=SetupIntentFilters)
    def list(self, request: Request) -> HttpResponse:
        """List setup intents, newest first"""
        page, filters = self.page(SetupIntentFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=SetupIntentOut)

    @operation(SetupIntentOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a setup intent"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(SetupIntentOut, input=SetupIntentUpdateIn, errors=(ResourceMissing, errors.SetupIntentUnexpectedState))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a setup intent"""
        given = payment_method_options(self.input(SetupIntentUpdateIn))
        return self.local(lambda caller: setup_intents.update(caller, intent_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        SetupIntentOut,
        input=SetupIntentConfirmIn,
        errors=(ResourceMissing, errors.SetupIntentUnexpectedState, *_FAILURES),
    )
    def confirm(self, request: Request, pk: str) -> HttpResponse:
        """Confirm a setup intent

        The issuer is asked to agree to later payments. Where the payer has to authenticate, `next_action` says where.
        """
        given = payment_method_options(self.input(SetupIntentConfirmIn))
        return self._external(lambda caller: setup_intents.begin_confirm(caller, intent_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(SetupIntentOut, input=SetupIntentCancelIn, errors=(ResourceMissing, errors.SetupIntentUnexpectedState))
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """Cancel a setup intent"""
        given = self.input(SetupIntentCancelIn)
        return self.local(lambda caller: setup_intents.cancel(caller, intent_id=pk, **given))

    def _external(self, begin: Any) -> HttpResponse:
        return self.external(
            begin=begin,
            resume=setup_intents.resume,
            call=processor_calls.perform,
            record=setup_outcomes.record,
        )
