"""The audit log: who did what to the organization and inside its environments, as one list.

The organization's log stands in the public schema and each environment's in its own, so this page opens one after the
other and merges what they give. Every filter is part of the address.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from connect.kit.pages import Page, TimeRange
from connect.kit.tenancy import use_environment
from connect.selectors import audit_log as selectors
from connect.selectors.audit_log import ORGANIZATION, Entry, Filters
from dashboard.pages import links, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.audit_words import ACTIONS, words_for
from dashboard.pages.spreadsheets import harmless

EXPORT_MAX: Final = 10_000
BATCH: Final = 1000
COLUMNS: Final = ("id", "time_utc", "actor", "actor_id", "action", "target", "where", "request", "details")
PLACES: Final[dict[str, Promise]] = {
    ORGANIZATION: gettext_lazy("Organization"),
    "test": gettext_lazy("Test"),
    "live": gettext_lazy("Live"),
}


LOGGED: Final = frozenset({"api_key", "api_client"})
"""Whose requests stand in the request log: those of a person on these pages, and our own, do not."""


@dataclass(frozen=True, slots=True)
class Line:
    """One act as the list draws it; an empty address means that there is no page of the thing for this person."""

    entry: Entry
    action: str
    actor: str
    where: str
    target_url: str
    request_url: str
    details: str


@require_safe
@organization_page(permission="audit:read", opens_environment=False)
def audit_log(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first, with what is known of each act."""
    filters, wanted = _filters(request), lists.wanted(request, selectors.PREFIX)
    found, has_more = _read(page, filters, wanted)
    names = selectors.actor_names(found)
    context = {
        "lines": [_line(page, entry, names) for entry in found],
        "filters": filters,
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "actions": _actions(filters["action"]),
        "places": [(name, words) for name, words in PLACES.items() if name in _places(page)],
        "actors": sorted({name for name in names.values() if "@" in name}),
        "pager": lists.pager(
            [entry.public_id for entry in found],
            wanted,
            filters,
            has_more=has_more,
            noun="entry",
        ),
        "export_query": request.GET.urlencode(),
        "export_max": EXPORT_MAX,
    }
    return render(request, page, "dashboard/audit_log.html", context)


@require_safe
@organization_page(permission="audit:read", opens_environment=False)
def export(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The same acts as CSV, newest first, at most `EXPORT_MAX`."""
    filters, text = _filters(request), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    written, wanted = 0, Page(limit=BATCH)
    while written < EXPORT_MAX:
        found, has_more = _read(page, filters, wanted)
        names = selectors.actor_names(found)
        writer.writerows(_row(entry, names) for entry in found)
        written += len(found)
        if not has_more:
            break
        wanted = Page(limit=BATCH, starting_after=found[-1].id)
    name = f"audit-{page.organization.slug}.csv"
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _read(page: OrganizationPage, given: dict[str, str], wanted: Page) -> tuple[list[Entry], bool]:
    """A page of all the logs that the filter of places leaves."""
    filters = Filters(
        actor_id=selectors.actor_of(given["actor"]),
        action=given["action"],
        target=given["target"],
        at=TimeRange(gte=lists.moment(given["since"]), lte=lists.moment(given["until"], last=True)),
    )
    where = given["where"]
    parts = [
        selectors.of_organization(page.organization.id, page.environments, filters, wanted, where=where),
    ]
    for environment in page.environments:
        if where in ("", environment.kind):
            with use_environment(environment):
                parts.append(selectors.of_environment(environment, filters, wanted))
    return selectors.merged(parts, wanted)


def _actions(chosen: str) -> list[tuple[str, str]]:
    """What the filter offers; an act that has no words yet can be asked for by its code."""
    known = [(code, str(words)) for code, words in ACTIONS.items()]
    return known if not chosen or chosen in ACTIONS else [*known, (chosen, words_for(chosen))]


def _filters(request: HttpRequest) -> dict[str, str]:
    """What the query string asks for; what is no place or no moment does not filter."""
    given = {
        name: request.GET.get(name, "").replace("\x00", "").strip()[:254]
        for name in ("actor", "action", "where", "target", "since", "until")
    }
    return given | {
        "where": given["where"] if given["where"] in PLACES else "",
        "since": given["since"] if lists.moment(given["since"]) else "",
        "until": given["until"] if lists.moment(given["until"]) else "",
    }


def _places(page: OrganizationPage) -> set[str]:
    return {ORGANIZATION, *(environment.kind for environment in page.environments)}


def _line(page: OrganizationPage, entry: Entry, names: dict[str, str]) -> Line:
    return Line(
        entry=entry,
        action=words_for(entry.action),
        actor=_actor(entry, names),
        where=str(PLACES[entry.where]),
        target_url=_address(page, entry, entry.target),
        request_url=_address(page, entry, entry.request_id) if entry.actor_kind in LOGGED else "",
        details=json.dumps(entry.data, ensure_ascii=False, indent=2, sort_keys=True) if entry.data else "",
    )


def _address(page: OrganizationPage, entry: Entry, identifier: str) -> str:
    """The page of an object in the mode in which it exists."""
    if entry.where == ORGANIZATION or not identifier:
        return ""
    return links.address_of(identifier, org_slug=page.organization.slug, mode=entry.where, role=page.organization.role)


def _actor(entry: Entry, names: dict[str, str]) -> str:
    if entry.actor_kind == "system":
        return _("Facturino Connect")
    return names.get(entry.actor_id, entry.actor_id)


def _row(entry: Entry, names: dict[str, str]) -> Iterable[Any]:
    cells = (
        entry.public_id,
        entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        _actor(entry, names),
        entry.actor_id,
        entry.action,
        entry.target,
        entry.where,
        entry.request_id,
        json.dumps(entry.data, ensure_ascii=False, sort_keys=True) if entry.data else "",
    )
    return [harmless(cell) for cell in cells]
