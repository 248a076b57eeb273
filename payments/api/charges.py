"""`/v1/charges`: read and annotate. Charges are made by confirming payment intents."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import IdField, MetadataField, TimeRangeField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import ResourceMissing
from payments.api.shared import ShippingIn, text
from payments.selectors import charges as selectors
from payments.selectors import refunds as refund_selectors
from payments.services import charges
from payments.shapes.charges import ChargeOut
from payments.shapes.refunds import RefundOut


class ChargeUpdateIn(InputSerializer):
    """A charge's words."""

    description = text(1000)
    receipt_email = text(512)
    shipping = ShippingIn(required=False, allow_null=True)
    transfer_group = text(255)
    metadata = MetadataField()


class ChargeFilters(ListFilters):
    """Which charges to list."""

    customer = IdField("cus", required=False)
    payment_intent = IdField("pi", required=False)
    created = TimeRangeField(required=False)


class ChargeViewSet(ApiViewSet):
    scope_resource = "payments"
    id_prefix = "ch"

    @operation(ChargeOut, lists=True, input=ChargeFilters)
    def list(self, request: Request) -> HttpResponse:
        """List charges, newest first"""
        page, filters = self.page(ChargeFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=ChargeOut)

    @operation(ChargeOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a charge"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @action(detail=True, methods=["get"])
    @operation(RefundOut, lists=True, errors=(ResourceMissing,))
    def refunds(self, request: Request, pk: str) -> HttpResponse:
        """List a charge's refunds, newest first"""
        page, _ = self.page(prefix="re")
        return self.list_of(lambda caller: refund_selectors.of_charge(caller, pk, page), shape=RefundOut)

    @operation(ChargeOut, input=ChargeUpdateIn, errors=(ResourceMissing,))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a charge"""
        given = self.input(ChargeUpdateIn)
        return self.local(lambda caller: charges.update(caller, charge_id=pk, **given))
