"""The life of a link session: one customer, one visit, at most one connection.

open → at_bank            they agreed on our page and were sent to the bank
at_bank → choosing        the bank says that they agreed there
at_bank → open            they canceled or failed there; they may try again, also with another bank
choosing → complete       they picked their accounts (in update mode there is nothing to pick)
open | at_bank | choosing → canceled | expired
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

LIFE: Final[dict[str, timedelta]] = {"link": timedelta(hours=4), "update": timedelta(minutes=30)}
"""How long a session's page can be used, by mode."""
PUBLIC_TOKEN_LIFE: Final = timedelta(minutes=30)
"""How long the app may take to exchange the token; afterwards the consent is given back to the bank."""
BANK_LIFE: Final = timedelta(minutes=10)
"""How long the bank's own page waits for its customer."""
BANK_DEADLINE_SECONDS: Final = 5.0
"""How long a call to a bank may keep the customer's page waiting."""
LEASE: Final = timedelta(seconds=30)
"""How long a visit's call to the bank is taken to be under way; whoever comes meanwhile waits for it."""
GIVE_BACK_FOR: Final = timedelta(days=1)
"""How long we try to give back a consent of a session that came to nothing; the bank ends it by itself later."""
GIVE_BACK_AGAIN: Final = timedelta(minutes=10)
"""How long a bank that did not take one is left alone with it."""
AGREED_TEXT: Final = "2026-11"
"""The version of the consent text on our page; change it with the text."""
PERMISSIONS: Final = ("accounts", "balances", "transactions")
CONSENT_DAYS: Final = 180
"""How long an ongoing consent is asked for; a bank that allows less shortens it."""
HISTORY_DAYS_DEFAULT: Final = 90
HISTORY_DAYS_MAX: Final = 730


class Mode(StrEnum):
    """A new connection, or the same one again with a fresh consent."""

    LINK = "link"
    UPDATE = "update"


class Status(StrEnum):
    """How far the customer has come."""

    OPEN = "open"
    AT_BANK = "at_bank"
    CHOOSING = "choosing"
    COMPLETE = "complete"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Action(StrEnum):
    """What moves a session."""

    SEND_TO_BANK = "send_to_bank"
    BANK_AGREED = "bank_agreed"
    BANK_REFUSED = "bank_refused"
    CHOOSE = "choose"
    CANCEL = "cancel"
    EXPIRE = "expire"


_ENDS: Final = (Status.COMPLETE, Status.CANCELED, Status.EXPIRED)
IN_PROGRESS: Final = (Status.OPEN, Status.AT_BANK, Status.CHOOSING)
MOVES: Final[dict[tuple[Status, Action], Status]] = {
    (Status.OPEN, Action.SEND_TO_BANK): Status.AT_BANK,
    (Status.AT_BANK, Action.SEND_TO_BANK): Status.AT_BANK,  # another bank, or once more from another tab
    (Status.AT_BANK, Action.BANK_AGREED): Status.CHOOSING,
    (Status.AT_BANK, Action.BANK_REFUSED): Status.OPEN,
    (Status.CHOOSING, Action.CHOOSE): Status.COMPLETE,
    **{(status, Action.CANCEL): Status.CANCELED for status in IN_PROGRESS},
    **{(status, Action.EXPIRE): Status.EXPIRED for status in IN_PROGRESS},
}


def move(status: str, action: Action) -> Status | None:
    """The status after `action`, or None when it is not possible from here."""
    return MOVES.get((Status(status), action))


def is_over(status: str) -> bool:
    """Whether nothing can happen any more."""
    return Status(status) in _ENDS
