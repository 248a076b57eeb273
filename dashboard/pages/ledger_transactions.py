"""The ledger's transactions: every one balanced, none ever changed."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connect.kit import ids
from dashboard.pages import curl, lists, postings
from dashboard.pages.access import OrganizationPage, organization_page, render
from ledger.selectors import transactions as selectors
from ledger.shapes.transactions import PREFIX


@require_safe
@organization_page(permission="ledger:read")
def transactions(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first; `reference` is the id of a business object, `kind` a kind of transaction."""
    filters = {name: request.GET.get(name, "").strip() for name in ("reference", "kind")}
    wanted = lists.wanted(request, PREFIX)
    found, has_more = selectors.page(wanted, reference=filters["reference"] or None, kind=filters["kind"] or None)
    shown = postings.postings(found)
    context = {
        "postings": shown,
        "filters": filters,
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "pager": lists.pager([each.id for each in shown], wanted, filters, has_more=has_more, noun="transaction"),
        "curl": curl.first_payment(request, livemode=page.caller.livemode),
    }
    return render(request, page, "dashboard/ledger_transactions.html", context)


@require_safe
@organization_page(permission="ledger:read")
def transaction(request: HttpRequest, page: OrganizationPage, transaction_id: str) -> HttpResponse:
    """One transaction with both sides of every currency."""
    found = selectors.get(ids.lookup(PREFIX, transaction_id))
    if found is None:
        raise Http404
    shown = postings.posting(found)
    context = {
        "transaction": found,
        "posting": shown,
        "postings": [shown],
        "sums": postings.sums([shown]),
        "reverses": ids.encode(PREFIX, found.reverses) if found.reverses else "",
        "reversed_by": ids.encode(PREFIX, found.reversed_by) if found.reversed_by else "",
        "hold": ids.encode("lhold", found.hold_id) if found.hold_id else "",
    }
    return render(request, page, "dashboard/ledger_transaction.html", context)
