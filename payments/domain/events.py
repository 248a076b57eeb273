"""Events of payments: every type once, and what each thing that happens emits, in order.

The charge speaks before the intent, so that whoever reacts to the intent already knows its charge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class EventType:
    """`object` is the kind of thing in `data.object`; `description` is the line of the catalogue page."""

    name: str
    object: str
    description: str


_TYPES: Final = (
    EventType("payment_intent.created", "payment_intent", "A payment intent was created."),
    EventType("payment_intent.requires_action", "payment_intent", "The payer has to authenticate with the issuer."),
    EventType("payment_intent.processing", "payment_intent", "The payment was sent, and its outcome is not known yet."),
    EventType(
        "payment_intent.amount_capturable_updated", "payment_intent", "An amount is held, or part of it was captured."
    ),
    EventType("payment_intent.succeeded", "payment_intent", "The payment succeeded and the money was taken."),
    EventType("payment_intent.payment_failed", "payment_intent", "An attempt to pay failed; another can be made."),
    EventType("payment_intent.canceled", "payment_intent", "The intent was canceled; what was held is released."),
    EventType("charge.succeeded", "charge", "A charge was authorized, or authorized and captured."),
    EventType("charge.pending", "charge", "A charge was sent, and its outcome is not known yet."),
    EventType("charge.failed", "charge", "A charge was declined or failed."),
    EventType("charge.captured", "charge", "A held charge was captured for the last time."),
    EventType("charge.expired", "charge", "A held charge ran out before it was captured."),
    EventType("charge.refunded", "charge", "Money of a charge is on its way back to the payer, all of it or a part."),
    EventType("charge.refund.updated", "refund", "A refund of a charge changed."),
    EventType("charge.updated", "charge", "Description, metadata or another detail of a charge changed."),
    EventType("customer.created", "customer", "A customer was created."),
    EventType("customer.updated", "customer", "A customer changed."),
    EventType("customer.deleted", "customer", "A customer was deleted."),
    EventType("payment_method.attached", "payment_method", "A payment method was attached to a customer."),
    EventType("payment_method.detached", "payment_method", "A payment method was detached from its customer."),
    EventType("payment_method.updated", "payment_method", "A payment method changed."),
    EventType("setup_intent.created", "setup_intent", "A setup intent was created."),
    EventType("setup_intent.requires_action", "setup_intent", "The payer has to authenticate to save a card."),
    EventType("setup_intent.succeeded", "setup_intent", "A payment method was set up for later payments."),
    EventType("setup_intent.setup_failed", "setup_intent", "An attempt to set up failed; another can be made."),
    EventType("setup_intent.canceled", "setup_intent", "The setup intent was canceled."),
    EventType("product.created", "product", "A product was created."),
    EventType("product.updated", "product", "A product changed."),
    EventType("product.deleted", "product", "A product was deleted."),
    EventType("price.created", "price", "A price was created."),
    EventType("price.updated", "price", "A price changed."),
    EventType(
        "checkout.session.completed", "checkout.session", "A payer finished the hosted page; read `payment_status`."
    ),
    EventType(
        "checkout.session.async_payment_succeeded",
        "checkout.session",
        "The payment of a session that was complete but unpaid has arrived.",
    ),
    EventType(
        "checkout.session.async_payment_failed",
        "checkout.session",
        "The payment of a session that was complete but unpaid has failed.",
    ),
    EventType("checkout.session.expired", "checkout.session", "A session ended without a payment."),
    EventType("refund.created", "refund", "A refund was created."),
    EventType("refund.updated", "refund", "A refund changed."),
    EventType("refund.failed", "refund", "A refund failed; its amount is back in the balance."),
    EventType("balance.available", "balance", "Money became available for payouts."),
)
EVENT_TYPES: Final[dict[str, EventType]] = {event.name: event for event in _TYPES}
"""Every event type this app publishes, by name."""


class Happening(StrEnum):
    """What happened to a payment."""

    CREATED = "created"
    ACTION_REQUIRED = "action_required"
    PENDING = "pending"
    TAKEN = "taken"
    HELD = "held"
    DECLINED = "declined"
    DECLINED_WITHOUT_CHARGE = "declined_without_charge"
    CAPTURED = "captured"
    CAPTURED_PART = "captured_part"
    CANCELED = "canceled"
    CANCELED_AFTER_PART = "canceled_after_part"
    HOLD_EXPIRED = "hold_expired"
    HOLD_EXPIRED_AFTER_PART = "hold_expired_after_part"
    HOLD_INCREMENTED = "hold_incremented"
    REFUNDED = "refunded"
    REFUND_REFUSED = "refund_refused"
    REFUND_CHANGED = "refund_changed"
    REFUND_FAILED = "refund_failed"


EMITTED: Final[dict[Happening, tuple[str, ...]]] = {
    Happening.CREATED: ("payment_intent.created",),
    Happening.ACTION_REQUIRED: ("payment_intent.requires_action",),
    Happening.PENDING: ("charge.pending", "payment_intent.processing"),
    Happening.TAKEN: ("charge.succeeded", "payment_intent.succeeded"),
    Happening.HELD: ("charge.succeeded", "payment_intent.amount_capturable_updated"),
    Happening.DECLINED: ("charge.failed", "payment_intent.payment_failed"),
    Happening.DECLINED_WITHOUT_CHARGE: ("payment_intent.payment_failed",),
    Happening.CAPTURED: ("charge.captured", "payment_intent.amount_capturable_updated", "payment_intent.succeeded"),
    Happening.CAPTURED_PART: ("payment_intent.amount_capturable_updated",),
    Happening.CANCELED: ("payment_intent.canceled",),
    Happening.CANCELED_AFTER_PART: ("charge.captured", "payment_intent.canceled"),
    Happening.HOLD_EXPIRED: ("charge.expired", "payment_intent.canceled"),
    Happening.HOLD_EXPIRED_AFTER_PART: ("charge.captured", "payment_intent.succeeded"),
    Happening.HOLD_INCREMENTED: ("charge.updated", "payment_intent.amount_capturable_updated"),
    Happening.REFUNDED: ("charge.refunded", "refund.created"),
    Happening.REFUND_REFUSED: ("refund.created", "refund.failed"),
    Happening.REFUND_CHANGED: ("charge.refund.updated", "refund.updated"),
    Happening.REFUND_FAILED: ("charge.refund.updated", "refund.updated", "refund.failed"),
}
"""The events of a happening, in the order they are published.

Every capture changes what can be captured. `charge.captured` comes once, when nothing further will be taken: with the
final capture, or when what is left of a hold runs out or is let go.
"""
