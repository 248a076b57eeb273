"""Filters of lists that a person keeps under a name. No right hangs on them, so there is no audit entry.

These are public rows: call them outside of `use_environment`.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from connect.domain.errors import SavedFilterEmpty, SavedFilterNameTaken, SavedFiltersFull
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import SavedFilter
from connect.selectors.saved_filters import SavedFilterInfo, info

PER_LIST_MAX: Final = 20
NAME_MAX: Final = 60
QUERY_MAX: Final = 1000


def save(organization_id: UUID, user_id: UUID, *, page: str, name: str, query: str) -> SavedFilterInfo:
    """Keep the query string of a list under a name.

    Raises `SavedFilterEmpty` for a list that is not narrowed, `SavedFilterNameTaken`, `SavedFiltersFull`, and
    `ParameterInvalid` for a name or a query that is too long.
    """
    name = _checked_name(name)
    if not query:
        raise SavedFilterEmpty
    if len(query) > QUERY_MAX:
        raise ParameterInvalid("This filter is too long to be kept. Shorten it.", param="query")
    kept = SavedFilter.objects.filter(organization_id=organization_id, user_id=user_id, page=page)
    if kept.count() >= PER_LIST_MAX:
        raise SavedFiltersFull
    row = SavedFilter(organization_id=organization_id, user_id=user_id, page=page, name=name, query=query)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise SavedFilterNameTaken from error
    return info(row)


def rename(organization_id: UUID, user_id: UUID, filter_id: UUID, *, name: str) -> SavedFilterInfo:
    """Give a filter another name. Raises `ResourceMissing`, `SavedFilterNameTaken` or `ParameterInvalid`."""
    name = _checked_name(name)
    try:
        with transaction.atomic():
            row = _locked(organization_id, user_id, filter_id)
            row.name = name
            row.save(update_fields=["name"])
    except IntegrityError as error:
        raise SavedFilterNameTaken from error
    return info(row)


def delete(organization_id: UUID, user_id: UUID, filter_id: UUID) -> SavedFilterInfo:
    """Forget a filter; what it held is returned, so that `save` can bring it back. Raises `ResourceMissing`."""
    with transaction.atomic():
        row = _locked(organization_id, user_id, filter_id)
        gone = info(row)
        row.delete()
    return gone


def _locked(organization_id: UUID, user_id: UUID, filter_id: UUID) -> SavedFilter:
    row = (
        SavedFilter.objects.select_for_update()
        .filter(organization_id=organization_id, user_id=user_id, pk=filter_id)
        .first()
    )
    if row is None:
        raise ResourceMissing(resource="saved_filter", id=str(filter_id), param="id")
    return row


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_MAX:
        raise ParameterInvalid(f"A name has 1 to {NAME_MAX} characters.", param="name")
    return name
