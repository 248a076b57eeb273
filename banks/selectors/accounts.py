"""Linked bank accounts as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from banks.domain.connection_state import VISIBLE
from banks.models import BankAccount, Connection
from banks.shapes import accounts as shapes
from banks.shapes.accounts import PREFIX, BankAccountOut
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange, require_cursor, slice_queryset


def get(caller: Caller, bank_account_id: str) -> BankAccountOut:
    """The caller's account. Raises `ResourceMissing`, also when its connection was removed."""
    row = visible(caller).filter(pk=ids.lookup(PREFIX, bank_account_id)).first()
    if row is None:
        raise ResourceMissing(resource="banking.account", id=bank_account_id, param="id")
    return shapes.render(row, livemode=caller.livemode)


def page(
    caller: Caller,
    page: Page,
    *,
    connection: UUID | None = None,
    currency: str | None = None,
    status: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[BankAccountOut], bool]:
    """A page of the caller's accounts, newest first, and whether there are more."""
    wanted = {"connection_id": connection, "currency": currency, "status": status}
    conditions: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    if created is not None:
        conditions |= created.filters("created_at")
    rows = visible(caller).filter(**conditions)
    require_cursor(page, PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    return [shapes.render(row, livemode=caller.livemode) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, BankAccountOut]:
    """Many at once, for expanding."""
    return {row.id: shapes.render(row, livemode=caller.livemode) for row in visible(caller).filter(pk__in=identifiers)}


def visible(caller: Caller) -> Any:
    """The caller's accounts whose connection is there."""
    connections = Connection.objects.filter(account_id=caller.account, status__in=VISIBLE).values("id")
    return BankAccount.objects.filter(account_id=caller.account, connection_id__in=connections)
