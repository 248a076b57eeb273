"""Holds, by id, by business object and in pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from connect.kit.pages import Page, clause, slice_rows
from ledger.domain.records import Hold
from ledger.models import rows


def get(hold_id: UUID, *, owner: UUID | None = None) -> Hold | None:
    """The hold, or None; with `owner` only when one of its sides belongs to that connected account."""
    found = by_ids([hold_id], owner=owner)
    return found[0] if found else None


def by_ids(hold_ids: Iterable[UUID], *, owner: UUID | None = None) -> list[Hold]:
    """Holds by id, in one statement; an unknown id is absent. `owner` as for `get`."""
    wanted = list(hold_ids)
    if owner is None:
        return _read("h.id = ANY(%s)", [wanted])
    return _read("h.id = ANY(%s) AND %s IN (s.account_id, d.account_id)", [wanted, owner])


def for_reference(reference: str) -> list[Hold]:
    """The holds placed for a business object, oldest first."""
    return _read("h.reference = %s AND h.reference <> '' ORDER BY h.id", [reference])


def page(
    page: Page,
    *,
    owner: UUID | None = None,
    account_id: UUID | None = None,
    state: str | None = None,
    reference: str | None = None,
) -> tuple[list[Hold], bool]:
    """A page, newest first, and whether there are more. `account_id` and `owner` match either side of a hold."""
    cut = clause(page, column="h.id")
    where: list[str] = []
    parameters: list[Any] = []
    conditions: list[tuple[str, Any]] = [
        ("%s IN (s.account_id, d.account_id)", owner),
        ("%s IN (h.source_account, h.destination_account)", account_id),
        ("h.state = %s", state),
        ("h.reference = %s", reference),
    ]
    for condition, value in conditions:
        if value is not None:
            where.append(condition)
            parameters.append(value)
    sql = f"{' AND '.join([*where, cut.where])} ORDER BY {cut.order} LIMIT %s"
    return slice_rows(_read(sql, [*parameters, *cut.where_parameters, cut.limit]), page)


def _read(where: str, parameters: list[Any]) -> list[Hold]:
    sql = f"SELECT {rows.HOLD} FROM ledger_hold h {rows.HOLD_ACCOUNTS} WHERE {where}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [rows.hold(row) for row in cursor.fetchall()]
