"""Balances: now, as of a moment by effective time, and as of a moment by the time of posting.

A balance as of a moment is the balance now less what was entered after it: the nearer the moment, the less is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from ledger.domain.errors import AccountUnknown
from ledger.domain.records import Balance
from ledger.models import rows

_NOW: Final = (
    "SELECT a.id, a.path, a.currency, a.normal_side, coalesce(sum(b.posted), 0)::bigint,"
    " coalesce(sum(b.held_in), 0)::bigint, coalesce(sum(b.held_out), 0)::bigint"
    " FROM ledger_account a LEFT JOIN ledger_balance b ON b.account_id = a.id"
    " WHERE {where} GROUP BY a.id ORDER BY {order}"
)
_AS_OF: Final = (
    "SELECT a.id, a.path, a.currency, a.normal_side,"
    " (coalesce((SELECT sum(b.posted) FROM ledger_balance b WHERE b.account_id = a.id), 0)"
    " - coalesce((SELECT sum(e.amount_minor) FROM ledger_entry e WHERE e.account_id = a.id AND e.{column} > %s), 0)"
    ")::bigint FROM ledger_account a WHERE a.path = ANY(%s) ORDER BY a.path"
)


def for_path(path: str) -> Balance:
    """The balance of one account now. Raises `AccountUnknown`."""
    found = for_paths([path])
    if path not in found:
        raise AccountUnknown(path=path)
    return found[path]


def for_paths(paths: Iterable[str]) -> dict[str, Balance]:
    """Balances now, by path, in one statement; a path without account is absent."""
    return _by_path(_NOW.format(where="a.path = ANY(%s)", order="a.path"), [list(paths)])


def for_accounts(account_ids: Iterable[UUID]) -> dict[str, Balance]:
    """Balances now of accounts by id, by path, in one statement."""
    return _by_path(_NOW.format(where="a.id = ANY(%s)", order="a.path"), [list(account_ids)])


def for_prefix(prefix: str) -> dict[str, Balance]:
    """Balances now of every account whose path is `prefix` or continues it with a colon, by path, in one statement."""
    where = "a.path = %s OR starts_with(a.path, %s)"
    return _by_path(_NOW.format(where=where, order="a.path"), [prefix, f"{prefix}:"])


def as_of_effective(paths: Iterable[str], moment: datetime) -> dict[str, Balance]:
    """What was in the accounts at `moment`, by the time things took effect, as far as it is known now.

    Holds are not part of the past: `held_in` and `held_out` are 0.
    """
    return _by_path(_AS_OF.format(column="effective_at"), [moment, list(paths)])


def as_of_created(paths: Iterable[str], moment: datetime) -> dict[str, Balance]:
    """What the ledger said was in the accounts at `moment`: later corrections of that time are not in it."""
    return _by_path(_AS_OF.format(column="created_at"), [moment, list(paths)])


def _by_path(sql: str, parameters: Sequence[Any]) -> dict[str, Balance]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = [rows.balance(row) for row in cursor.fetchall()]
    return {balance.path: balance for balance in found}
