"""Connections as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from banks.domain.connection_state import VISIBLE, Status
from banks.models import Connection
from banks.selectors import institutions
from banks.shapes import connections as shapes
from banks.shapes.connections import PREFIX, ConnectionOut, DeletedConnectionOut
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from connect.kit.pages import Page, TimeRange, require_cursor, slice_queryset


def get(caller: Caller, connection_id: str) -> ConnectionOut | DeletedConnectionOut:
    """The caller's connection, or its deleted form. Raises `ResourceMissing`, also before the token is exchanged."""
    row = Connection.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, connection_id))
    if row is None or row.status == Status.PENDING:
        raise ResourceMissing(resource="banking.connection", id=connection_id, param="id")
    return shapes.render(row, livemode=caller.livemode)


def page(
    caller: Caller,
    page: Page,
    *,
    institution: str | None = None,
    status: str | None = None,
    client_reference_id: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[ConnectionOut | DeletedConnectionOut], bool]:
    """A page of the caller's connections, newest first, and whether there are more. Removed ones are left out.

    `institution` is an id or a slug. Raises `MissingParameterTarget` for a bank that does not exist.
    """
    conditions: dict[str, Any] = {"account_id": caller.account, "status__in": [status] if status else list(VISIBLE)}
    if institution:
        bank = institutions.find(institution, livemode=caller.livemode)
        if bank is None:
            raise MissingParameterTarget(resource="banking.institution", id=institution, param="institution")
        conditions["institution_id"] = bank.id
    if client_reference_id:
        conditions["client_reference_id"] = client_reference_id
    if created is not None:
        conditions |= created.filters("created_at")
    rows = Connection.objects.filter(**conditions)
    require_cursor(page, PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    return [shapes.render(row, livemode=caller.livemode) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, Any]:
    """Many at once, for expanding."""
    rows = Connection.objects.filter(account_id=caller.account, pk__in=identifiers).exclude(status=Status.PENDING)
    return {row.id: shapes.render(row, livemode=caller.livemode) for row in rows}
