"""What every search of payments shares: a query over the caller's rows, newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import reduce
from operator import and_, or_
from typing import Any, Final

from django.db.models import Q

from connect.kit import clock
from connect.kit.caller import Caller
from connect.kit.pages import Hits, Page, slice_queryset
from connect.kit.search import Clause, Field, Kind, Query
from payments.models.base import PaymentsModel

COUNT_MAX: Final = 10_000
_LOOKUPS: Final = {":": "", ">": "__gt", "<": "__lt", ">=": "__gte", "<=": "__lte"}
Stored = Callable[[str], Any]
"""What a column holds for a word as it was written in a query."""


def find(
    caller: Caller,
    model: type[PaymentsModel],
    *,
    query: Query,
    fields: Mapping[str, Field],
    columns: Mapping[str, str],
    words: Mapping[str, Stored] | None = None,
    page: Page,
    count: bool,
    always: Mapping[str, Any] | None = None,
) -> Hits[Any]:
    """A page of the caller's rows that answer `query`; with `count` also how many there are, up to `COUNT_MAX`.

    `columns` are those that have another name than their field; `words` say how words are stored, in lower case unless
    said otherwise. `always` holds for every row.
    """
    stored = words or {}
    conditions = [
        _condition(clause, fields[clause.field].kind, columns.get(clause.field, clause.field), stored.get(clause.field))
        for clause in query.clauses
    ]
    rows = model.objects.filter(
        reduce(or_ if query.either else and_, conditions), account_id=caller.account, **(always or {})
    )
    found, has_more = slice_queryset(rows, page)
    return Hits(found, has_more, rows[:COUNT_MAX].count() if count else None)


def _condition(clause: Clause, kind: Kind, column: str, stored: Stored | None) -> Q:
    condition = _metadata(clause) if kind is Kind.METADATA else _column(clause, kind, column, stored)
    return ~condition if clause.negated else condition


def _metadata(clause: Clause) -> Q:
    if clause.value is None:
        return ~Q(metadata__has_key=clause.key)
    return Q(metadata__contains={clause.key: clause.value})


def _column(clause: Clause, kind: Kind, column: str, stored: Stored | None) -> Q:
    value = clause.value
    if value is None:
        return Q((f"{column}__isnull", True))
    if kind is Kind.TEXT:
        return Q((f"{column}__icontains" if clause.operator == "~" else f"{column}__iexact", value))
    if kind is Kind.TIME:
        return _second(clause.operator, int(value), column)
    if kind is Kind.WORD:
        return Q((column, (stored or str.lower)(str(value))))
    return Q((f"{column}{_LOOKUPS[clause.operator]}", value))


def _second(operator: str, seconds: int, column: str) -> Q:
    """The API counts in whole seconds, rows in microseconds: a query means the second it names as a whole."""
    begins = clock.from_unix(seconds)
    ends = begins + timedelta(seconds=1)
    bounds = {
        ":": {"gte": begins, "lt": ends}, ">": {"gte": ends}, ">=": {"gte": begins}, "<": {"lt": begins},
        "<=": {"lt": ends},
    }  # fmt: skip
    return Q(**{f"{column}__{name}": moment for name, moment in bounds[operator].items()})
