"""`/v1/ledger/accounts`."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import BooleanField, CurrencyField, EnumField, IntegerField, MetadataField, TextField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.caller import Caller
from connect.kit.currencies import MAXIMUM_MINOR
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, require_cursor
from ledger.api.shared import identifier, owner_of
from ledger.domain import errors
from ledger.domain.accounts import PATH_LENGTH_MAX, SIDES
from ledger.selectors import accounts as selectors
from ledger.services import self_service
from ledger.shapes.accounts import LedgerAccountOut, render

RESOURCE = "ledger.account"


class AccountCreateIn(InputSerializer):
    """An account; `path` names it for ever, `floor` is the least it may have available in minor units."""

    path = TextField(max_length=PATH_LENGTH_MAX)
    currency = CurrencyField()
    normal_side = EnumField(SIDES, required=False)
    floor = IntegerField(required=False, allow_null=True, min_value=-MAXIMUM_MINOR, max_value=MAXIMUM_MINOR)
    name = TextField(max_length=255, required=False)
    metadata = MetadataField()


class AccountUpdateIn(InputSerializer):
    """What can change about an account."""

    name = TextField(max_length=255, required=False)
    metadata = MetadataField()


class AccountFilters(ListFilters):
    """Which accounts to list; `path_prefix` is the beginning of a path."""

    currency = CurrencyField(required=False)
    path_prefix = TextField(max_length=PATH_LENGTH_MAX, required=False, source="prefix")
    closed = BooleanField(required=False)


def _page(caller: Caller, page: Page, filters: dict[str, Any]) -> tuple[list[LedgerAccountOut], bool]:
    owner = owner_of(caller)
    require_cursor(page, "lacct", lambda cursor: selectors.get(cursor, owner=owner) is not None)
    rows, more = selectors.page(page, owner=owner, **filters)
    return [render(row, livemode=caller.livemode) for row in rows], more


def _get(caller: Caller, pk: str) -> LedgerAccountOut:
    found = selectors.get(identifier("lacct", RESOURCE, pk), owner=owner_of(caller))
    if found is None:
        raise ResourceMissing(resource=RESOURCE, id=pk)
    return render(found, livemode=caller.livemode)


class LedgerAccountViewSet(ApiViewSet):
    scope_resource = "ledger"
    id_prefix = "lacct"

    @operation(
        LedgerAccountOut,
        input=AccountCreateIn,
        errors=(errors.PathInvalid, errors.PathReserved, errors.AccountMismatch),
    )
    def create(self, request: Request) -> HttpResponse:
        """Open a ledger account

        Opening a path that exists with the same terms answers the account that exists.
        """
        given = self.input(AccountCreateIn)
        return self.local(lambda caller: render(self_service.open_account(caller, **given), livemode=caller.livemode))

    @operation(LedgerAccountOut, lists=True, input=AccountFilters)
    def list(self, request: Request) -> HttpResponse:
        """List ledger accounts, newest first"""
        page, filters = self.page(AccountFilters)
        return self.list_of(lambda caller: _page(caller, page, filters), shape=LedgerAccountOut)

    @operation(LedgerAccountOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a ledger account"""
        self.input(NoInput)
        return self.read(lambda caller: _get(caller, pk))

    @operation(LedgerAccountOut, input=AccountUpdateIn, errors=(ResourceMissing, errors.PathReserved))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a ledger account's name or metadata"""
        given = self.input(AccountUpdateIn)
        account_id = identifier("lacct", RESOURCE, pk)
        return self.local(
            lambda caller: render(
                self_service.update_account(caller, account_id=account_id, **given), livemode=caller.livemode
            )
        )

    @action(detail=True, methods=["post"])
    @operation(
        LedgerAccountOut,
        errors=(ResourceMissing, errors.PathReserved, errors.AccountClosed, errors.AccountNotEmpty),
    )
    def close(self, request: Request, pk: str) -> HttpResponse:
        """Close a ledger account for ever; it must be empty"""
        self.input(NoInput)
        account_id = identifier("lacct", RESOURCE, pk)
        return self.local(
            lambda caller: render(self_service.close_account(caller, account_id=account_id), livemode=caller.livemode)
        )
