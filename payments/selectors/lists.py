"""What every list of payments shares: one page of a queryset, narrowed by time."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from connect.kit.pages import Page, TimeRange, require_cursor, slice_queryset
from connect.kit.rows import fetch


def within(rows: QuerySet[Any], created: TimeRange | None) -> QuerySet[Any]:
    """`rows` created in the range; no range leaves them as they are."""
    return rows if created is None else rows.filter(**created.filters("created_at"))


def page(rows: QuerySet[Any], page: Page, prefix: str) -> tuple[list[Any], bool]:
    """One page, newest first, and whether there are more. Raises when the cursor names no row of the list."""
    require_cursor(page, prefix, lambda identifier: rows.filter(pk=identifier).exists())
    return slice_queryset(rows, page, read=fetch)
