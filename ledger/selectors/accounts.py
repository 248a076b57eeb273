"""Accounts, by id, by path and in pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from connect.kit.pages import Page, clause, slice_rows
from ledger.domain.records import Account
from ledger.models import rows


def get(account_id: UUID, *, owner: UUID | None = None) -> Account | None:
    """The account, or None; with `owner` only when it belongs to that connected account."""
    found = by_ids([account_id]).get(account_id)
    return found if found and owner in (None, found.owner) else None


def by_path(path: str) -> Account | None:
    """The account with this path, or None."""
    found = _read("a.path = %s", [path])
    return found[0] if found else None


def by_ids(account_ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Accounts by id, in one statement; an unknown id is absent."""
    return {account.id: account for account in _read("a.id = ANY(%s)", [list(account_ids)])}


def by_paths(paths: Iterable[str]) -> dict[str, Account]:
    """Accounts by path, in one statement; an unknown path is absent."""
    return {account.path: account for account in _read("a.path = ANY(%s)", [list(paths)])}


def page(
    page: Page,
    *,
    owner: UUID | None = None,
    currency: str | None = None,
    prefix: str | None = None,
    closed: bool | None = None,
) -> tuple[list[Account], bool]:
    """A page, newest first, and whether there are more. `owner`: a connected account; `prefix`: of the path."""
    cut = clause(page, column="a.id")
    where: list[str] = []
    parameters: list[Any] = []
    conditions: list[tuple[str, Any]] = [
        ("a.account_id = %s", owner),
        ("a.currency = %s", currency),
        ("starts_with(a.path, %s)", prefix),
    ]
    for condition, value in conditions:
        if value is not None:
            where.append(condition)
            parameters.append(value)
    if closed is not None:
        where.append("a.closed_at IS NOT NULL" if closed else "a.closed_at IS NULL")
    sql = f"{' AND '.join([*where, cut.where])} ORDER BY {cut.order} LIMIT %s"
    return slice_rows(_read(sql, [*parameters, *cut.where_parameters, cut.limit]), page)


def _read(where: str, parameters: list[Any]) -> list[Account]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {rows.ACCOUNT} FROM ledger_account a WHERE {where}", parameters)  # noqa: S608
        return [rows.account(row) for row in cursor.fetchall()]
