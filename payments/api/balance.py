"""`/v1/balance` and `/v1/balance_transactions`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from connect.api.fields import CurrencyField, TextField, TimeRangeField
from connect.api.openapi import operation
from connect.api.serializers import ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import ResourceMissing
from payments.selectors import balance, balance_transactions
from payments.shapes.balance import BalanceOut
from payments.shapes.balance_transactions import BalanceTransactionOut


class BalanceTransactionFilters(ListFilters):
    """Which balance transactions to list; `source` is the id of what caused them."""

    currency = CurrencyField(required=False)
    source = TextField(max_length=64, required=False)  # type: ignore[assignment]  # DRF's fields have a `source` too
    type = TextField(max_length=40, required=False)
    created = TimeRangeField(required=False)


class BalanceViewSet(ApiViewSet):
    scope_resource = "balance"

    @operation(BalanceOut)
    def retrieve(self, request: Request) -> HttpResponse:
        """Retrieve the balance

        It is read from the ledger: what is available for payouts, and what is on its way.
        """
        self.input(NoInput)
        return self.read(balance.now)


class BalanceTransactionViewSet(ApiViewSet):
    scope_resource = "balance"
    id_prefix = "txn"

    @operation(BalanceTransactionOut, lists=True, input=BalanceTransactionFilters)
    def list(self, request: Request) -> HttpResponse:
        """List balance transactions, newest first"""
        page, filters = self.page(BalanceTransactionFilters)
        return self.list_of(
            lambda caller: balance_transactions.page(caller, page, **filters), shape=BalanceTransactionOut
        )

    @operation(BalanceTransactionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a balance transaction"""
        self.input(NoInput)
        return self.read(lambda caller: balance_transactions.get(caller, pk))
