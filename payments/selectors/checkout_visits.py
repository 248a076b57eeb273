"""A checkout session as the hosted page shows it: who is paid, what for, and how far the payer has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from connect.selectors import organizations
from payments.domain import checkout_state, method_types
from payments.domain.checkout_state import Mode, PaymentStatus, Status
from payments.domain.payment_intent_state import Status as IntentStatus
from payments.models import Customer, PaymentIntent, SetupIntent
from payments.selectors import authentications, checkout_sessions

FIRST_LINES: Final = 5
"""So many lines of an order stand above the form; a payer need not scroll past a hundred to pay."""


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One line of the order; the amount is for the whole line, in minor units."""

    description: str
    quantity: int
    amount_minor: int

    @property
    def unit_minor(self) -> int | None:
        """The price of one, or None where it is no whole number of minor units."""
        unit, rest = divmod(self.amount_minor, self.quantity)
        return None if rest else unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Plain values. `total_minor` is in minor units of `currency`; both are None where nothing is sold.

    `success_url` and `cancel_url` are where to, with the session's id filled in. `action_url` is where the payer has
    to authenticate. `last_error` is why the last try failed.
    """

    environment: EnvironmentRef
    session_id: str
    account_id: UUID
    merchant: str
    mode: str
    status: str
    payment_status: str
    currency: str | None
    total_minor: int | None
    lines: list[VisitLine]
    known: dict[str, Any]
    locale: str | None
    submit_type: str
    method_types: list[str]
    asks_for_address: bool
    asks_for_phone: bool
    success_url: str | None
    cancel_url: str | None
    expires_at: datetime
    is_over: bool
    is_busy: bool
    action_url: str | None
    last_error: dict[str, Any] | None

    @property
    def livemode(self) -> bool:
        """Whether the money is real."""
        return self.environment.livemode

    @property
    def is_open(self) -> bool:
        """Whether the payer can still pay."""
        return self.status == Status.OPEN and not self.is_over

    @property
    def is_complete(self) -> bool:
        """Whether the payer has finished here."""
        return self.status == Status.COMPLETE

    @property
    def first_lines(self) -> list[VisitLine]:
        """The lines that are always in sight: all of a short order, the first ones of a long one."""
        return self.lines if len(self.lines) <= FIRST_LINES + 1 else self.lines[:FIRST_LINES]

    @property
    def other_lines(self) -> list[VisitLine]:
        """The lines of a long order that are shown when asked for."""
        return self.lines[len(self.first_lines) :]

    @property
    def keeps_card(self) -> bool:
        """Whether a card is only kept for later, and nothing is paid."""
        return self.mode == Mode.SETUP

    @property
    def needs_card(self) -> bool:
        """Whether a card is asked for; an order that costs nothing needs none."""
        return self.keeps_card or (bool(self.total_minor) and method_types.CARD in self.method_types)

    @property
    def takes_bank(self) -> bool:
        """Whether the payer may pay by bank."""
        return bool(self.total_minor) and method_types.PAY_BY_BANK in self.method_types

    @property
    def awaits_money(self) -> bool:
        """Whether the payer has finished and the money is still on its way."""
        return self.is_complete and self.payment_status == PaymentStatus.UNPAID


def get(environment: EnvironmentRef, secret: str, *, now: datetime) -> Visit | None:
    """The visit behind a page's secret, or None. Runs inside the open environment."""
    row = checkout_sessions.by_secret(secret)
    if row is None:
        return None
    session_id = ids.encode(checkout_sessions.PREFIX, row.id)
    intent = _intent(row)
    return Visit(
        environment=environment,
        session_id=session_id,
        account_id=row.account_id,
        merchant=organizations.name(environment.organization_id),
        mode=row.mode,
        status=row.status,
        payment_status=row.payment_status,
        currency=row.currency,
        total_minor=row.amount_total_minor,
        lines=[
            VisitLine(line.description, line.quantity, line.amount_total_minor)
            for line in checkout_sessions.all_lines(row.id)
        ],
        known=_known(row),
        locale=row.locale,
        submit_type=row.submit_type or "auto",
        method_types=row.payment_method_types,
        asks_for_address=row.billing_address_collection == "required",
        asks_for_phone=row.phone_number_collection,
        success_url=checkout_state.success_url(row.success_url, session_id) if row.success_url else None,
        cancel_url=row.cancel_url,
        expires_at=row.expires_at,
        is_over=row.expires_at <= now,
        is_busy=intent is not None and intent.status == IntentStatus.PROCESSING,
        action_url=_action_url(environment, intent),
        last_error=_last_error(intent),
    )


def _intent(row: Any) -> PaymentIntent | SetupIntent | None:
    """What the payer pays or keeps a card by; there is none before the page is submitted."""
    if row.payment_intent_id:
        return PaymentIntent.objects.one(id=row.payment_intent_id)
    return SetupIntent.objects.one(id=row.setup_intent_id) if row.setup_intent_id else None


def _last_error(intent: PaymentIntent | SetupIntent | None) -> dict[str, Any] | None:
    if intent is None:
        return None
    return intent.last_setup_error if isinstance(intent, SetupIntent) else intent.last_payment_error


def _known(row: Any) -> dict[str, Any]:
    """What the page need not ask again: what was typed before, else what the app knows of its customer."""
    if row.customer_details is not None:
        return row.customer_details
    customer = Customer.objects.one(id=row.customer_id) if row.customer_id else None
    if customer is None:
        return {"email": row.customer_email} if row.customer_email else {}
    # No more than helps: whoever the address was passed on to sees it too.
    return {name: value for name, value in (("email", customer.email), ("name", customer.name)) if value}


def _action_url(environment: EnvironmentRef, intent: PaymentIntent | SetupIntent | None) -> str | None:
    if intent is None or intent.status != IntentStatus.REQUIRES_ACTION:
        return None
    action = authentications.next_action(environment, intent.next_action, secret=True)
    return ((action or {}).get("redirect_to_url") or {}).get("url")
