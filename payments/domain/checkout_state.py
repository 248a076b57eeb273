"""The life of a checkout session: when it is made, how long it is open, and how it ends.

    open → complete      the payer paid (or there was nothing to pay, or the card was kept)
    open → expired       its time ran out, or the app ended it

`payment_status` says apart whether the money is there: a session whose method answers late is complete and unpaid.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from payments.domain.errors import CheckoutExpiryInvalid

SESSION_ID: Final = "{CHECKOUT_SESSION_ID}"
"""What a `success_url` may hold in the place of the session's id."""

LIFE_DEFAULT: Final = timedelta(hours=24)
LIFE_MINIMUM: Final = timedelta(minutes=30)
LIFE_MAXIMUM: Final = timedelta(hours=24)
CLOCK_SLACK: Final = timedelta(minutes=1)
"""An app that reckons 30 minutes from its own clock must not be refused for the time its request took."""

LINE_ITEMS_MAX: Final = 100


class Status(StrEnum):
    """Whether the page still takes a payment."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):
    """Whether the money is there."""

    PAID = "paid"
    UNPAID = "unpaid"
    NO_PAYMENT_REQUIRED = "no_payment_required"


class Mode(StrEnum):
    """What the payer is asked for: to pay now, or to leave a card for later."""

    PAYMENT = "payment"
    SETUP = "setup"


class SubmitType(StrEnum):
    """What the button says."""

    AUTO = "auto"
    BOOK = "book"
    DONATE = "donate"
    PAY = "pay"


def expiry(now: datetime, wanted: datetime | None) -> datetime:
    """When a session made at `now` ends: as `wanted`, or after 24 hours. Raises `CheckoutExpiryInvalid`."""
    if wanted is None:
        return now + LIFE_DEFAULT
    if not LIFE_MINIMUM - CLOCK_SLACK <= wanted - now <= LIFE_MAXIMUM + CLOCK_SLACK:
        raise CheckoutExpiryInvalid(param="expires_at")
    return wanted


def line_amount(unit_amount_decimal: Decimal, quantity: int) -> int:
    """What a line costs in minor units: rounded once, half up, after it was multiplied."""
    return int((unit_amount_decimal * quantity).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def success_url(template: str, session_id: str) -> str:
    """The address a payer goes to after paying, with the session's id in its place."""
    return template.replace(SESSION_ID, session_id)
