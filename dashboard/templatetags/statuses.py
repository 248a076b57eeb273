"""The words and the tone of a payment's status: colour never says it alone."""

from __future__ import annotations

from typing import Final

from django import template
from django.utils.translation import gettext_lazy as _

PAYMENT_STATUSES: Final = {
    "requires_payment_method": (_("Needs a payment method"), "warn"),
    "requires_confirmation": (_("Needs confirmation"), "warn"),
    "requires_action": (_("Waits for the customer"), "info"),
    "processing": (_("Processing"), "info"),
    "requires_capture": (_("Authorized, not captured"), "info"),
    "succeeded": (_("Succeeded"), "good"),
    "canceled": (_("Canceled"), ""),
}
"""Text and badge tone by the status of a payment intent, in the order in which a payment passes through them."""

REFUND_STATUSES: Final = {
    "pending": (_("Under way"), "info"),
    "requires_action": (_("Waits for the payer"), "info"),
    "succeeded": (_("Given back"), "good"),
    "failed": (_("Failed"), "bad"),
    "canceled": (_("Canceled"), ""),
}
"""The same by the status of a refund."""

DELIVERY_STATUSES: Final = {
    "pending": (_("On its way"), "info"),
    "succeeded": (_("Confirmed"), "good"),
    "failed": (_("Given up"), "bad"),
    "canceled": (_("Canceled"), ""),
}
"""The same by the status of a webhook delivery."""

CHECKOUT_STATUSES: Final = {
    "open": (_("Open"), "info"),
    "complete": (_("Complete"), "good"),
    "expired": (_("Expired"), ""),
}
"""The same by the status of a checkout session."""
CHECKOUT_PAYMENTS: Final = {
    "paid": (_("Paid"), "good"),
    "unpaid": (_("Not paid"), "warn"),
    "no_payment_required": (_("Nothing to pay"), ""),
}
"""The same by what a checkout session says of its payment."""

BALANCE_TYPES: Final = {
    "charge": _("Payment"),
    "refund": _("Refund"),
    "refund_failure": _("Refund that came back"),
}
"""The words for what changed the balance."""

ROLES: Final = {
    "owner": _("Owner"),
    "admin": _("Admin"),
    "developer": _("Developer"),
    "analyst": _("Analyst"),
    "support": _("Support"),
}
"""The words for a member's role."""

SIDES: Final = {"debit": _("debit"), "credit": _("credit")}
"""The words for the side on which a ledger account grows."""

register = template.Library()


@register.filter
def balance_text(kind: str) -> str:
    """The words for what changed the balance; an unknown one is shown as it is on the wire."""
    return str(BALANCE_TYPES.get(kind, kind))


@register.filter
def role_text(role: str) -> str:
    """The word for a role; an unknown one is shown as it is kept."""
    return str(ROLES.get(role, role))


@register.filter
def side_text(side: str) -> str:
    """The word for a side of the ledger."""
    return str(SIDES.get(side, side))


@register.filter
def status_text(status: str) -> str:
    """The words for a status; an unknown one is shown as it is on the wire."""
    return str(PAYMENT_STATUSES.get(status, (status, ""))[0])


@register.filter
def status_tone(status: str) -> str:
    """The badge tone for a status: good, warn, bad, info or plain."""
    return PAYMENT_STATUSES.get(status, (status, ""))[1]


@register.filter
def refund_text(status: str) -> str:
    """The words for a refund's status."""
    return str(REFUND_STATUSES.get(status, (status, ""))[0])


@register.filter
def refund_tone(status: str) -> str:
    """The badge tone for a refund's status."""
    return REFUND_STATUSES.get(status, (status, ""))[1]


@register.filter
def delivery_text(status: str) -> str:
    """The words for a delivery's status."""
    return str(DELIVERY_STATUSES.get(status, (status, ""))[0])


@register.filter
def delivery_tone(status: str) -> str:
    """The badge tone for a delivery's status."""
    return DELIVERY_STATUSES.get(status, (status, ""))[1]


@register.filter
def checkout_text(status: str) -> str:
    """The words for a checkout session's status, or for that of its payment."""
    return str((CHECKOUT_STATUSES | CHECKOUT_PAYMENTS).get(status, (status, ""))[0])


@register.filter
def checkout_tone(status: str) -> str:
    """The badge tone for the same."""
    return (CHECKOUT_STATUSES | CHECKOUT_PAYMENTS).get(status, (status, ""))[1]
