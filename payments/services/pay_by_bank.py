"""What is special about paying by bank: when it is possible, and how it is taken back before a bank has the order."""

from __future__ import annotations

from typing import Final

from banks.selectors import bank_payments as selectors
from banks.services import bank_payments
from connect.kit.caller import Caller
from payments.domain import errors
from payments.domain.payment_intent_state import CaptureMethod
from payments.models import PaymentIntent
from payments.selectors import payment_intents as intents

_NO_BANK: Final = "no bank that can be reached from here pays {currency} at our request."


def require_possible(
    caller: Caller, intent: PaymentIntent, *, off_session: bool, error_on_requires_action: bool
) -> None:
    """Raise `PayByBankNeedsPayer`, `PayByBankCapturesAtOnce` or `PayByBankUnavailable` for what no bank can do."""
    if intent.capture_method == CaptureMethod.MANUAL:
        raise errors.PayByBankCapturesAtOnce(param="capture_method")
    for param, given in (
        ("off_session", off_session),
        ("error_on_requires_action", error_on_requires_action),
        ("setup_future_usage", intent.setup_future_usage),
    ):
        if given:
            raise errors.PayByBankNeedsPayer(param=param)
    require_bank(intent.currency, livemode=caller.livemode)


def require_bank(currency: str, *, livemode: bool) -> None:
    """Raise `PayByBankUnavailable` when no bank pays in this currency."""
    if not selectors.is_possible(currency, livemode=livemode):
        reason = _NO_BANK.format(currency=currency.upper())
        raise errors.PayByBankUnavailable(reason=reason, param="currency")


def withdraw(caller: Caller, intent: PaymentIntent, action: str) -> None:
    """Take the order back that an intent, locked, waits for, because something else is wanted of it now (`action`).

    Raises `PayByBankUnderWay` when the payer's bank has it. Asks nothing for an intent that is not paid by bank.
    """
    attempt = (intent.next_action or {}).get("attempt")
    if attempt is None or intent.status != "requires_action":
        return
    if not bank_payments.withdraw(attempt):
        raise errors.PayByBankUnderWay(action=action, payment_intent=intents.as_data(caller, intent))
