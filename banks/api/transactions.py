"""`/v1/banking/transactions`: what happened on linked accounts, as a list and as a log of changes."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from banks.domain import errors
from banks.selectors import sync as syncs
from banks.selectors import transactions as selectors
from banks.shapes.transactions import BankTransactionOut, TransactionSyncOut
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
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import MissingParameterTarget, ResourceMissing

SYNC_LIMIT: Final = 100


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


class TransactionSyncIn(InputSerializer):
    """`cursor` is the `next_cursor` you kept; without one everything is given. `limit` is how far a page reads."""

    connection = TextField(max_length=100)
    cursor = TextField(max_length=200, required=False, allow_null=True)
    limit = IntegerField(required=False, min_value=1, max_value=500)


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

    @action(detail=False, methods=["get"])
    @operation(TransactionSyncOut, input=TransactionSyncIn, errors=(MissingParameterTarget, errors.SyncCursorInvalid))
    def sync(self, request: Request) -> HttpResponse:
        """Sync a connection's transactions: what was added, modified and removed behind a cursor

        Read until `has_more` is false, keep what you got, and `next_cursor` with it; the next time, begin from there.
        The same cursor can be sent again at any time, and gives at least the same changes as they are by then.
        """
        given = self.input(TransactionSyncIn)
        return self.read(
            lambda caller: syncs.page(
                caller, given["connection"], given.get("cursor") or "", given.get("limit", SYNC_LIMIT)
            )
        )

    @operation(BankTransactionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a bank transaction, also one that the bank took back"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))
