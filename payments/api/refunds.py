"""`/v1/refunds`: money back to the payer."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import EnumField, IdField, MetadataField, MinorUnitsField, TextField, TimeRangeField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import LockTimeout, MissingParameterTarget, ResourceMissing
from payments.domain import errors
from payments.domain.refund_state import Reason
from payments.selectors import refunds as selectors
from payments.services import payment_outcomes, processor_calls, refunds
from payments.shapes.refunds import RefundOut


class RefundCreateIn(InputSerializer):
    """What to give back: a charge or a payment intent, and how much of it; all that is left without `amount`."""

    ACCEPTED_WITHOUT_EFFECT = {"instructions_email": "Cards are refunded without the payer's help."}

    charge = TextField(max_length=100, required=False)
    payment_intent = TextField(max_length=100, required=False)
    amount = MinorUnitsField(min_value=1, required=False)
    reason = EnumField([reason.value for reason in Reason], required=False)
    metadata = MetadataField()


class RefundUpdateIn(InputSerializer):
    """Only metadata can change."""

    metadata = MetadataField()


class RefundFilters(ListFilters):
    """Which refunds to list."""

    charge = IdField("ch", required=False)
    payment_intent = IdField("pi", required=False)
    created = TimeRangeField(required=False)


class RefundViewSet(ApiViewSet):
    scope_resource = "payments"
    id_prefix = "re"

    @operation(
        RefundOut,
        input=RefundCreateIn,
        errors=(
            errors.RefundByBankTransfer,
            MissingParameterTarget, errors.PaymentIntentUnexpectedState, errors.ChargeNotRefundable,
            errors.ChargeAlreadyRefunded, errors.RefundTooLarge, errors.PaymentProcessorUnavailable,
        ),
    )  # fmt: skip
    def create(self, request: Request) -> HttpResponse:
        """Create a refund

        Several may follow each other until all that was captured is given back. It comes out of the available balance,
        which may fall below zero; the fee of the payment is not given back.
        """
        given = self.input(RefundCreateIn)
        return self._external(lambda caller: refunds.begin_create(caller, **given))

    @operation(RefundOut, lists=True, input=RefundFilters)
    def list(self, request: Request) -> HttpResponse:
        """List refunds, newest first"""
        page, filters = self.page(RefundFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=RefundOut)

    @operation(RefundOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a refund"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(RefundOut, input=RefundUpdateIn, errors=(ResourceMissing,))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a refund's metadata"""
        given = self.input(RefundUpdateIn)
        return self.local(lambda caller: refunds.update(caller, refund_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        RefundOut,
        errors=(ResourceMissing, errors.RefundNotCancelable, LockTimeout, errors.PaymentProcessorUnavailable),
    )
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """Cancel a refund

        One that is pending or waits for the payer, if the processor can still stop it. Its amount is back in the
        balance then.
        """
        self.input(NoInput)
        return self._external(lambda caller: refunds.begin_cancel(caller, refund_id=pk))

    def _external(self, begin: Any) -> HttpResponse:
        return self.external(
            begin=begin, resume=refunds.resume, call=processor_calls.perform, record=payment_outcomes.record
        )
