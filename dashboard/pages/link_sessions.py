"""Link sessions: each is one customer's visit to the page on which a bank account is linked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from banks.domain import institution_ids
from banks.selectors import bank_overview, institutions
from banks.selectors import link_sessions as selectors
from banks.services import link_sessions as services
from banks.shapes.institutions import InstitutionOut
from banks.shapes.link_sessions import PREFIX, LinkSessionOut
from connect.kit import ids
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from dashboard.pages import actions, curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.bank_connections import as_json
from dashboard.pages.bank_forms import ConfirmForm, LinkSessionForm
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


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="banks:manage", opens_environment=False)
def new(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The form for a page on which one customer links their bank. `?bank=` chooses one beforehand."""
    banks = [
        (ids.encode(institution_ids.PREFIX, row.id), row.name)
        for row in institutions.search(livemode=page.environment.livemode)
        if institutions.profile(row) is not None
    ]
    initial = {"institution": request.GET.get("bank", "")}
    form = LinkSessionForm(request.POST if request.method == "POST" else None, initial=initial, banks=banks)
    if request.method == "POST" and form.is_valid():
        given = form.given()
        made = actions.local(request, page, form, lambda caller: services.create(caller, **given))
        if made is not None:
            messages.success(request, gettext("The page is ready. Copy its address and send it to your customer."))
            return HttpResponseRedirect(page.url("link_session", made["id"]))
    return _form(
        request,
        page,
        form,
        title=gettext("New link session"),
        text=gettext(
            "A page of ours on which one customer links their bank. Nothing is asked of a bank before they agree."
        ),
        action=gettext("Create link session"),
        back=page.url("link_sessions"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="banks:manage", opens_environment=False)
def cancel(request: HttpRequest, page: OrganizationPage, session_id: str) -> HttpResponse:
    """Asks with the consequence; the POST ends the session."""
    with use_environment(page.environment):
        found = selectors.get(page.caller, session_id)
    back = page.url("link_session", session_id)
    if found.url is None and request.method != "POST":
        messages.warning(request, gettext("This link session has ended already."))
        return HttpResponseRedirect(back)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        ended = actions.local(request, page, form, lambda caller: services.cancel(caller, session_id=session_id))
        if ended is not None:
            messages.success(request, gettext("The link session is canceled: its page does nothing any more."))
            return HttpResponseRedirect(back)
    return _form(
        request,
        page,
        form,
        title=gettext("Cancel this link session?"),
        text=gettext("Whoever opens its page reads that it has ended. A consent that was given already is given back."),
        action=gettext("Cancel session"),
        tone="danger",
        back=back,
        cancel=gettext("Keep it"),
        crumb=session_id,
    )


def _form(request: HttpRequest, page: OrganizationPage, form: Any, *, crumb: str = "", **words: str) -> HttpResponse:
    crumbs = [(gettext("Link sessions"), page.url("link_sessions"))]
    if crumb:
        crumbs.append((crumb, page.url("link_session", crumb)))
    context = {"form": form, "crumbs": crumbs, **words}
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)
