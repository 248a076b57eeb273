"""Saved filters as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from connect.models import SavedFilter


@dataclass(frozen=True, slots=True)
class SavedFilterInfo:
    """A filter of one list under a name; `query` is the query string of that list."""

    id: UUID
    page: str
    name: str
    query: str


def of_list(organization_id: UUID, user_id: UUID, page: str) -> list[SavedFilterInfo]:
    """A person's filters of one list of an organization, by name."""
    rows = SavedFilter.objects.filter(organization_id=organization_id, user_id=user_id, page=page).order_by("name")
    return [info(row) for row in rows]


def of_person(organization_id: UUID, user_id: UUID) -> list[SavedFilterInfo]:
    """A person's filters of every list of an organization, by name."""
    rows = SavedFilter.objects.filter(organization_id=organization_id, user_id=user_id).order_by("name")
    return [info(row) for row in rows]


def info(row: SavedFilter) -> SavedFilterInfo:
    """The row as pages see it."""
    return SavedFilterInfo(row.id, row.page, row.name, row.query)
