"""Link sessions: each is one customer's visit to the page on which a bank account is linked."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from banks.selectors import bank_overview
from banks.selectors import link_sessions as selectors
from banks.shapes.institutions import InstitutionOut
from banks.shapes.link_sessions import PREFIX, LinkSessionOut
from connect.selectors import events as event_selectors
from dashboard.pages import curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.bank_connections import as_json
from dashboard.templatetags.bank_statuses import LINK_STATUSES


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A link session of the list with the bank that was chosen, if one was."""

    session: LinkSessionOut
    bank: InstitutionOut | None


@require_safe
@organization_page(permission="banks:view")
def sessions(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first; `status` narrows it."""
    status = request.GET.get("status", "")
    status = status if status in LINK_STATUSES else ""
    wanted = lists.wanted(request, PREFIX)
    found, has_more = bank_overview.link_sessions(page.caller, wanted, status=status or None)
    banks = bank_overview.banks(page.caller, {each.institution for each in found})
    context = {
        "lines": [SessionLine(each, banks.get(each.institution or "")) for each in found],
        "filters": {"status": status},
        "statuses": list(LINK_STATUSES),
        "is_filtered": bool(status or wanted.cursor),
        "can_manage": page.allows("banks:manage"),
        "pager": lists.pager(
            [each.id for each in found], wanted, {"status": status}, has_more=has_more, noun="link session"
        ),
        "curl": curl.example(request, "/v1/banking/link_sessions", {"client_reference_id": "customer-7"}),
    }
    return render(request, page, "dashboard/link_sessions.html", context)


@require_safe
@organization_page(permission="banks:view")
def session(request: HttpRequest, page: OrganizationPage, session_id: str) -> HttpResponse:
    """One session: its address while it can be used, and how far the customer came. Its public token is not shown."""
    found = msgspec.structs.replace(selectors.get(page.caller, session_id), public_token=None)
    head = {
        "session": found,
        "bank": bank_overview.banks(page.caller, [found.institution]).get(found.institution or ""),
        "can_manage": page.allows("banks:manage"),
    }
    if request.GET.get("tab") == "json":
        shown = msgspec.structs.replace(found, url=None)  # with it a reader could act as the customer
        return render(request, page, "dashboard/link_session.html", {**head, "tab": "json", "json": as_json(shown)})
    context = {**head, "tab": "overview", "events": event_selectors.for_object(page.caller, session_id)}
    return render(request, page, "dashboard/link_session.html", context)
