"""`/v1/customers` and the payment methods below them."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import EnumField, IdField, MetadataField, SearchQueryField, TextField, TimeRangeField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput, SearchFilters
from connect.api.views import ApiViewSet
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from payments.api.shared import AddressIn, ShippingIn, text
from payments.domain import errors, searchable
from payments.selectors import customers as selectors
from payments.selectors import payment_methods as method_selectors
from payments.services import customers
from payments.shapes.customers import CustomerOut, DeletedCustomerOut
from payments.shapes.payment_methods import PaymentMethodOut


class InvoiceSettingsIn(InputSerializer):
    """What payments of this customer use unless they say otherwise."""

    default_payment_method = text(100)


class CustomerUpdateIn(InputSerializer):
    """Who the payer is; everything is optional."""

    email = text(512)
    name = text(256)
    phone = text(40)
    description = text(1000)
    address = AddressIn(required=False, allow_null=True)
    shipping = ShippingIn(required=False, allow_null=True)
    preferred_locales = ListField(child=TextField(max_length=20), required=False)
    invoice_settings = InvoiceSettingsIn(required=False)
    metadata = MetadataField()


class CustomerCreateIn(CustomerUpdateIn):
    """`payment_method` is attached and becomes the default; `test_clock` is the clock the customer lives by."""

    payment_method = TextField(max_length=100, required=False)
    test_clock = TextField(max_length=100, required=False)


class CustomerFilters(ListFilters):
    """Which customers to list; `email` is compared exactly. Those with a test clock only when that clock is named."""

    email = TextField(max_length=512, required=False)
    test_clock = IdField("clock", required=False)
    created = TimeRangeField(required=False)


class CustomerSearch(SearchFilters):
    """Which customers to find."""

    query = SearchQueryField(searchable.CUSTOMERS)


class MethodFilters(ListFilters):
    """Which payment methods to list."""

    type = EnumField(["card"], required=False)


class CustomerViewSet(ApiViewSet):
    scope_resource = "customers"
    id_prefix = "cus"

    @operation(
        CustomerOut, input=CustomerCreateIn, errors=(MissingParameterTarget, errors.PaymentMethodAlreadyAttached)
    )
    def create(self, request: Request) -> HttpResponse:
        """Create a customer"""
        given = self.input(CustomerCreateIn)
        return self.local(lambda caller: customers.create(caller, **given))

    @operation(CustomerOut, lists=True, input=CustomerFilters)
    def list(self, request: Request) -> HttpResponse:
        """List customers, newest first"""
        page, filters = self.page(CustomerFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=CustomerOut)

    @action(detail=False, methods=["get"])
    @operation(CustomerOut, searches=True, input=CustomerSearch)
    def search(self, request: Request) -> HttpResponse:
        """Search customers, newest first

        What was just written is found at once. Deleted customers are left out, and those that live by a test clock.
        """
        return self.search_of(CustomerSearch, selectors.search, shape=CustomerOut)

    @operation(CustomerOut | DeletedCustomerOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a customer"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(CustomerOut, input=CustomerUpdateIn, errors=(ResourceMissing, MissingParameterTarget))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a customer"""
        given = self.input(CustomerUpdateIn)
        return self.local(lambda caller: customers.update(caller, customer_id=pk, **given))

    @operation(DeletedCustomerOut, errors=(ResourceMissing,))
    def destroy(self, request: Request, pk: str) -> HttpResponse:
        """Delete a customer

        Payment methods are detached; what was paid stays.
        """
        self.input(NoInput)
        return self.local(lambda caller: customers.delete(caller, customer_id=pk))

    @action(detail=True, methods=["get"], url_path="payment_methods")
    @operation(PaymentMethodOut, lists=True, input=MethodFilters, errors=(ResourceMissing,))
    def payment_methods(self, request: Request, pk: str) -> HttpResponse:
        """List a customer's payment methods"""
        page, filters = self.page(MethodFilters, prefix="pm")
        return self.list_of(
            lambda caller: method_selectors.page(caller, page, customer=selectors.require(caller, pk), **filters),
            shape=PaymentMethodOut,
        )
