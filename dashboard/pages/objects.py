"""Any object by its id: the search, and a page for objects that have none of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from connect.kit import redaction, registry
from connect.selectors import events as event_selectors
from connect.selectors import request_logs as request_log_selectors
from dashboard.pages import links, palette
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.request_logs import LogLine, lines_of

PARENTS: Final = {
    "balance_transaction": (_("Balance"), "balance"),
    "charge": (_("Payments"), "payments"),
    "ledger.hold": (_("Ledger"), "ledger_accounts"),
    "payment_method": (_("Payments"), "payments"),
    "refund": (_("Payments"), "payments"),
}
"""The list under which an object is found, by its kind; the others are found by the search."""
REQUESTS_SHOWN: Final = 10
DEPTH_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Related:
    """An id that the object holds, under the name of its field, and the page it leads to."""

    field: str
    id: str
    url: str


@require_safe
@organization_page(permission="home:read")
def search(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Opens the page of a whole id. For an e-mail address it opens the customers who have it."""
    query = request.GET.get("q", "").strip()
    if "@" in query and page.allows("customers:read"):
        return HttpResponseRedirect(f"{page.url('customers')}?{urlencode({'q': query})}")
    url = page.address_of(query)
    if url:
        return HttpResponseRedirect(url)
    return render(request, page, "dashboard/search.html", palette.shown(request, page))


@require_safe
@organization_page(permission="home:read")
def show(request: HttpRequest, page: OrganizationPage, object_id: str) -> HttpResponse:
    """The object as the API returns it, without secrets, with its events, its requests and what it points to."""
    found = registry.by_id(object_id)
    if found is None:
        raise Http404
    resource, identifier = found
    if not page.address_of(object_id):
        raise PermissionDenied
    loaded = resource.load(page.caller, [identifier]).get(identifier)
    if loaded is None:
        raise Http404
    plain = redaction.tree(msgspec.to_builtins(loaded))
    parent, parent_page = PARENTS.get(resource.object, (_("Search"), "search"))
    context = {
        "parent": parent,
        "parent_url": page.url(parent_page),
        "object_id": object_id,
        "object_name": links.name_of(resource.object),
        "json": msgspec.json.format(msgspec.json.encode(plain), indent=2).decode(),
        "related": list(_related(page, plain, object_id)),
        "events": event_selectors.for_object(page.caller, object_id),
        "requests": _requests(page, object_id) if page.allows("logs:read") else [],
        "may_read_logs": page.allows("logs:read"),
    }
    return render(request, page, "dashboard/object.html", context)


def _requests(page: OrganizationPage, object_id: str) -> list[LogLine]:
    newest = request_log_selectors.newest(account=page.caller.account, object_id=object_id)
    return lines_of(page, newest[:REQUESTS_SHOWN])


def _related(page: OrganizationPage, plain: Any, own: str, field: str = "", depth: int = 0) -> Iterator[Related]:
    """Each id inside the object that leads to a page, in the order of the fields."""
    if isinstance(plain, dict) and depth < DEPTH_MAX:
        for name, value in plain.items():
            yield from _related(page, value, own, f"{field}.{name}" if field else name, depth + 1)
    elif isinstance(plain, list) and depth < DEPTH_MAX:
        for value in plain:
            yield from _related(page, value, own, field, depth + 1)
    elif isinstance(plain, str) and plain != own and (url := page.address_of(plain)):
        yield Related(field.replace("_", " "), plain, url)
