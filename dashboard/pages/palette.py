"""The search of Ctrl-K: from a few letters to a page, a customer or an object, among what a role may see.

The dialog is filled by htmx; without scripts the search page shows the same (`dashboard.pages.objects.search`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from connect.kit import ids, registry
from connect.kit.pages import Page
from connect.kit.search import SUBSTRING_MIN, Clause, Query
from connect.templatetags.money import money_filter
from dashboard.pages import links
from dashboard.pages.access import OrganizationPage, organization_page, render
from payments.selectors import customers as customer_selectors
from payments.selectors import payment_intents as payment_intent_selectors

QUERY_MAX: Final = 100
SHOWN: Final = 5
"""Lines of one kind at most: the palette is for going somewhere, the lists are for looking around."""

ACTIONS: Final[tuple[tuple[str, Promise, str], ...]] = (
    ("customer_new", _("New customer"), "customers:write"),
    ("checkout_session_new", _("New checkout link"), "checkout:write"),
    ("link_session_new", _("New link session"), "banks:manage"),
    ("webhook_endpoint_new", _("New webhook endpoint"), "webhook_endpoints:write"),
    ("api_key_new", _("Create an API key"), "api_keys:write"),
)
"""Pages on which something begins: URL name, words, permission."""

DOCS: Final[tuple[tuple[str, Promise], ...]] = (
    ("/docs/quickstart", _("Quickstart")),
    ("/docs/take-a-payment", _("Take a payment")),
    ("/docs/link-a-bank", _("Link a bank")),
    ("/docs/webhooks", _("Webhooks: signatures and retries")),
    ("/docs/scopes", _("Scopes")),
    ("/docs/going-live", _("Going live")),
    ("/docs/errors", _("Errors")),
    ("/docs/events", _("Events: every type")),
    ("/docs/api", _("API reference")),
)
"""Pages of the docs that people come back to; the last line of the palette searches all of them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line: where it leads, what stands there, and what tells it from its neighbours."""

    url: str
    title: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of one kind."""

    title: str
    items: list[Item]


@require_safe
@organization_page(permission="home:read")
def palette(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """What the dialog shows for `q`; a whole page for whoever opens the address itself."""
    is_dialog = request.headers.get("HX-Request") == "true"
    return render(
        request, page, "dashboard/palette.html" if is_dialog else "dashboard/search.html", shown(request, page)
    )


def shown(request: HttpRequest, page: OrganizationPage) -> dict[str, Any]:
    """What the dialog and the search page draw."""
    query = request.GET.get("q", "").strip()[:QUERY_MAX]
    sections = find(page, query)
    return {
        "query": query,
        "sections": sections,
        "is_found": len(sections) > 1,  # the last line, which searches the docs, is always there
        "prefixes": links.kinds(page.organization.role),
    }


def find(page: OrganizationPage, query: str) -> list[Section]:
    """Everything for a query, best first. An empty query gives the newest objects and the pages."""
    sections = [
        Section(gettext("By id"), list(_by_id(page, query))),
        Section(gettext("Customers"), _customers(page, query)),
        Section(gettext("Payments"), [] if query else _newest_payments(page)),
        Section(gettext("Pages"), list(_pages(page, query))),
        Section(gettext("Make"), list(_actions(page, query))),
        Section(gettext("Docs"), list(_docs(query))),
    ]
    return [section for section in sections if section.items]


def _by_id(page: OrganizationPage, query: str) -> Iterator[Item]:
    """The object behind a whole id that is there, and its chain: the requests and the events that tell of it."""
    url = page.address_of(query)
    if not url or not _exists(page, query):
        return
    prefix, _rest = ids.split(query) or ("", "")
    name = dict(links.kinds(page.organization.role)).get(prefix, prefix)
    yield Item(url, gettext("Open this %(object)s") % {"object": name}, query)
    if prefix == "req":
        return
    if page.allows("logs:read"):
        yield Item(f"{page.url('request_logs')}?{urlencode({'object': query})}", gettext("Its requests"), query)
    if page.allows("events:read"):
        yield Item(f"{page.url('events')}?{urlencode({'object': query})}", gettext("Its events"), query)


def _exists(page: OrganizationPage, identifier: str) -> bool:
    """Whether the object is there. A request may still be on its way into the log, so its id is enough."""
    found = registry.by_id(identifier)
    if found is None:
        return ids.split(identifier) is not None
    resource, key = found
    return key in resource.load(page.caller, [key])


def _customers(page: OrganizationPage, query: str) -> list[Item]:
    """Those whose name or e-mail address holds the query; the newest for an empty one."""
    if not page.allows("customers:read"):
        return []
    if not query:
        found, _more = customer_selectors.page(page.caller, Page(limit=SHOWN))
    elif len(query) < SUBSTRING_MIN:
        return []
    else:
        clauses = (Clause("name", "~", query), Clause("email", "~", query))
        found = customer_selectors.search(
            page.caller, query=Query(clauses, either=True), page=Page(limit=SHOWN), count=False
        ).objects
    return [_customer(page, each) for each in found]


def _customer(page: OrganizationPage, found: Any) -> Item:
    title = found.name or found.email or gettext("Customer without a name")
    return Item(page.url("customer", found.id), title, found.email if found.name and found.email else found.id)


def _newest_payments(page: OrganizationPage) -> list[Item]:
    if not page.allows("payments:read"):
        return []
    found, _more = payment_intent_selectors.page(page.caller, Page(limit=SHOWN))
    return [
        Item(page.url("payment", each.id), money_filter(each.amount, each.currency), each.description or each.id)
        for each in found
    ]


def _pages(page: OrganizationPage, query: str) -> Iterator[Item]:
    """The rail: each page by its title in the language of the page, or by its address, which is English."""
    for group in page.navigation:
        for entry in group.items:
            if _holds(f"{entry.title} {group.title} {entry.url.replace('-', ' ')}", query):
                yield Item(entry.url, entry.title, group.title)


def _actions(page: OrganizationPage, query: str) -> Iterator[Item]:
    for view, title, permission in ACTIONS:
        if query and page.allows(permission) and _holds(f"{title} {view.replace('_', ' ')}", query):
            yield Item(page.url(view), str(title))


def _docs(query: str) -> Iterator[Item]:
    if not query:
        return
    for url, title in DOCS:
        if _holds(f"{title} {url.replace('-', ' ')}", query):
            yield Item(url, str(title), gettext("Docs"))
    yield Item(f"/docs/search?{urlencode({'q': query})}", gettext("Search the docs for “%(query)s”") % {"query": query})


def _holds(text: str, query: str) -> bool:
    """Whether every word of the query stands somewhere in the text."""
    folded = text.casefold()
    return all(word in folded for word in query.casefold().split())
