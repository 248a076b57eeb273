"""`/v1/ledger/balances`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from connect.api.fields import CurrencyField, EnumField, TextField, UnixTimeField
from connect.api.openapi import operation
from connect.api.serializers import ListFilters
from connect.api.views import ApiViewSet
from connect.kit.caller import Caller
from connect.kit.pages import Page, require_cursor
from ledger.api.shared import owner_of
from ledger.domain.accounts import PATH_LENGTH_MAX
from ledger.selectors import accounts as account_selectors
from ledger.selectors import balances as selectors
from ledger.shapes.balances import LedgerBalanceOut, render


class BalanceFilters(ListFilters):
    """Whose balances, and as of when.

    `as_of` is a moment; by `effective` time (what had taken effect by then, as known now) or by `created` time (what
    the ledger said then).
    """

    currency = CurrencyField(required=False)
    path_prefix = TextField(max_length=PATH_LENGTH_MAX, required=False, source="prefix")
    as_of = UnixTimeField(required=False)
    as_of_basis = EnumField(["effective", "created"], required=False)


def _page(caller: Caller, page: Page, filters: dict[str, Any]) -> tuple[list[LedgerBalanceOut], bool]:
    owner = owner_of(caller)
    as_of: datetime | None = filters.pop("as_of", None)
    basis = filters.pop("as_of_basis", "effective")
    require_cursor(page, "lacct", lambda cursor: account_selectors.get(cursor, owner=owner) is not None)
    accounts, more = account_selectors.page(page, owner=owner, **filters)
    paths = [account.path for account in accounts]
    if as_of is None:
        found = selectors.for_paths(paths)
    elif basis == "effective":
        found = selectors.as_of_effective(paths, as_of)
    else:
        found = selectors.as_of_created(paths, as_of)
    return [render(found[path], livemode=caller.livemode, as_of=as_of) for path in paths], more


class LedgerBalanceViewSet(ApiViewSet):
    scope_resource = "ledger"
    id_prefix = "lacct"

    @operation(LedgerBalanceOut, lists=True, input=BalanceFilters)
    def list(self, request: Request) -> HttpResponse:
        """List balances, by account, newest account first"""
        page, filters = self.page(BalanceFilters)
        return self.list_of(lambda caller: _page(caller, page, dict(filters)), shape=LedgerBalanceOut)
