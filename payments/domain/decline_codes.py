"""Why a card was declined, what the cardholder is told, and whether trying again makes sense.

The codes are the ones card networks' answers are grouped into by Stripe; the texts are the ones its users know.
A lost or stolen card is reported to the payer as a plain decline: whoever holds it must not learn that it was reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

AdviceCode = Literal["confirm_card_data", "do_not_try_again", "try_again_later"]

DECLINED: Final = "Your card was declined."


@dataclass(frozen=True, slots=True)
class Decline:
    """`message` is shown to the payer, `advice` tells the merchant's code what to do next (None: the payer decides)."""

    message: str
    advice: AdviceCode | None


_CONFIRM: Final = Decline(DECLINED, "confirm_card_data")
_NEVER: Final = Decline(DECLINED, "do_not_try_again")
_LATER: Final = Decline(DECLINED, "try_again_later")
_PAYER: Final = Decline(DECLINED, None)
_NOT_SUPPORTED: Final = "Your card does not support this type of purchase."
_PROCESSING: Final = "An error occurred while processing your card. Try again in a little bit."
_VELOCITY: Final = "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
_LIVE_CARD_IN_TEST: Final = (
    "Your card was declined. Your request was in test mode, but used a non test card."
    " Use one of the test cards listed in the documentation."
)

DECLINE_CODES: Final[dict[str, Decline]] = {
    "approve_with_id": _LATER,
    "authentication_required": Decline("Your card was declined. This transaction requires authentication.", None),
    "call_issuer": _PAYER,
    "card_not_supported": Decline(_NOT_SUPPORTED, "do_not_try_again"),
    "card_velocity_exceeded": Decline(_VELOCITY, "try_again_later"),
    "currency_not_supported": Decline("Your card does not support this currency.", "do_not_try_again"),
    "do_not_honor": _LATER,
    "do_not_try_again": _NEVER,
    "duplicate_transaction": Decline(
        "A payment with identical amount and card was made very recently. Check whether it went through.", None
    ),
    "expired_card": Decline("Your card has expired.", "confirm_card_data"),
    "fraudulent": _NEVER,
    "generic_decline": _LATER,
    "incorrect_cvc": Decline("Your card's security code is incorrect.", "confirm_card_data"),
    "incorrect_number": Decline("Your card number is incorrect.", "confirm_card_data"),
    "incorrect_pin": Decline("Your card's PIN is incorrect.", "confirm_card_data"),
    "incorrect_zip": Decline("Your card's postal code is incorrect.", "confirm_card_data"),
    "insufficient_funds": Decline("Your card has insufficient funds.", "try_again_later"),
    "invalid_account": _CONFIRM,
    "invalid_amount": Decline("The amount of the payment is not allowed for your card.", None),
    "invalid_cvc": Decline("Your card's security code is invalid.", "confirm_card_data"),
    "invalid_expiry_month": Decline("Your card's expiration month is invalid.", "confirm_card_data"),
    "invalid_expiry_year": Decline("Your card's expiration year is invalid.", "confirm_card_data"),
    "invalid_number": Decline("Your card number is invalid.", "confirm_card_data"),
    "invalid_pin": Decline("Your card's PIN is invalid.", "confirm_card_data"),
    "issuer_not_available": _LATER,
    "lost_card": _NEVER,
    "merchant_blacklist": _NEVER,
    "new_account_information_available": _CONFIRM,
    "no_action_taken": _LATER,
    "not_permitted": _NEVER,
    "offline_pin_required": Decline("Your card requires its PIN to be entered.", None),
    "online_or_offline_pin_required": Decline("Your card requires its PIN to be entered.", None),
    "pickup_card": _NEVER,
    "pin_try_exceeded": Decline("The allowable number of PIN tries has been exceeded.", None),
    "processing_error": Decline(_PROCESSING, "try_again_later"),
    "reenter_transaction": _LATER,
    "restricted_card": _NEVER,
    "revocation_of_all_authorizations": _NEVER,
    "revocation_of_authorization": _NEVER,
    "security_violation": _NEVER,
    "service_not_allowed": _NEVER,
    "stolen_card": _NEVER,
    "stop_payment_order": _NEVER,
    "test_mode_live_card": Decline(_LIVE_CARD_IN_TEST, "confirm_card_data"),
    "testmode_decline": Decline(_LIVE_CARD_IN_TEST, "confirm_card_data"),
    "transaction_not_allowed": _PAYER,
    "try_again_later": _LATER,
    "withdrawal_count_limit_exceeded": Decline(
        "Your card was declined for exceeding its balance, credit limit or amount limit.", "try_again_later"
    ),
}
"""Every decline code we answer with; a processor's client maps any other to `generic_decline`."""


def lookup(decline_code: str) -> Decline:
    """Text and advice of a decline code; a code we do not know reads as a generic decline."""
    return DECLINE_CODES.get(decline_code, DECLINE_CODES["generic_decline"])
