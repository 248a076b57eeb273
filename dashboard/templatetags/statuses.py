"""The words and the tone of a payment's status: colour never says it alone."""

from __future__ import annotations

from typing import Final

from django import template

PAYMENT_STATUSES: Final = {
    "requires_payment_method": ("Needs a payment method", "warn"),
    "requires_confirmation": ("Needs confirmation", "warn"),
    "requires_action": ("Waits for the customer", "info"),
    "processing": ("Processing", "info"),
    "requires_capture": ("Authorized, not captured", "info"),
    "succeeded": ("Succeeded", "good"),
    "canceled": ("Canceled", ""),
}
"""Text and badge tone by the status of a payment intent, in the order in which a payment passes through them."""

REFUND_STATUSES: Final = {
    "pending": ("Under way", "info"),
    "requires_action": ("Waits for the payer", "info"),
    "succeeded": ("Given back", "good"),
    "failed": ("Failed", "bad"),
    "canceled": ("Canceled", ""),
}
"""The same by the status of a refund."""

DELIVERY_STATUSES: Final = {
    "pending": ("On its way", "info"),
    "succeeded": ("Confirmed", "good"),
    "failed": ("Given up", "bad"),
    "canceled": ("Canceled", ""),
}
"""The same by the status of a webhook delivery."""

CHECKOUT_STATUSES: Final = {
    "open": ("Open", "info"),
    "complete": ("Complete", "good"),
    "expired": ("Expired", ""),
}
"""The same by the status of a checkout session."""
CHECKOUT_PAYMENTS: Final = {
    "paid": ("Paid", "good"),
    "unpaid": ("Not paid", "warn"),
    "no_payment_required": ("Nothing to pay", ""),
}
"""The same by what a checkout session says of its payment."""

register = template.Library()


@register.filter
def status_text(status: str) -> str:
    """The words for a status; an unknown one is shown as it is on the wire."""
    return PAYMENT_STATUSES.get(status, (status, ""))[0]


@register.filter
def status_tone(status: str) -> str:
    """The badge tone for a status: good, warn, bad, info or plain."""
    return PAYMENT_STATUSES.get(status, (status, ""))[1]


@register.filter
def refund_text(status: str) -> str:
    """The words for a refund's status."""
    return REFUND_STATUSES.get(status, (status, ""))[0]


@register.filter
def refund_tone(status: str) -> str:
    """The badge tone for a refund's status."""
    return REFUND_STATUSES.get(status, (status, ""))[1]


@register.filter
def delivery_text(status: str) -> str:
    """The words for a delivery's status."""
    return DELIVERY_STATUSES.get(status, (status, ""))[0]


@register.filter
def delivery_tone(status: str) -> str:
    """The badge tone for a delivery's status."""
    return DELIVERY_STATUSES.get(status, (status, ""))[1]


@register.filter
def checkout_text(status: str) -> str:
    """The words for a checkout session's status, or for that of its payment."""
    return (CHECKOUT_STATUSES | CHECKOUT_PAYMENTS).get(status, (status, ""))[0]


@register.filter
def checkout_tone(status: str) -> str:
    """The badge tone for the same."""
    return (CHECKOUT_STATUSES | CHECKOUT_PAYMENTS).get(status, (status, ""))[1]
