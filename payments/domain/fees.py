"""What a processor takes of a payment, and when the rest becomes available. Exact integers throughout.

The fee of a card is 1.4 % of what is captured, rounded half up to a minor unit, without a fixed part. Several captures
of one charge pay exactly the fee of their sum: each pays the fee of the total so far less what was paid before. A
payment from bank to bank costs nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from connect.kit.money import Money

RATE_NUMERATOR: Final = 14
RATE_DENOMINATOR: Final = 1000
"""1.4 %: 14 of every 1000 minor units."""

SETTLEMENT_DAYS: Final = 2
"""Money becomes available at midnight UTC this many days after it was captured."""

FREE: Final = frozenset({"pay_by_bank"})
"""Processors that take nothing."""

DESCRIPTION: Final = "Sandbox processing fee"


def fee_of(amount: Money, *, processor: str = "sandbox") -> Money:
    """The fee of one amount captured at once; `amount` is not negative, and the fee is never more than it."""
    if amount.minor < 0:
        raise ValueError("a fee is taken of money that came in")
    if processor in FREE:
        return Money(0, amount.currency)
    return amount.share(RATE_NUMERATOR, RATE_DENOMINATOR)


def fee_of_capture(amount: Money, *, captured_before: Money) -> Money:
    """The fee of one more capture when `captured_before` of the same charge was captured already."""
    return fee_of(captured_before + amount) - fee_of(captured_before)


def fee_details(fee: Money) -> list[dict[str, Any]]:
    """The `fee_details` of a balance transaction; empty when nothing was taken."""
    if not fee:
        return []
    return [
        {
            "amount": fee.minor,
            "application": None,
            "currency": fee.currency,
            "description": DESCRIPTION,
            "type": "payment_method_passthrough_fee",
        }
    ]


def available_on(captured_at: datetime, *, at_once: bool = False) -> datetime:
    """When money captured at `captured_at` (business clock, aware) can be paid out, in UTC.

    Midnight UTC two days after the day of the capture, or the very moment when the processor settles `at_once`.
    """
    moment = captured_at.astimezone(UTC)
    if at_once:
        return moment
    return datetime.combine(moment.date() + timedelta(days=SETTLEMENT_DAYS), time(), tzinfo=UTC)
