"""Why a bank did not answer as asked. One list: connectors raise them, rows keep them, pages and errors explain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FailureKind(StrEnum):
    """The reason, as it is kept with a connection and shown on the wire."""

    LOGIN_REQUIRED = "login_required"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_REVOKED = "consent_revoked"
    USER_CANCELED = "user_canceled"
    SCA_FAILED = "sca_failed"
    CHANGE_PASSWORD = "change_password"  # noqa: S105 - a reason, not a password
    RATE_LIMITED = "rate_limited"
    INSTITUTION_DOWN = "institution_down"
    BAD_RESPONSE = "bad_response"
    NOT_SUPPORTED = "not_supported"
    CERTIFICATE_PROBLEM = "certificate_problem"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a reason.

    `blames_bank` counts against the bank's health, `is_ours` against our own. `may_retry`: the same call may be sent
    again. `needs_customer`: only the account's owner can mend it, through the link page.
    """

    message: str
    blames_bank: bool = False
    is_ours: bool = False
    may_retry: bool = False
    needs_customer: bool = False


MEANINGS: Final[dict[FailureKind, Meaning]] = {
    FailureKind.LOGIN_REQUIRED: Meaning(
        "The bank wants its customer to log in again. Send them a link session in update mode.", needs_customer=True
    ),
    FailureKind.CONSENT_EXPIRED: Meaning(
        "The consent has run out. Send the customer a link session in update mode to renew it.", needs_customer=True
    ),
    FailureKind.CONSENT_REVOKED: Meaning(
        "The customer withdrew the consent. Ask them before you send a link session in update mode.",
        needs_customer=True,
    ),
    FailureKind.USER_CANCELED: Meaning("The customer canceled at the bank.", needs_customer=True),
    FailureKind.SCA_FAILED: Meaning("The customer could not be authenticated at the bank.", needs_customer=True),
    FailureKind.CHANGE_PASSWORD: Meaning(
        "The bank wants its customer to set a new password on its own site first.", needs_customer=True
    ),
    FailureKind.RATE_LIMITED: Meaning("The bank allows no more calls for now; we go on by ourselves."),
    FailureKind.INSTITUTION_DOWN: Meaning(
        "The bank does not answer; we try again by ourselves.", blames_bank=True, may_retry=True
    ),
    FailureKind.BAD_RESPONSE: Meaning(
        "The bank answered something that cannot be understood. Its data is as it was before.", blames_bank=True
    ),
    FailureKind.NOT_SUPPORTED: Meaning("The bank's interface cannot do this."),
    FailureKind.CERTIFICATE_PROBLEM: Meaning(
        "The bank refuses our certificate or signature; the operator of this installation has to look.", is_ours=True
    ),
}
