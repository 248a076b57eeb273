"""`/v1/payment_methods`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import EnumField, IdField, IntegerField, MetadataField, TextField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from payments.api.shared import BillingDetailsIn, PaymentMethodDataIn
from payments.domain import errors, method_types
from payments.selectors import payment_methods as selectors
from payments.services import payment_methods
from payments.shapes.payment_methods import PaymentMethodOut


class PaymentMethodCreateIn(PaymentMethodDataIn):
    """A card in a test environment."""

    metadata = MetadataField()


class CardUpdateIn(InputSerializer):
    """A new expiry; month and year as printed on the card."""

    exp_month = IntegerField(required=False, min_value=1, max_value=12)
    exp_year = IntegerField(required=False, min_value=0, max_value=9999)


class PaymentMethodUpdateIn(InputSerializer):
    """What can change about a payment method."""

    ACCEPTED_WITHOUT_EFFECT = {"allow_redisplay": "Saved methods are shown to their own customer only."}

    billing_details = BillingDetailsIn(required=False)
    card = CardUpdateIn(required=False)
    metadata = MetadataField()


class AttachIn(InputSerializer):
    """The customer to keep it for."""

    customer = TextField(max_length=100)


class PaymentMethodFilters(ListFilters):
    """Which payment methods to list."""

    customer = IdField("cus", required=False)
    type = EnumField(list(method_types.ALL), required=False)


class PaymentMethodViewSet(ApiViewSet):
    scope_resource = "payments"
    id_prefix = "pm"

    @operation(
        PaymentMethodOut,
        input=PaymentMethodCreateIn,
        errors=(errors.RawCardsRefused, errors.IncorrectNumber, errors.InvalidExpiryMonth, errors.InvalidExpiryYear,
                errors.InvalidCvc, errors.CardDeclined, MissingParameterTarget, errors.PayByBankUnavailable),
    )  # fmt: skip
    def create(self, request: Request) -> HttpResponse:
        """Create a payment method"""
        given = self.input(PaymentMethodCreateIn)
        return self.local(lambda caller: payment_methods.create(caller, **given))

    @operation(PaymentMethodOut, lists=True, input=PaymentMethodFilters)
    def list(self, request: Request) -> HttpResponse:
        """List payment methods, newest first"""
        page, filters = self.page(PaymentMethodFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=PaymentMethodOut)

    @operation(PaymentMethodOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a payment method"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(PaymentMethodOut, input=PaymentMethodUpdateIn, errors=(ResourceMissing, errors.InvalidExpiryYear))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a payment method"""
        given = self.input(PaymentMethodUpdateIn)
        return self.local(lambda caller: payment_methods.update(caller, method_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        PaymentMethodOut,
        input=AttachIn,
        errors=(
            ResourceMissing,
            MissingParameterTarget,
            errors.PaymentMethodAlreadyAttached,
            errors.PaymentMethodUsedUp,
            errors.PayByBankNotKept,
        ),
    )
    def attach(self, request: Request, pk: str) -> HttpResponse:
        """Attach a payment method to a customer"""
        given = self.input(AttachIn)
        return self.local(lambda caller: payment_methods.attach(caller, method_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(PaymentMethodOut, errors=(ResourceMissing, errors.PaymentMethodNotAttached))
    def detach(self, request: Request, pk: str) -> HttpResponse:
        """Detach a payment method from its customer"""
        self.input(NoInput)
        return self.local(lambda caller: payment_methods.detach(caller, method_id=pk))
