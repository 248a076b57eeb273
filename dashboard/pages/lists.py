"""What every list shares: the page asked for in the address, and the links to its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import ngettext_lazy

from connect.kit import ids
from connect.kit.pages import Page

PAGE_SIZE: Final = 25
SUMMARIES: Final = {
    "account": ngettext_lazy("%(count)s account on this page", "%(count)s accounts on this page", "count"),
    "checkout link": ngettext_lazy(
        "%(count)s checkout link on this page", "%(count)s checkout links on this page", "count"
    ),
    "connection": ngettext_lazy("%(count)s connection on this page", "%(count)s connections on this page", "count"),
    "customer": ngettext_lazy("%(count)s customer on this page", "%(count)s customers on this page", "count"),
    "delivery": ngettext_lazy("%(count)s delivery on this page", "%(count)s deliveries on this page", "count"),
    "entry": ngettext_lazy("%(count)s entry on this page", "%(count)s entries on this page", "count"),
    "event": ngettext_lazy("%(count)s event on this page", "%(count)s events on this page", "count"),
    "link session": ngettext_lazy(
        "%(count)s link session on this page", "%(count)s link sessions on this page", "count"
    ),
    "payment": ngettext_lazy("%(count)s payment on this page", "%(count)s payments on this page", "count"),
    "request": ngettext_lazy("%(count)s request on this page", "%(count)s requests on this page", "count"),
    "transaction": ngettext_lazy("%(count)s transaction on this page", "%(count)s transactions on this page", "count"),
}
"""What stands beneath a list, by what it lists. Whole sentences: every language has plurals of its own."""


@dataclass(frozen=True, slots=True)
class Pager:
    """Query strings of the neighbouring pages, or None where there is none."""

    summary: str
    newer: str | None
    older: str | None


def wanted(request: HttpRequest, prefix: str, *, limit: int = 0) -> Page:
    """The page that `after` or `before` in the query string ask for; what is no id of the list asks for the first.

    `limit` is `PAGE_SIZE` unless given.
    """
    return Page(
        limit=limit or PAGE_SIZE,
        starting_after=ids.decode(prefix, request.GET.get("after")),
        ending_before=ids.decode(prefix, request.GET.get("before")) if "after" not in request.GET else None,
    )


def after(last_id: str, prefix: str, *, limit: int) -> Page:
    """The page that follows an object of the list."""
    return Page(limit=limit, starting_after=ids.decode(prefix, last_id))


def pager(shown: Sequence[str], page: Page, filters: Mapping[str, str], *, has_more: bool, noun: str) -> Pager:
    """The links beneath a list whose objects, newest first, have the ids `shown`. Filters are kept in them."""
    kept = {name: value for name, value in filters.items() if value}
    has_newer = has_more if page.backwards else page.starting_after is not None
    has_older = page.backwards or has_more
    return Pager(
        summary=str(SUMMARIES.get(noun, SUMMARIES["entry"]) % {"count": len(shown)}),
        newer=urlencode({**kept, "before": shown[0]}) if shown and has_newer else None,
        older=urlencode({**kept, "after": shown[-1]}) if shown and has_older else None,
    )


def moment(text: str, *, last: bool = False) -> datetime | None:
    """What a `datetime-local` field holds, read in the zone of the page; None for anything else.

    On the nights of the clocks a time comes twice, or not at all. It is then the earlier of the two moments that it
    could mean, or the later for `last`: a range that a person writes holds all of it.
    """
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None or found.tzinfo is not None:
        return found
    zone = timezone.get_current_timezone()
    meant = [found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(meant) if last else min(meant)
