"""Reads of the request log. Those of an environment run inside `use_environment`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from connect.kit import ids
from connect.kit.pages import Page, slice_queryset
from connect.models import PublicRequestLog, RequestLog

PREFIX = "req"
_SLACK: Final = timedelta(minutes=1)
"""An id is drawn as the request arrives, but not by the same look at the clock, which may be set meanwhile."""


def page(page: Page, *, actor_id: str = "", **filters: Any) -> tuple[list[RequestLog], bool]:
    """A page of the environment's requests, newest first, and whether there are more; filters are those of `newest`.

    A key that is used no more is asked about too. PostgreSQL believes that its requests lie evenly among all others,
    and would read all that is newer than the last of them; a range that holds one key leaves it only the index by key.
    """
    rows = newest(**filters)
    if not actor_id:
        return slice_queryset(rows, page)
    return slice_queryset(rows.filter(actor_id__gte=actor_id, actor_id__lte=actor_id), page, within="actor_id")


def newest(
    *,
    account: UUID | None = None,
    status_class: int | None = None,
    failed: bool = False,
    method: str = "",
    path: str = "",
    object_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[RequestLog]:
    """The environment's requests, newest first. `status_class` is 2 for 2xx; `path` is the beginning of one; `failed`
    keeps those of 400 and above; `since` is inclusive, `until` exclusive.
    """
    rows = RequestLog.objects.order_by("-id")
    if account is not None:
        rows = rows.filter(account_id=account)
    if status_class is not None:
        rows = rows.filter(status__gte=status_class * 100, status__lt=status_class * 100 + 100)
    if failed:
        rows = rows.filter(status__gte=400)
    if method:
        rows = rows.filter(method=method)
    if path:
        rows = rows.filter(path__startswith=path)
    if object_id:
        rows = rows.filter(object_id=object_id)
    # The ids let the key's index go to that time at once, instead of reading all that came after it.
    if since is not None:
        rows = rows.filter(created_at__gte=since, id__gte=ids.first_at(since - _SLACK))
    if until is not None:
        rows = rows.filter(created_at__lt=until, id__lt=ids.first_at(until + _SLACK))
    return rows


def get(request_id: str) -> RequestLog | None:
    """The request with this id (`req_…`), or None."""
    identifier = ids.decode(PREFIX, request_id)
    return RequestLog.objects.filter(pk=identifier).first() if identifier else None


def kept(request_ids: Iterable[str]) -> set[str]:
    """Those of the ids whose request is in the log: older ones are gone, and what people do on pages is not in it."""
    wanted = {ids.lookup(PREFIX, request_id) for request_id in request_ids}
    return {
        ids.encode(PREFIX, found) for found in RequestLog.objects.filter(pk__in=wanted).values_list("pk", flat=True)
    }


def newest_public() -> QuerySet[PublicRequestLog]:
    """Requests that belong to no environment, newest first."""
    return PublicRequestLog.objects.order_by("-id")
