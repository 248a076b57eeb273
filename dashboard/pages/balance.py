"""The balance: what is there by currency, every change of it, and those as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connect.kit import clock, money
from connect.kit.pages import Page
from dashboard.pages import curl, lists, spreadsheets
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.home import balances
from dashboard.templatetags.statuses import BALANCE_TYPES
from payments.selectors import balance_transactions as selectors
from payments.shapes.balance_transactions import BalanceTransactionOut

EXPORT_MAX: Final = 10_000
BATCH: Final = 100
COLUMNS: Final = (
    "id", "type", "status", "created_utc", "available_on_utc", "currency", "amount", "fee", "net", "source",
    "description",
)  # fmt: skip


@require_safe
@organization_page(permission="balance:read")
def balance(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The balances, and the transactions newest first; `currency` and `type` narrow them."""
    wanted, filters = lists.wanted(request, selectors.PREFIX), _filters(request)
    found, has_more = selectors.page(
        page.caller, wanted, currency=filters["currency"] or None, type=filters["type"] or None
    )
    figures = balances(page)
    context = {
        "balances": figures,
        "currencies": [figure.currency for figure in figures],
        "types": list(BALANCE_TYPES),
        "transactions": found,
        "filters": filters,
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "pager": lists.pager([each.id for each in found], wanted, filters, has_more=has_more, noun="transaction"),
        "export_max": EXPORT_MAX,
        "curl": curl.first_payment(request, livemode=page.caller.livemode),
    }
    return render(request, page, "dashboard/balance.html", context)


@require_safe
@organization_page(permission="balance:read")
def export(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The same transactions as CSV, newest first, at most `EXPORT_MAX`; amounts are decimal, in the row's currency."""
    filters, text = _filters(request), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    written, wanted = 0, Page(limit=BATCH)
    while written < EXPORT_MAX:
        found, has_more = selectors.page(
            page.caller, wanted, currency=filters["currency"] or None, type=filters["type"] or None
        )
        writer.writerows(_row(each) for each in found)
        written += len(found)
        if not has_more:
            break
        wanted = lists.after(found[-1].id, selectors.PREFIX, limit=BATCH)
    name = f"balance-{page.organization.slug}-{page.environment.kind}.csv"
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filters(request: HttpRequest) -> dict[str, str]:
    currency, kind = request.GET.get("currency", "").lower(), request.GET.get("type", "")
    return {"currency": currency if len(currency) == 3 else "", "type": kind[:40]}


def _row(each: BalanceTransactionOut) -> list[str]:
    return [
        each.id,
        each.type,
        each.status,
        clock.from_unix(each.created).isoformat(),
        clock.from_unix(each.available_on).isoformat(),
        each.currency.upper(),
        *(money.decimal_text(minor, each.currency) for minor in (each.amount, each.fee, each.net)),
        each.source or "",
        spreadsheets.harmless(each.description or ""),
    ]
