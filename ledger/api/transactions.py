"""`/v1/ledger/transactions`."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import (
    CurrencyField,
    EnumField,
    IdField,
    MetadataField,
    MinorUnitsField,
    TextField,
    TimeRangeField,
    UnixTimeField,
)
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from connect.kit.pages import Page, require_cursor
from ledger.api.shared import account_name, identifier, owner_of, text
from ledger.domain import errors
from ledger.domain.accounts import SIDES
from ledger.domain.postings import KIND_LENGTH_MAX, LINES_MAX
from ledger.selectors import transactions as selectors
from ledger.services import self_service
from ledger.services.self_service import LineRequest
from ledger.shapes.transactions import LedgerTransactionOut, render

RESOURCE = "ledger.transaction"


class LineIn(InputSerializer):
    """What one account gives or receives: `account` is a path or an id, `amount` positive minor units."""

    account = account_name()
    amount = MinorUnitsField(min_value=1)
    currency = CurrencyField()
    direction = EnumField(SIDES)


class TransactionCreateIn(InputSerializer):
    """A transaction; its lines sum to zero in every currency. `effective_at` is now unless given."""

    lines = ListField(child=LineIn(), min_length=2, max_length=LINES_MAX)
    kind = TextField(max_length=KIND_LENGTH_MAX, required=False, pattern=r"[a-z0-9_.]+")
    description = text(1000)
    effective_at = UnixTimeField(required=False)
    reference = text(255)
    metadata = MetadataField()


class ReverseIn(InputSerializer):
    """What to say about the reversal."""

    description = text(1000)
    metadata = MetadataField()


class TransactionFilters(ListFilters):
    """Which transactions to list: those of an account, of a business object, of a kind, of a time."""

    account = IdField("lacct", required=False, source="account_id")
    reference = TextField(max_length=255, required=False)
    kind = TextField(max_length=KIND_LENGTH_MAX, required=False)
    created = TimeRangeField(required=False)


def _page(caller: Caller, page: Page, filters: dict[str, Any]) -> tuple[list[LedgerTransactionOut], bool]:
    owner = owner_of(caller)
    require_cursor(page, "ltxn", lambda cursor: selectors.get(cursor, owner=owner) is not None)
    rows, more = selectors.page(page, owner=owner, **filters)
    return [render(row, livemode=caller.livemode) for row in rows], more


def _get(caller: Caller, pk: str) -> LedgerTransactionOut:
    found = selectors.get(identifier("ltxn", RESOURCE, pk), owner=owner_of(caller))
    if found is None:
        raise ResourceMissing(resource=RESOURCE, id=pk)
    return render(found, livemode=caller.livemode)


class LedgerTransactionViewSet(ApiViewSet):
    scope_resource = "ledger"
    id_prefix = "ltxn"

    @operation(
        LedgerTransactionOut,
        input=TransactionCreateIn,
        errors=(
            errors.UnbalancedTransaction, errors.InsufficientFunds, errors.CurrencyMismatch, errors.AccountClosed,
            errors.PathReserved, errors.DuplicateTransaction, MissingParameterTarget,
        ),
    )  # fmt: skip
    def create(self, request: Request) -> HttpResponse:
        """Post a ledger transaction

        Under an Idempotency-Key it is posted once for ever, even after the key's stored answer is gone.
        """
        given = self.input(TransactionCreateIn)
        lines = [LineRequest(**line) for line in given.pop("lines")]
        return self.local(
            lambda caller: render(self_service.post(caller, lines=lines, **given), livemode=caller.livemode)
        )

    @operation(LedgerTransactionOut, lists=True, input=TransactionFilters)
    def list(self, request: Request) -> HttpResponse:
        """List ledger transactions, newest first"""
        page, filters = self.page(TransactionFilters)
        return self.list_of(lambda caller: _page(caller, page, filters), shape=LedgerTransactionOut)

    @operation(LedgerTransactionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a ledger transaction"""
        self.input(NoInput)
        return self.read(lambda caller: _get(caller, pk))

    @action(detail=True, methods=["post"])
    @operation(
        LedgerTransactionOut,
        input=ReverseIn,
        errors=(
            ResourceMissing, errors.AlreadyReversed, errors.InsufficientFunds, errors.AccountClosed,
            errors.PathReserved,
        ),
    )  # fmt: skip
    def reverse(self, request: Request, pk: str) -> HttpResponse:
        """Reverse a ledger transaction

        Posts its mirror image, once; the answer is the reversal.
        """
        given = self.input(ReverseIn)
        transaction_id = identifier("ltxn", RESOURCE, pk)
        return self.local(
            lambda caller: render(
                self_service.reverse(caller, transaction_id=transaction_id, **given), livemode=caller.livemode
            )
        )
