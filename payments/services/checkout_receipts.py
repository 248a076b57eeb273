"""Receipts of the hosted page, by mail.

The session's row says that a receipt is due; it was written in the transaction that took the money. A job takes the
row under a lease, mails outside of any transaction, and notes that it is done. A process that dies in between leaves
the lease to run out, and the receipt is mailed again: twice is better than never.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import formats, translation

from connect.kit import clock, ids, tenancy
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.selectors import organizations
from payments.domain import method_types
from payments.models import Charge, CheckoutSession, PaymentIntent, PaymentMethod
from payments.selectors import checkout_sessions
from payments.selectors.checkout_visits import VisitLine

BATCH: Final = 100
LEASE: Final = timedelta(minutes=5)
"""How long a mail server may take, and how long a receipt waits after it could not be reached."""
GIVEN_UP_AFTER: Final = timedelta(days=3)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Plain values of one mail. `total_minor` is in minor units of `currency`; `card` is a brand and four digits."""

    session: UUID
    email: str
    language: str
    merchant: str
    livemode: bool
    total_minor: int
    currency: str
    lines: list[VisitLine]
    card: str
    payment_id: str
    paid_at: datetime


def send_due(caller: Caller) -> int:
    """Mail the receipts of the environment that are due, at most `BATCH`; returns how many were mailed.

    One that cannot be mailed is tried again when its lease has run out, for three days.
    """
    sent = 0
    for _ in range(BATCH):
        with use_environment(caller.environment):
            receipt = _take(caller)
        if receipt is None:
            return sent
        try:
            _mail(receipt)
        except OSError:  # the mail server is away, or will not have it
            log.exception("receipt_unsent", session=ids.encode(checkout_sessions.PREFIX, receipt.session))
            continue
        with use_environment(caller.environment):
            CheckoutSession.objects.filter(pk=receipt.session).update(receipt_due_at=None)
        sent += 1
    return sent


def _take(caller: Caller) -> Receipt | None:
    """The next receipt that is due, leased. What could not be mailed for three days is given up."""
    now = clock.wall()
    row = (
        CheckoutSession.objects.select_for_update(skip_locked=True)
        .filter(receipt_due_at__lte=now)
        .order_by("receipt_due_at")
        .first()
    )
    if row is None:
        return None
    given_up = row.completed_at is not None and now - row.completed_at > GIVEN_UP_AFTER
    row.receipt_due_at = None if given_up else now + LEASE
    row.save(update_fields=["receipt_due_at"])
    return _take(caller) if given_up else _receipt(caller, row)


def _receipt(caller: Caller, row: CheckoutSession) -> Receipt:
    intent = PaymentIntent.objects.one(id=row.payment_intent_id)
    method = PaymentMethod.objects.one(id=intent.payment_method_id) if intent else None
    card = (method.card or {}) if method else {}
    return Receipt(
        session=row.id,
        email=row.customer_details["email"],
        language=row.receipt_language or "en",
        merchant=organizations.name(caller.environment.organization_id),
        livemode=caller.livemode,
        total_minor=row.amount_total_minor or 0,
        currency=row.currency or "",
        lines=[
            VisitLine(line.description, line.quantity, line.amount_total_minor)
            for line in checkout_sessions.all_lines(row.id)
        ],
        card=f"{card['brand'].title()} •••• {card['last4']}" if card else _bank(intent),
        payment_id=ids.encode("pi", row.payment_intent_id) if row.payment_intent_id else "",
        paid_at=row.completed_at or row.created_at,
    )


def _bank(intent: PaymentIntent | None) -> str:
    """The name of the bank that paid, for a payment by bank."""
    charge = Charge.objects.one(id=intent.latest_charge_id) if intent and intent.latest_charge_id else None
    details = (charge.payment_method_details or {}) if charge else {}
    return (details.get(method_types.PAY_BY_BANK) or {}).get("bank_name") or ""


def _mail(receipt: Receipt) -> None:
    tenancy.forbid_inside_transaction("sending a mail")
    with translation.override(receipt.language):
        date = formats.date_format(receipt.paid_at, "DATE_FORMAT")
        shown = {"receipt": receipt, "date": date}
        subject = render_to_string("checkout/receipt_subject.txt", shown).strip()
        body = render_to_string("checkout/receipt.txt", shown)
    EmailMessage(" ".join(subject.splitlines()), body, to=[receipt.email]).send()
