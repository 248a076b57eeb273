"""What a customer is told on the link page: how their bank is doing, what went wrong, and what to do next."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from banks.domain.failures import FailureKind
from banks.domain.health import Standing

STANDINGS: Final[dict[Standing, Promise]] = {
    Standing.HEALTHY: _("Works well"),
    Standing.DEGRADED: _("Fails at times today"),
    Standing.DOWN: _("Does not answer at the moment"),
    Standing.UNKNOWN: _("Nobody has tried it today"),
}
COUNTRIES: Final[dict[str, Promise]] = {
    "mk": _("North Macedonia"),
    "al": _("Albania"),
    "xk": _("Kosovo"),
    "rs": _("Serbia"),
    "me": _("Montenegro"),
    "ba": _("Bosnia and Herzegovina"),
    "bg": _("Bulgaria"),
    "ro": _("Romania"),
}
_FAILURES: Final[dict[str, Promise]] = {
    FailureKind.USER_CANCELED: _("You did not agree at your bank. Nothing was shared. You can try again."),
    FailureKind.SCA_FAILED: _("Your bank could not confirm that it is you. Nothing was shared. Try again."),
    FailureKind.CONSENT_EXPIRED: _("It took too long at your bank. Nothing was shared. Try again."),
    FailureKind.CONSENT_REVOKED: _("You withdrew your consent at your bank. Nothing was shared."),
    FailureKind.CHANGE_PASSWORD: _(
        "Your bank wants you to set a new password. Do that on the bank's own site, then try again here."
    ),
    FailureKind.LOGIN_REQUIRED: _(
        "These are not the accounts that were linked before. Log in at your bank as the same person and try again."
    ),
    FailureKind.NOT_SUPPORTED: _("Your bank offers no account that could be linked. Try another bank."),
    FailureKind.RATE_LIMITED: _("Too many people ask your bank just now. Try again in a few minutes."),
    FailureKind.INSTITUTION_DOWN: _("Your bank does not answer at the moment. Try again later, or take another bank."),
}
_OTHER: Final = _("Something went wrong between us and your bank. Nothing was shared. Try again later.")
UNAVAILABLE: Final = _("This bank cannot be linked here at the moment. Choose another one.")
NONE_CHOSEN: Final = _("Choose at least one account.")
NOT_YET: Final = _("You have not finished at your bank yet.")


def of_failure(kind: str) -> Promise:
    """The words for why the last try failed."""
    return _FAILURES.get(kind, _OTHER)
