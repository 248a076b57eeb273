"""`/v1/products`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from connect.api.fields import BooleanField, IdField, MetadataField, TextField, TimeRangeField, UrlField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from payments.api.prices import PriceDataIn
from payments.api.shared import text
from payments.domain import errors
from payments.selectors import products as selectors
from payments.services import products
from payments.shapes.products import DeletedProductOut, ProductOut


class ProductDataIn(InputSerializer):
    """What is sold. `unit_label` is the word for one unit; `images` are addresses."""

    ACCEPTED_WITHOUT_EFFECT = {"tax_code": "Tax is not computed."}

    name = TextField(max_length=250)
    description = text(1000)
    images = ListField(child=UrlField(), required=False, max_length=8)
    metadata = MetadataField()
    unit_label = text(12)


class ProductCreateIn(ProductDataIn):
    """A product, and with `default_price_data` its price."""

    active = BooleanField(required=False)
    shippable = BooleanField(required=False)
    statement_descriptor = text(22)
    url = UrlField(required=False)
    default_price_data = PriceDataIn(required=False)


class ProductUpdateIn(ProductDataIn):
    """What can change about a product; `default_price` is one of its own prices."""

    name = TextField(max_length=250, required=False)
    active = BooleanField(required=False)
    default_price = TextField(max_length=100, required=False)
    shippable = BooleanField(required=False)
    statement_descriptor = text(22)
    url = UrlField(required=False, allow_null=True)


class ProductFilters(ListFilters):
    """Which products to list."""

    active = BooleanField(required=False)
    ids = ListField(child=IdField("prod"), required=False, max_length=100)
    shippable = BooleanField(required=False)
    url = UrlField(required=False)
    created = TimeRangeField(required=False)


class ProductViewSet(ApiViewSet):
    scope_resource = "products"
    id_prefix = "prod"

    @operation(ProductOut, input=ProductCreateIn, errors=(errors.LookupKeyTaken,))
    def create(self, request: Request) -> HttpResponse:
        """Create a product"""
        given = self.input(ProductCreateIn)
        return self.local(lambda caller: products.create(caller, **given))

    @operation(ProductOut, lists=True, input=ProductFilters)
    def list(self, request: Request) -> HttpResponse:
        """List products, newest first"""
        page, filters = self.page(ProductFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=ProductOut)

    @operation(ProductOut | DeletedProductOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a product"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(ProductOut, input=ProductUpdateIn, errors=(ResourceMissing, MissingParameterTarget))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a product"""
        given = self.input(ProductUpdateIn)
        return self.local(lambda caller: products.update(caller, product_id=pk, **given))

    @operation(DeletedProductOut, errors=(ResourceMissing, errors.ProductHasPrices))
    def destroy(self, request: Request, pk: str) -> HttpResponse:
        """Delete a product

        Only one that never had a price; archive others with `active=false`.
        """
        self.input(NoInput)
        return self.local(lambda caller: products.delete(caller, product_id=pk))
