"""Transactions with their lines, by id, by business object, by account and in pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from connect.kit.pages import Page, TimeRange, clause, slice_rows
from ledger.domain.records import Transaction
from ledger.models import rows

_OWNED = (
    "EXISTS (SELECT 1 FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id"
    " WHERE e.transaction_id = t.id AND a.account_id = %s)"
)


def get(transaction_id: UUID, *, owner: UUID | None = None) -> Transaction | None:
    """The transaction, or None; with `owner` only when it touches an account of that connected account."""
    found = by_ids([transaction_id], owner=owner)
    return found[0] if found else None


def by_ids(transaction_ids: Iterable[UUID], *, owner: UUID | None = None) -> list[Transaction]:
    """Transactions by id, in one statement; an unknown id is absent. `owner` as for `get`."""
    wanted = list(transaction_ids)
    if owner is None:
        return _read("t.id = ANY(%s)", [wanted])
    return _read(f"t.id = ANY(%s) AND {_OWNED}", [wanted, owner])


def by_key(idempotency_key: str) -> Transaction | None:
    """The transaction posted under this key, or None."""
    found = _read("t.idempotency_key = %s", [idempotency_key])
    return found[0] if found else None


def for_reference(reference: str) -> list[Transaction]:
    """Everything posted for a business object (`pi_…`), oldest first."""
    return _read("t.reference = %s AND t.reference <> '' ORDER BY t.id", [reference])


def for_references(references: list[str]) -> list[Transaction]:
    """Everything posted for several business objects, oldest first, in one statement."""
    return _read("t.reference = ANY(%s) AND t.reference <> '' ORDER BY t.id", [references])


def page(
    page: Page,
    *,
    account_id: UUID | None = None,
    owner: UUID | None = None,
    reference: str | None = None,
    kind: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[Transaction], bool]:
    """A page, newest first, and whether there are more. `account_id` is one account, `owner` a connected account."""
    cut = clause(page, column="t.id")
    where: list[str] = []
    parameters: list[Any] = []
    conditions: list[tuple[str, Any]] = [
        ("t.id IN (SELECT e.transaction_id FROM ledger_entry e WHERE e.account_id = %s)", account_id),
        (_OWNED, owner),
        ("t.reference = %s", reference),
        ("t.kind = %s", kind),
    ]
    if created is not None:
        bounds = created.filters("created_at")
        conditions.append(("t.created_at >= %s", bounds.get("created_at__gte")))
        conditions.append(("t.created_at < %s", bounds.get("created_at__lt")))
    for condition, value in conditions:
        if value is not None:
            where.append(condition)
            parameters.append(value)
    sql = f"{' AND '.join([*where, cut.where])} ORDER BY {cut.order} LIMIT %s"
    return slice_rows(_read(sql, [*parameters, *cut.where_parameters, cut.limit]), page)


def _read(where: str, parameters: list[Any]) -> list[Transaction]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {rows.TRANSACTION} FROM ledger_transaction t WHERE {where}", parameters)  # noqa: S608
        return [rows.transaction(row) for row in cursor.fetchall()]
