"""What every list of payments shares: one page of a queryset, and the filter on time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from connect.api.pagination import require_cursor
from connect.kit.pages import Page, slice_queryset


@dataclass(frozen=True, slots=True)
class TimeRange:
    """`created[gt]`, `[gte]`, `[lt]`, `[lte]` or an exact moment, as aware datetimes."""

    gt: datetime | None = None
    gte: datetime | None = None
    lt: datetime | None = None
    lte: datetime | None = None


def within(rows: QuerySet[Any], created: TimeRange | None, *, field: str = "created_at") -> QuerySet[Any]:
    """`rows` narrowed to the range."""
    if created is None:
        return rows
    limits = {name: getattr(created, name) for name in ("gt", "gte", "lt", "lte")}
    return rows.filter(**{f"{field}__{name}": limit for name, limit in limits.items() if limit is not None})


def page(rows: QuerySet[Any], page: Page, prefix: str) -> tuple[list[Any], bool]:
    """One page, newest first, and whether there are more. Raises when the cursor is not in `rows`."""
    require_cursor(page, prefix, lambda identifier: rows.filter(pk=identifier).exists())
    return slice_queryset(rows, page)
