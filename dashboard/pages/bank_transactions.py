"""Bank transactions: the list with its filters in the URL, the same as a file, and one with all that the bank said."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from banks.selectors import accounts as account_selectors
from banks.selectors import bank_entries, bank_overview
from banks.selectors import transactions as selectors
from banks.shapes.accounts import PREFIX as ACCOUNT_PREFIX
from banks.shapes.transactions import PREFIX, BankTransactionOut
from connect.kit import ids, money
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from dashboard.pages import curl, lists, spreadsheets
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.bank_connections import as_json
from dashboard.templatetags.bank_statuses import ENTRY_STATUSES

ACCOUNTS_OFFERED: Final = 100
BATCH: Final = 500
AMOUNT_DIGITS: Final = 12
COLUMNS: Final = (
    "id", "account", "status", "booking_date", "value_date", "amount", "currency", "counterparty",
    "counterparty_latin", "counterparty_account", "description", "reference", "end_to_end_id", "purpose_code",
    "balance_after",
)  # fmt: skip


@require_safe
@organization_page(permission="banks:view")
def transactions(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list by day, the newest first. Words are found in either script; a filter that makes no sense is left out."""
    filters = _filters(request)
    wanted = lists.wanted(request, PREFIX)
    found, has_more = bank_entries.page(page.caller, wanted, _wanted(filters))
    accounts, _ = account_selectors.page(page.caller, Page(limit=ACCOUNTS_OFFERED))
    context = {
        "transactions": found,
        "filters": filters,
        "can_manage": page.allows("banks:manage"),
        "accounts": accounts,
        "statuses": list(ENTRY_STATUSES),
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "export_query": urlencode({name: value for name, value in filters.items() if value}),
        "pager": lists.pager([each.id for each in found], wanted, filters, has_more=has_more, noun="transaction"),
        "curl": curl.example(request, "/v1/banking/transactions"),
    }
    return render(request, page, "dashboard/bank_transactions.html", context)


@require_safe
@organization_page(permission="banks:view", opens_environment=False)
def export(request: HttpRequest, page: OrganizationPage) -> StreamingHttpResponse:
    """The transactions the filters find as CSV, newest first, all of them: written while they are read.

    Begins with a byte order mark, or spreadsheets take Cyrillic for something else.
    """
    wanted = _wanted(_filters(request))
    name = f"bank-transactions-{page.organization.slug}-{page.environment.kind}.csv"
    return StreamingHttpResponse(
        _lines(page, wanted),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@organization_page(permission="banks:view")
def transaction(request: HttpRequest, page: OrganizationPage, transaction_id: str) -> HttpResponse:
    """One transaction; `?tab=json` shows it as the API returns it."""
    found = selectors.get(page.caller, transaction_id)
    head = {"transaction": found}
    if request.GET.get("tab") == "json":
        return render(request, page, "dashboard/bank_transaction.html", {**head, "tab": "json", "json": as_json(found)})
    context = {
        **head,
        "tab": "overview",
        "account": _account(page, found),
        "bank": bank_overview.banks_of(page.caller, [found.connection]).get(found.connection),
        "is_reference_valid": bank_entries.reference_holds(found),
        "changes": bank_entries.history(found),
        "events": event_selectors.for_object(page.caller, transaction_id),
    }
    return render(request, page, "dashboard/bank_transaction.html", context)


# --- the file ---------------------------------------------------------------------------------------------------------


class _Line:
    """What a CSV writer writes to: it hands each line back."""

    def write(self, text: str) -> str:
        return text


def _lines(page: OrganizationPage, wanted: bank_entries.Wanted) -> Iterator[str]:
    """Each batch in a transaction of its own: no snapshot is held for as long as somebody's network takes."""
    writer = csv.writer(_Line())
    yield "\N{BYTE ORDER MARK}" + writer.writerow(COLUMNS)
    batch, has_more = Page(limit=BATCH), True
    while has_more:
        with use_environment(page.environment):
            found, has_more = bank_entries.page(page.caller, batch, wanted)
        for each in found:
            yield writer.writerow(_row(each))
        if found:
            batch = lists.after(found[-1].id, PREFIX, limit=BATCH)


def _row(each: BankTransactionOut) -> list[str]:
    other = each.counterparty
    texts = [other.name, other.name_latin, other.account, each.description]
    reference = f"{each.reference.scheme} {each.reference.value}" if each.reference else ""
    return [
        each.id,
        each.account,
        each.status,
        each.booking_date or "",
        each.value_date or "",
        money.decimal_text(each.amount, each.currency),
        each.currency.upper(),
        *(spreadsheets.harmless(text or "") for text in texts),
        spreadsheets.harmless(reference),
        spreadsheets.harmless(each.end_to_end_id or ""),
        spreadsheets.harmless(each.purpose_code or ""),
        "" if each.balance_after is None else money.decimal_text(each.balance_after, each.currency),
    ]


# --- filters ----------------------------------------------------------------------------------------------------------


def _filters(request: HttpRequest) -> dict[str, str]:
    """The filters as the form shows them; what cannot be understood is empty."""
    given = {name: request.GET.get(name, "").strip() for name in ("q", "account", "status", "direction", "amount")}
    return {
        "q": given["q"][:200],
        "account": given["account"] if ids.decode(ACCOUNT_PREFIX, given["account"]) else "",
        "status": given["status"] if given["status"] in bank_entries.STATUSES else "",
        "direction": given["direction"] if given["direction"] in bank_entries.DIRECTIONS else "",
        "amount": given["amount"] if _amount(given["amount"]) is not None else "",
        "since": _day_text(request.GET.get("since", "")),
        "until": _day_text(request.GET.get("until", "")),
    }


def _wanted(filters: dict[str, str]) -> bank_entries.Wanted:
    return bank_entries.Wanted(
        text=filters["q"],
        account=ids.decode(ACCOUNT_PREFIX, filters["account"]),
        status=filters["status"],
        direction=filters["direction"],
        amount=_amount(filters["amount"]),
        since=_day(filters["since"]),
        until=_day(filters["until"]),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _day_text(text: str) -> str:
    day = _day(text)
    return day.isoformat() if day else ""


def _amount(text: str) -> Decimal | None:
    """An amount with a point or a comma; its sign says nothing, as the direction is asked for on its own."""
    try:
        amount = abs(Decimal(text.replace(",", ".")))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 < amount < 10**AMOUNT_DIGITS else None


def _account(page: OrganizationPage, found: BankTransactionOut) -> Any:
    """Its account, or None when the connection was removed."""
    try:
        return account_selectors.get(page.caller, found.account)
    except ResourceMissing:
        return None
