"""Linked bank accounts: the list, and one with its balances and newest transactions."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from banks.selectors import accounts as selectors
from banks.selectors import bank_entries, bank_overview
from banks.shapes.accounts import PREFIX, BankAccountOut
from banks.shapes.connections import PREFIX as CONNECTION_PREFIX
from banks.shapes.institutions import InstitutionOut
from connect.kit import ids
from connect.kit.pages import Page
from connect.selectors import events as event_selectors
from dashboard.pages import curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.bank_connections import as_json
from dashboard.templatetags.bank_statuses import ACCOUNT_STATUSES

TRANSACTIONS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account of the list with its bank."""

    account: BankAccountOut
    bank: InstitutionOut | None


@require_safe
@organization_page(permission="banks:view")
def accounts(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first; `status`, `currency` and `connection` narrow it."""
    filters = _filters(request)
    wanted = lists.wanted(request, PREFIX)
    found, has_more = selectors.page(
        page.caller,
        wanted,
        connection=ids.decode(CONNECTION_PREFIX, filters["connection"]),
        currency=filters["currency"].lower() or None,
        status=filters["status"] or None,
    )
    context = {
        "lines": lines_of(page, found),
        "filters": filters,
        "can_manage": page.allows("banks:manage"),
        "statuses": list(ACCOUNT_STATUSES),
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "pager": lists.pager([each.id for each in found], wanted, filters, has_more=has_more, noun="account"),
        "curl": curl.example(request, "/v1/banking/accounts"),
    }
    return render(request, page, "dashboard/bank_accounts.html", context)


@require_safe
@organization_page(permission="banks:view")
def account(request: HttpRequest, page: OrganizationPage, bank_account_id: str) -> HttpResponse:
    """One account; `?tab=json` shows it as the API returns it."""
    found = selectors.get(page.caller, bank_account_id)
    (line,) = lines_of(page, [found])
    head = {"account": found, "bank": line.bank}
    if request.GET.get("tab") == "json":
        return render(request, page, "dashboard/bank_account.html", {**head, "tab": "json", "json": as_json(found)})
    of_it = bank_entries.Wanted(account=ids.lookup(PREFIX, bank_account_id))
    entries, more = bank_entries.page(page.caller, Page(limit=TRANSACTIONS_SHOWN), of_it)
    context = {
        **head,
        "tab": "overview",
        "transactions": entries,
        "more_transactions": more,
        "events": event_selectors.for_object(page.caller, bank_account_id),
    }
    return render(request, page, "dashboard/bank_account.html", context)


def lines_of(page: OrganizationPage, found: list[BankAccountOut]) -> list[AccountLine]:
    """Accounts with the names of their banks."""
    banks = bank_overview.banks_of(page.caller, {each.connection for each in found})
    return [AccountLine(each, banks.get(each.connection)) for each in found]


def _filters(request: HttpRequest) -> dict[str, str]:
    status, currency = request.GET.get("status", ""), request.GET.get("currency", "").strip().upper()
    connection = request.GET.get("connection", "").strip()
    return {
        "status": status if status in ACCOUNT_STATUSES else "",
        "currency": currency if len(currency) == 3 else "",
        "connection": connection if ids.decode(CONNECTION_PREFIX, connection) else "",
    }
