"""`/v1/prices`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from connect.api.fields import (
    BooleanField,
    CurrencyField,
    DecimalField,
    EnumField,
    IdField,
    IntegerField,
    MetadataField,
    MinorUnitsField,
    TextField,
    TimeRangeField,
)
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from payments.api.shared import text
from payments.domain import errors
from payments.selectors import prices as selectors
from payments.services import prices
from payments.shapes.prices import PriceOut

INTERVALS = ("day", "week", "month", "year")
USAGE_TYPES = ("licensed", "metered")
TAX_BEHAVIORS = ("exclusive", "inclusive", "unspecified")


class RecurringIn(InputSerializer):
    """How often the price is due: every `interval_count` times `interval`."""

    interval = EnumField(INTERVALS)
    interval_count = IntegerField(required=False, min_value=1, max_value=1095)
    trial_period_days = IntegerField(required=False, min_value=1, max_value=730)
    usage_type = EnumField(USAGE_TYPES, required=False)


class PriceDataIn(InputSerializer):
    """An amount in minor units: whole as `unit_amount`, or exact as `unit_amount_decimal` with up to 12 decimals."""

    currency = CurrencyField()
    unit_amount = MinorUnitsField(required=False)
    unit_amount_decimal = DecimalField(required=False)
    recurring = RecurringIn(required=False)
    tax_behavior = EnumField(TAX_BEHAVIORS, required=False)
    metadata = MetadataField()


class PriceProductIn(InputSerializer):
    """A product made along with its price."""

    ACCEPTED_WITHOUT_EFFECT = {"tax_code": "Tax is not computed."}

    name = TextField(max_length=250)
    active = BooleanField(required=False)
    metadata = MetadataField()
    statement_descriptor = text(22)
    unit_label = text(12)


class PriceCreateIn(PriceDataIn):
    """A price of a product, or of a new one described by `product_data`."""

    product = TextField(max_length=100, required=False)
    product_data = PriceProductIn(required=False)
    active = BooleanField(required=False)
    billing_scheme = EnumField(["per_unit"], required=False)
    lookup_key = TextField(max_length=200, required=False)
    transfer_lookup_key = BooleanField(required=False)
    nickname = text(250)


class PriceUpdateIn(InputSerializer):
    """What can change about a price; its amount never does."""

    active = BooleanField(required=False)
    lookup_key = text(200)
    transfer_lookup_key = BooleanField(required=False)
    metadata = MetadataField()
    nickname = text(250)
    tax_behavior = EnumField(TAX_BEHAVIORS, required=False)


class RecurringFilters(InputSerializer):
    """Prices due this often."""

    interval = EnumField(INTERVALS, required=False)
    usage_type = EnumField(USAGE_TYPES, required=False)


class PriceFilters(ListFilters):
    """Which prices to list."""

    active = BooleanField(required=False)
    currency = CurrencyField(required=False)
    lookup_keys = ListField(child=TextField(max_length=200), required=False, max_length=10)
    product = IdField("prod", required=False)
    type = EnumField(["one_time", "recurring"], required=False)
    recurring = RecurringFilters(required=False)
    created = TimeRangeField(required=False)


class PriceViewSet(ApiViewSet):
    scope_resource = "products"
    id_prefix = "price"

    @operation(PriceOut, input=PriceCreateIn, errors=(MissingParameterTarget, errors.LookupKeyTaken))
    def create(self, request: Request) -> HttpResponse:
        """Create a price"""
        given = self.input(PriceCreateIn)
        given.pop("billing_scheme", None)  # there is only the one
        return self.local(lambda caller: prices.create(caller, **given))

    @operation(PriceOut, lists=True, input=PriceFilters)
    def list(self, request: Request) -> HttpResponse:
        """List prices, newest first"""
        page, filters = self.page(PriceFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=PriceOut)

    @operation(PriceOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a price"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(PriceOut, input=PriceUpdateIn, errors=(ResourceMissing, errors.LookupKeyTaken))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a price"""
        given = self.input(PriceUpdateIn)
        return self.local(lambda caller: prices.update(caller, price_id=pk, **given))
