"""Payments: the list with its filters in the URL, and one payment with its events and its ledger lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from connect.kit import ids
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page
from connect.selectors import events as event_selectors
from connect.selectors import request_logs as request_log_selectors
from dashboard.pages import curl, lists, payment_actions, postings
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.postings import Posting
from dashboard.templatetags.statuses import PAYMENT_STATUSES
from ledger.selectors import transactions as transaction_selectors
from payments.selectors import balance_transactions as balance_transaction_selectors
from payments.selectors import charges as charge_selectors
from payments.selectors import payment_intents as payment_intent_selectors
from payments.selectors import refunds as refund_selectors
from payments.shapes.balance_transactions import BalanceTransactionOut
from payments.shapes.charges import ChargeOut
from payments.shapes.payment_intents import PaymentIntentOut
from payments.shapes.refunds import RefundOut

CAPTURES: Final = {"automatic": _("automatic"), "automatic_async": _("automatic async"), "manual": _("manual")}
"""How a payment is captured, by the value on the wire."""


@dataclass(frozen=True, slots=True)
class BreakdownLine:
    """One line of the amount panel, in minor units of the payment's currency."""

    title: str
    minor: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the details panel."""

    title: str
    value: str
    is_id: bool = False


@require_safe
@organization_page(permission="payments:read")
def payments(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first; `status`, `q` (a whole id), `after` and `before` come from the query string."""
    status, query = request.GET.get("status", ""), request.GET.get("q", "").strip()
    status = status if status in PAYMENT_STATUSES else ""
    wanted = lists.wanted(request, "pi")
    if query:
        found, has_more = _with_id(page, query, status), False
    else:
        found, has_more = payment_intent_selectors.page(page.caller, wanted, status=status or None)
    context = {
        "payments": found,
        "filters": {"status": status, "q": query},
        "is_filtered": bool(status or query or wanted.cursor),
        "statuses": list(PAYMENT_STATUSES),
        "pager": lists.pager(
            [payment.id for payment in found],
            wanted,
            {"status": status, "q": query},
            has_more=has_more,
            noun="payment",
        ),
        "curl": curl.first_payment(request, livemode=page.caller.livemode),
    }
    return render(request, page, "dashboard/payments_list.html", context)


@require_safe
@organization_page(permission="payments:read")
def payment(request: HttpRequest, page: OrganizationPage, payment_id: str) -> HttpResponse:
    """One payment; `?tab=json` shows the object as the API returns it."""
    found = payment_intent_selectors.get(page.caller, payment_id)
    charges = charge_selectors.for_intent(page.caller, found.id)
    head = {
        "payment": found,
        "refunded": _refunded(charges),
        "can": payment_actions.possible(found, charges[0] if charges else None),
        "can_write": page.allows("payments:write"),
    }
    if request.GET.get("tab") == "json":
        shown = msgspec.structs.replace(found, client_secret=None)  # with it a reader could confirm the payment
        text = msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
        return render(request, page, "dashboard/payment_detail.html", {**head, "tab": "json", "json": text})
    given_back = _refunds(page, found)
    posted = _postings(found, charges, given_back) if page.allows("ledger:read") else []
    events = event_selectors.for_objects(
        page.caller, [found.id, *(each.id for each in charges), *(each.id for each in given_back)]
    )
    context = {
        **head,
        "tab": "overview",
        "breakdown": _breakdown(found, charges, _movements(page, charges) if page.allows("balance:read") else []),
        "facts": _facts(found),
        "events": events,
        "logged": request_log_selectors.kept(event.request_id for event in events),
        "postings": posted,
        "sums": postings.sums(posted),
        "t_accounts": postings.t_accounts(posted),
        "refunds": given_back,
        "may_read_ledger": page.allows("ledger:read"),
    }
    return render(request, page, "dashboard/payment_detail.html", context)


def _with_id(page: OrganizationPage, query: str, status: str) -> list[PaymentIntentOut]:
    try:
        found = payment_intent_selectors.get(page.caller, query)
    except ResourceMissing:
        return []
    return [found] if status in ("", found.status) else []


def _refunds(page: OrganizationPage, intent: PaymentIntentOut) -> list[RefundOut]:
    found, _ = refund_selectors.page(page.caller, Page(limit=100), payment_intent=ids.lookup("pi", intent.id))
    return found


def _refunded(charges: Sequence[ChargeOut]) -> str:
    """The words for what went back to the payer; empty while nothing did. The status of the payment stays as it was."""
    if not any(charge.amount_refunded for charge in charges):
        return ""
    return gettext("Refunded") if any(charge.refunded for charge in charges) else gettext("Refunded in part")


def _movements(page: OrganizationPage, charges: Sequence[ChargeOut]) -> list[BalanceTransactionOut]:
    """What the charges did to the balance. Nearly always one charge moved money, and once."""
    moved = [charge for charge in charges if charge.balance_transaction is not None]
    found = [balance_transaction_selectors.page(page.caller, Page(limit=100), source=charge.id)[0] for charge in moved]
    return [movement for movements in found for movement in movements]


def _breakdown(
    intent: PaymentIntentOut, charges: Sequence[ChargeOut], movements: Sequence[BalanceTransactionOut]
) -> list[BreakdownLine]:
    """Only what has happened: a line that would be zero is left out, the amount and what was received always stand.

    Fees and net are shown while they are in the payment's own currency; a converted payment has its own figures.
    """
    refunded = sum(charge.amount_refunded for charge in charges)
    lines = [BreakdownLine(gettext("Amount"), intent.amount)]
    if intent.amount_capturable:
        lines.append(BreakdownLine(gettext("Authorized, can be captured"), intent.amount_capturable))
    lines.append(BreakdownLine(gettext("Received"), intent.amount_received))
    if refunded:
        lines.append(BreakdownLine(gettext("Refunded"), -refunded))
    if movements and all(movement.currency == intent.currency for movement in movements):
        fee = sum(movement.fee for movement in movements)
        lines.append(BreakdownLine(gettext("Fees"), -fee))
        lines.append(BreakdownLine(gettext("Net"), intent.amount_received - refunded - fee))
    return lines


def _facts(intent: PaymentIntentOut) -> list[Fact]:
    facts = [
        Fact(gettext("Description"), intent.description or ""),
        Fact(gettext("Customer"), _id_of(intent.customer), is_id=True),
        Fact(gettext("Payment method"), _id_of(intent.payment_method), is_id=True),
        Fact(gettext("Latest charge"), _id_of(intent.latest_charge), is_id=True),
        Fact(gettext("Capture"), str(CAPTURES.get(intent.capture_method, intent.capture_method))),
        Fact(gettext("Mode"), gettext("Live") if intent.livemode else gettext("Test: no real money moved")),
    ]
    return [fact for fact in facts if fact.value]


def _id_of(reference: Any) -> str:
    """The id of a related object, which travels as its id or expanded."""
    return "" if reference is None else reference if isinstance(reference, str) else str(reference.id)


def _postings(intent: PaymentIntentOut, charges: Sequence[ChargeOut], given_back: Sequence[RefundOut]) -> list[Posting]:
    """The ledger's transactions for the intent, its charges and its refunds, oldest first."""
    references = [intent.id, *(charge.id for charge in charges), *(refund.id for refund in given_back)]
    return postings.postings(transaction_selectors.for_references(references))
