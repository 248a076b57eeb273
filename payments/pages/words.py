"""What a payer is told when a payment does not go through: what happened, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_DECLINED: Final = _(
    "The bank declined the card. No money was taken. Try another card, or ask your bank why it was declined."
)
_REASONS: Final[dict[str, Promise]] = {
    "insufficient_funds": _("There is not enough money on this card. No money was taken. Try another card."),
    "expired_card": _("This card has expired. No money was taken. Check the expiry date or try another card."),
    "incorrect_cvc": _(
        "The security code is wrong. No money was taken. Enter the three digits on the back of the card."
    ),
    "incorrect_number": _("This card number is not right. Check it against your card."),
    "invalid_cvc": _("The security code has three digits, on American Express four. Check it against your card."),
    "invalid_expiry_month": _("This card has expired, or the month is not right. Check the date on your card."),
    "invalid_expiry_year": _("This card has expired, or the year is not right. Check the date on your card."),
    "processing_error": _("Something went wrong while your bank was asked. No money was taken. Try again in a moment."),
    "payment_intent_authentication_failure": _(
        "Your bank could not confirm that it is you. No money was taken. Try again or use another card."
    ),
    "setup_intent_authentication_failure": _(
        "Your bank could not confirm that it is you. No money was taken. Try again or use another card."
    ),
    "authentication_required": _(
        "Your bank wants you to confirm the payment. No money was taken. Try again, and confirm it when you are asked."
    ),
    "payment_method_provider_decline": _(
        "Your bank declined the payment. No money was taken. Try another bank, or pay with a card."
    ),
    "payment_method_customer_decline": _("The payment at your bank was canceled. No money was taken. Try again."),
    "payment_method_provider_timeout": _(
        "The time to confirm the payment at your bank is over. No money was taken. Try again."
    ),
    "card_velocity_exceeded": _(
        "This card was used too often or for too much. No money was taken. Try another card, or wait until tomorrow."
    ),
}
NO_BANK: Final = _("No bank can make this payment at the moment. Pay another way, or ask the seller.")
UNREACHABLE: Final = _("Your bank could not be reached. No money was taken. Try again in a moment.")
UNAVAILABLE: Final = _("Card payments are not available here at the moment. Ask the seller for another way to pay.")
TOO_OFTEN: Final = _("There were too many tries from here. No money was taken. Wait a few minutes and try again.")
AT_FIELD: Final = {
    "incorrect_number": "number",
    "invalid_cvc": "cvc",
    "incorrect_cvc": "cvc",
    "invalid_expiry_month": "expiry",
    "invalid_expiry_year": "expiry",
}
"""The field of the form that a refusal is about, where it is about one."""


def of_code(code: str, decline_code: str | None = None) -> Promise:
    """The words for a refusal. A reason that would help a thief (lost, stolen, fraud) is told as any other decline."""
    return _REASONS.get(decline_code or "") or _REASONS.get(code) or _DECLINED


def of_error(error: Mapping[str, Any]) -> Promise:
    """The words for an intent's `last_payment_error`."""
    return of_code(error.get("code") or "", error.get("decline_code"))
