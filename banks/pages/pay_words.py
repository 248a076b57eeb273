"""What a payer is told when a payment by bank does not go through: what happened, and what to do next."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from banks.domain.bank_payment_state import Status
from banks.selectors.bank_payments import Standing

CHOOSE: Final = _("Choose the bank you want to pay with.")
TOO_OFTEN: Final = _("There were too many tries from here. No money was taken. Wait a few minutes and try again.")
_SUCCEEDED: Final = _("Your bank has made the payment.")
_PROCESSING: Final = _("Your bank has accepted the payment and is still working on it. You need not do anything more.")
_REJECTED: Final = _("Your bank declined the payment. No money was taken. Try another bank, or ask yours why.")
_CANCELED: Final = _("The payment was canceled. No money was taken.")
_EXPIRED: Final = _("The time for this payment is over. No money was taken. Begin again from the seller's page.")
_SILENT: Final = _("The bank does not answer at the moment. No money was taken. Try again, or choose another bank.")
_UNABLE: Final = _("This bank cannot make the payment. No money was taken. Choose another bank.")


def of_end(payment: Standing) -> Promise:
    """The words for a payment that its payer can do nothing more about."""
    if payment.status == Status.SUCCEEDED:
        return _SUCCEEDED
    if payment.status == Status.PROCESSING:
        return _PROCESSING
    if payment.failure == "expired":
        return _EXPIRED
    return _REJECTED if payment.status == Status.FAILED else _CANCELED


def of_failure(kind: str) -> Promise:
    """The words for a bank that did not take the order; `kind` is that of the connector's error."""
    return _SILENT if kind in {"institution_down", "rate_limited", "bad_response"} else _UNABLE
