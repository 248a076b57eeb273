"""`/v1/banking/accounts`: the bank accounts that customers linked."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from banks.selectors import accounts as selectors
from banks.services import accounts
from banks.shapes.accounts import BankAccountOut
from connect.api.fields import CurrencyField, EnumField, IdField, MetadataField, TimeRangeField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import ResourceMissing


class BankAccountUpdateIn(InputSerializer):
    """Everything else is the bank's to say."""

    metadata = MetadataField()


class BankAccountFilters(ListFilters):
    """Which accounts to list. An account of several currencies has none of its own."""

    connection = IdField("conn", required=False)
    currency = CurrencyField(required=False)
    status = EnumField(["open", "blocked", "closed"], required=False)
    created = TimeRangeField(required=False)


class BankAccountViewSet(ApiViewSet):
    scope_resource = "accounts"
    id_prefix = "bka"

    @operation(BankAccountOut, lists=True, input=BankAccountFilters)
    def list(self, request: Request) -> HttpResponse:
        """List linked accounts, newest first

        A bank that does not answer spoils nobody else's data: each account says for itself whether it is `stale`, and
        why.
        """
        page, filters = self.page(BankAccountFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=BankAccountOut)

    @operation(BankAccountOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a linked account

        Answers with what the bank said last, and when that was; it never waits for the bank.
        """
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(BankAccountOut, input=BankAccountUpdateIn, errors=(ResourceMissing,))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a linked account's metadata"""
        given = self.input(BankAccountUpdateIn)
        return self.local(lambda caller: accounts.update(caller, pk, **given))
