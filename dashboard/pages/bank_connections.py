"""Connections to banks: the list, one with its consent, its bank's health and its sync, and what can be done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from banks.domain import institution_ids
from banks.domain.link_state import Mode
from banks.selectors import accounts as account_selectors
from banks.selectors import bank_overview, bank_standing, institutions
from banks.selectors import connections as selectors
from banks.services import connections as services
from banks.services import link_sessions, syncs
from banks.shapes.connections import PREFIX, ConnectionOut, DeletedConnectionOut
from banks.shapes.institutions import InstitutionOut
from connect.kit import clock, ids
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from dashboard.pages import actions, curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.bank_forms import ConfirmForm, RemoveForm, RenewForm
from dashboard.templatetags.bank_statuses import CONNECTION_STATUSES

EVENTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ConnectionLine:
    """A connection of the list with its bank and how many accounts it holds."""

    connection: ConnectionOut
    bank: InstitutionOut | None
    accounts: int


@require_safe
@organization_page(permission="banks:view")
def connections(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first; `status`, `bank` and `q` (your reference, or a whole id) narrow it."""
    filters = _filters(request, page)
    wanted = lists.wanted(request, PREFIX)
    if filters["q"].startswith(f"{PREFIX}_"):
        found, has_more = _with_id(page, filters), False
    else:
        shown, has_more = selectors.page(
            page.caller,
            wanted,
            institution=filters["bank"] or None,
            status=filters["status"] or None,
            client_reference_id=filters["q"] or None,
        )
        found = [each for each in shown if isinstance(each, ConnectionOut)]
    offered = bank_overview.banks_with_connections(page.caller)
    banks = {bank.id: bank for bank in offered}
    counts = bank_overview.account_counts(page.caller, {each.id for each in found})
    context = {
        "lines": [ConnectionLine(each, banks.get(each.institution), counts.get(each.id, 0)) for each in found],
        "filters": filters,
        "statuses": list(CONNECTION_STATUSES),
        "banks": offered,
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "can_manage": page.allows("banks:manage"),
        "pager": lists.pager([each.id for each in found], wanted, filters, has_more=has_more, noun="connection"),
        "curl": curl.example(request, "/v1/banking/link_sessions", {"client_reference_id": "customer-7"}),
    }
    return render(request, page, "dashboard/bank_connections.html", context)


@require_safe
@organization_page(permission="banks:view")
def connection(request: HttpRequest, page: OrganizationPage, connection_id: str) -> HttpResponse:
    """One connection; `?tab=json` shows it as the API returns it. Of a removed one only its events are left."""
    known = bank_overview.connection(page.caller, connection_id)
    found = known.connection
    if isinstance(found, DeletedConnectionOut):
        context = {"connection": found, "events": event_selectors.for_object(page.caller, connection_id)}
        return render(request, page, "dashboard/bank_connection_removed.html", context)
    head = {"connection": found, "bank": known.bank, "can_manage": page.allows("banks:manage")}
    if request.GET.get("tab") == "json":
        return render(request, page, "dashboard/bank_connection.html", {**head, "tab": "json", "json": as_json(found)})
    identifier = ids.lookup(PREFIX, connection_id)
    accounts, _ = account_selectors.page(page.caller, Page(limit=100), connection=identifier)
    sessions, _ = bank_overview.link_sessions(page.caller, Page(limit=5), connection=identifier)
    context = {
        **head,
        "tab": "overview",
        "accounts": accounts,
        "sessions": sessions,
        "sync": known.sync,
        "operations": bank_standing.operations(ids.lookup(institution_ids.PREFIX, found.institution)),
        "events": event_selectors.for_object(page.caller, connection_id)[:EVENTS_SHOWN],
        "days_left": _days_left(found),
    }
    return render(request, page, "dashboard/bank_connection.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="banks:manage", opens_environment=False)
def refresh(request: HttpRequest, page: OrganizationPage, connection_id: str) -> HttpResponse:
    """Says what it costs; the POST has the bank read next by a job."""
    _, name = _present(page, connection_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        asked = actions.local(request, page, form, lambda caller: syncs.request(caller, connection_id))
        if asked is not None:
            messages.success(
                request, gettext("The bank is asked now. New transactions appear in a moment; reload to see them.")
            )
            return HttpResponseRedirect(page.url("bank_connection", connection_id))
    return _form(
        request,
        page,
        form,
        name,
        connection_id,
        title=gettext("Read %(name)s now?") % {"name": name},
        text=gettext(
            "Banks count the calls that are made without their customer, often four a day. This is one of them."
        ),
        action=gettext("Read now"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="banks:manage", opens_environment=False)
def renew(request: HttpRequest, page: OrganizationPage, connection_id: str) -> HttpResponse:
    """Makes a link session in update mode; its page shows the address to send to the customer."""
    _, name = _present(page, connection_id)
    form = RenewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return_url = form.cleaned_data["return_url"] or None
        made = actions.local(
            request,
            page,
            form,
            lambda caller: link_sessions.create(
                caller, mode=Mode.UPDATE.value, connection=connection_id, return_url=return_url
            ),
        )
        if made is not None:
            messages.success(request, gettext("The page is ready. Copy its address and send it to your customer."))
            return HttpResponseRedirect(page.url("link_session", made["id"]))
    return _form(
        request,
        page,
        form,
        name,
        connection_id,
        title=gettext("Renew the connection to %(name)s") % {"name": name},
        text=gettext("You get a page on which your customer agrees anew at their bank. All ids stay as they are."),
        action=gettext("Create link session"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="banks:manage", opens_environment=False)
def remove(request: HttpRequest, page: OrganizationPage, connection_id: str) -> HttpResponse:
    """Asks for the bank's name and says the consequence; the POST removes."""
    known, name = _present(page, connection_id)
    form = RemoveForm(request.POST if request.method == "POST" else None, name=name)
    if request.method == "POST" and form.is_valid():
        gone = actions.local(request, page, form, lambda caller: services.remove(caller, connection_id))
        if gone is not None:
            messages.success(request, gettext("The connection to %(name)s is removed.") % {"name": name})
            return HttpResponseRedirect(page.url("bank_connections"))
    return _form(
        request,
        page,
        form,
        name,
        connection_id,
        title=gettext("Remove the connection of %(reference)s?") % {"reference": known.client_reference_id}
        if known.client_reference_id
        else gettext("Remove the connection?"),
        text=gettext(
            "The consent is given back to %(name)s, and its accounts and transactions are gone from here "
            "and from the API. This cannot be undone; the customer would have to link their bank anew."
        )
        % {"name": name},
        action=gettext("Remove connection"),
        tone="danger",
        cancel=gettext("Keep it"),
    )


def as_json(found: Any) -> str:
    """An object as the API returns it, for reading."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _present(page: OrganizationPage, connection_id: str) -> tuple[ConnectionOut, str]:
    """The connection to act on and the name of its bank. Raises `Http404` for one that was removed."""
    with use_environment(page.environment):
        found = selectors.get(page.caller, connection_id)
        if isinstance(found, DeletedConnectionOut):
            raise Http404
        bank = bank_overview.banks(page.caller, [found.institution]).get(found.institution)
    return found, bank.name if bank else gettext("the bank")


def _form(
    request: HttpRequest, page: OrganizationPage, form: Any, name: str, connection_id: str, **words: str
) -> HttpResponse:
    back = page.url("bank_connection", connection_id)
    context = {
        "form": form,
        "crumbs": [(gettext("Connections"), page.url("bank_connections")), (name, back)],
        "back": back,
    }
    return render(request, page, "dashboard/form_page.html", {**context, **words}, status=422 if form.errors else 200)


def _days_left(found: ConnectionOut) -> int | None:
    if found.consent_expires_at is None:
        return None
    return max(0, (clock.from_unix(found.consent_expires_at) - clock.wall()).days)


def _with_id(page: OrganizationPage, filters: dict[str, str]) -> list[ConnectionOut]:
    try:
        found = selectors.get(page.caller, filters["q"])
    except ResourceMissing:
        return []
    if isinstance(found, DeletedConnectionOut):
        return []
    fits = filters["status"] in ("", found.status) and filters["bank"] in ("", found.institution)
    return [found] if fits else []


def _filters(request: HttpRequest, page: OrganizationPage) -> dict[str, str]:
    status = request.GET.get("status", "")
    bank = institutions.find(request.GET.get("bank", ""), livemode=page.environment.livemode)
    return {
        "q": request.GET.get("q", "").strip()[:200],
        "status": status if status in CONNECTION_STATUSES else "",
        "bank": ids.encode(institution_ids.PREFIX, bank.id) if bank else "",
    }
