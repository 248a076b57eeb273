"""The life of a connection.

pending → active                 the app exchanged the public token (unexchanged ones are removed after 30 minutes)
active → login_required          the bank wants the customer again; data stays and is served with its age
active | login_required → expired | revoked
login_required | expired | revoked → active      a link session in update mode was completed; ids stay
anything → removed               the app or the customer ended it; the consent is given back to the bank
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from banks.domain.failures import FailureKind


class Status(StrEnum):
    """Whether data of the connection can be refreshed."""

    PENDING = "pending"
    ACTIVE = "active"
    LOGIN_REQUIRED = "login_required"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REMOVED = "removed"


VISIBLE: Final = (Status.ACTIVE, Status.LOGIN_REQUIRED, Status.EXPIRED, Status.REVOKED)
"""What lists show; a removed one can still be retrieved, as deleted."""
REPAIRABLE: Final = (Status.ACTIVE, Status.LOGIN_REQUIRED, Status.EXPIRED, Status.REVOKED)
"""What a link session in update mode can be made for."""

# Every reason that needs the customer is here: a bank is not asked again after one, so it must not look `active`.
_AFTER: Final[dict[FailureKind, Status]] = {
    FailureKind.LOGIN_REQUIRED: Status.LOGIN_REQUIRED,
    FailureKind.CHANGE_PASSWORD: Status.LOGIN_REQUIRED,
    FailureKind.SCA_FAILED: Status.LOGIN_REQUIRED,
    FailureKind.USER_CANCELED: Status.LOGIN_REQUIRED,
    FailureKind.CONSENT_EXPIRED: Status.EXPIRED,
    FailureKind.CONSENT_REVOKED: Status.REVOKED,
}


def after(status: str, failure: FailureKind) -> Status:
    """The status once a bank call failed in this way; most failures pass and change nothing."""
    current = Status(status)
    return _AFTER.get(failure, current) if current in (Status.ACTIVE, Status.LOGIN_REQUIRED) else current
