"""`/v1/banking/transactions`: what happened on linked accounts, as a list and as a log of changes."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from banks.selectors import transactions as selectors
from banks.shapes.transactions import BankTransactionOut
from connect.api.fields import (
    CurrencyField,
    DateField,
    EnumField,
    IdField,
    IntegerField,
    RangeField,
    TextField,
    TimeRangeField,
)
from connect.api.openapi import operation
from connect.api.serializers import ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import ResourceMissing


class BankTransactionFilters(ListFilters):
    """Which transactions to list.

    `booking_date` is a day, `amount` minor units (negative is money out); both can be bounded with `[gt]`, `[gte]`,
    `[lt]` and `[lte]`. `query` is words that all have to occur in counterparty, text or reference, in Cyrillic or Latin
    letters.
    """

    account = IdField("bka", required=False)
    connection = IdField("conn", required=False)
    status = EnumField(["booked", "pending", "removed"], required=False)
    booking_date = RangeField(DateField(), required=False)
    amount = RangeField(IntegerField(), required=False)
    direction = EnumField(["in", "out"], required=False)
    currency = CurrencyField(required=False)
    query = TextField(max_length=200, required=False)
    created = TimeRangeField(required=False)


class BankTransactionViewSet(ApiViewSet):
    scope_resource = "transactions"
    id_prefix = "btx"

    @operation(BankTransactionOut, lists=True, input=BankTransactionFilters)
    def list(self, request: Request) -> HttpResponse:
        """List bank transactions, newest first

        Newest is what we learned last. Those that the bank took back are left out unless `status=removed` asks for
        them. To keep a copy up to date, use the sync instead: it also tells what changed and what went.
        """
        page, filters = self.page(BankTransactionFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=BankTransactionOut)

    @operation(BankTransactionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a bank transaction, also one that the bank took back"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))
