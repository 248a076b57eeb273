"""`/v1/banking/institutions`: the catalogue of banks, the same for everybody."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from banks.domain import errors
from banks.selectors import institutions as selectors
from banks.shapes.institutions import InstitutionOut
from connect.api.fields import BooleanField, TextField
from connect.api.openapi import operation
from connect.api.serializers import ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import ResourceMissing


class InstitutionFilters(ListFilters):
    """Which banks to list.

    `query` is looked for in name, slug and BIC, in Cyrillic or Latin letters. `iban` is an IBAN, or an account number
    as its country writes it (`210-5015961024-57`): the bank that keeps it, if it is in the catalogue.
    """

    query = TextField(max_length=100, required=False)
    country = TextField(max_length=2, pattern="[A-Za-z]{2}", required=False)
    available = BooleanField(required=False)
    iban = TextField(max_length=50, required=False)


class InstitutionViewSet(ApiViewSet):
    scope_resource = "institutions"
    id_prefix = "inst"

    @operation(InstitutionOut, lists=True, input=InstitutionFilters, errors=(errors.IbanInvalid,))
    def list(self, request: Request) -> HttpResponse:
        """List banks, by name

        Their order is that of the alphabet, not of time. `available=true` leaves those that can be linked here now.
        """
        page, filters = self.page(InstitutionFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=InstitutionOut)

    @operation(InstitutionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a bank, by its id or its slug"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))
