"""The ledger's accounts with their balances, one account as a T, and whether the ledger agrees with itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connect.kit import clock, currencies, ids
from dashboard.pages import curl, lists, postings
from dashboard.pages.access import OrganizationPage, organization_page, render
from ledger.domain.records import Account, Balance
from ledger.selectors import accounts as account_selectors
from ledger.selectors import balances as balance_selectors
from ledger.selectors import drift as drift_selectors
from ledger.selectors import transactions as transaction_selectors
from ledger.shapes import accounts as account_shapes
from ledger.shapes import drift as drift_shapes
from ledger.shapes import transactions as transaction_shapes

PREFIX = account_shapes.PREFIX


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account as the list draws it; amounts in minor units, positive on its normal side."""

    id: str
    path: str
    name: str
    currency: str
    normal_side: str
    is_closed: bool
    balance_minor: int
    available_minor: int


@require_safe
@organization_page(permission="ledger:read")
def accounts(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The accounts, newest first; `path` is the beginning of one, `currency` a code."""
    filters = {"path": request.GET.get("path", "").strip(), "currency": request.GET.get("currency", "").lower()}
    filters["currency"] = filters["currency"] if filters["currency"] in currencies.EXPONENTS else ""
    wanted = lists.wanted(request, PREFIX)
    found, has_more = account_selectors.page(
        wanted, currency=filters["currency"] or None, prefix=filters["path"] or None
    )
    held = balance_selectors.for_accounts(account.id for account in found)
    lines = [_line(account, held.get(account.path)) for account in found]
    context = {
        "lines": lines,
        "filters": filters,
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "currencies": sorted(currencies.EXPONENTS),
        "pager": lists.pager([line.id for line in lines], wanted, filters, has_more=has_more, noun="account"),
        "curl": curl.example(request, "/v1/ledger/accounts", {"path": "till:skopje", "currency": "eur"}),
    }
    return render(request, page, "dashboard/ledger_accounts.html", context)


@require_safe
@organization_page(permission="ledger:read")
def account(request: HttpRequest, page: OrganizationPage, account_id: str) -> HttpResponse:
    """One account: its balance, and its entries newest first, debits left and credits right."""
    identifier = ids.lookup(PREFIX, account_id)
    found = account_selectors.get(identifier)
    if found is None:
        raise Http404
    wanted = lists.wanted(request, transaction_shapes.PREFIX)
    entered, has_more = transaction_selectors.page(wanted, account_id=identifier)
    shown = [postings.posting(transaction, account_id=identifier) for transaction in entered]
    context = {
        "account": found,
        "line": _line(found, balance_selectors.for_path(found.path)),
        "postings": shown,
        "pager": lists.pager([each.id for each in shown], wanted, {}, has_more=has_more, noun="transaction"),
    }
    return render(request, page, "dashboard/ledger_account.html", context)


@require_safe
@organization_page(permission="ledger:read")
def drift(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Compares every balance with its entries, now. It reads the whole ledger, so it is a page of its own."""
    report = drift_shapes.render(drift_selectors.report(), livemode=page.caller.livemode, at=clock.wall())
    return render(request, page, "dashboard/ledger_drift.html", {"report": report})


def _line(account: Account, balance: Balance | None) -> AccountLine:
    return AccountLine(
        id=ids.encode(PREFIX, account.id),
        path=account.path,
        name=account.name,
        currency=account.currency,
        normal_side=account.normal_side,
        is_closed=account.closed_at is not None,
        balance_minor=balance.balance if balance else 0,
        available_minor=balance.available if balance else 0,
    )
