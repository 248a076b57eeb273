"""The life of a setup intent as one table, and the refusals that follow from it.

    requires_payment_method → requires_confirmation → (requires_action) → (processing) → succeeded   or canceled

Statuses, order and refusal texts are Stripe's: code written against Stripe matches on them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from payments.domain.errors import SetupIntentUnexpectedState


class Status(StrEnum):
    """What the intent waits for, or how it ended."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class Usage(StrEnum):
    """Whether the payer will be there when the payment method is charged later."""

    OFF_SESSION = "off_session"
    ON_SESSION = "on_session"


class CancellationReason(StrEnum):
    """Why an intent was canceled."""

    ABANDONED = "abandoned"
    DUPLICATE = "duplicate"
    REQUESTED_BY_CUSTOMER = "requested_by_customer"


class Action(StrEnum):
    """What can be done to an intent: the first three by a caller, the others by the system."""

    UPDATE = "update"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    AUTHENTICATE = "authenticate"  # the payer came back from the issuer's page
    RESOLVE = "resolve"  # the processor's answer


_ATTEMPTED: Final = frozenset(
    {Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_ACTION, Status.PROCESSING, Status.SUCCEEDED}
)
_OPEN: Final = frozenset({Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION})
_WAITING: Final = (Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION)

TRANSITIONS: Final[dict[Action, dict[Status, frozenset[Status]]]] = {
    Action.UPDATE: dict.fromkeys(_WAITING, _OPEN),
    Action.CONFIRM: dict.fromkeys(_WAITING, _ATTEMPTED),
    Action.CANCEL: dict.fromkeys(_WAITING, frozenset({Status.CANCELED})),
    Action.AUTHENTICATE: {Status.REQUIRES_ACTION: _ATTEMPTED},
    Action.RESOLVE: {Status.PROCESSING: _ATTEMPTED},
}
"""For each action: the statuses it may start from, in the order the refusal text lists them, and where it may lead."""

_REFUSALS: Final[dict[Action, tuple[str, str]]] = {
    Action.UPDATE: ("update", "updated"),
    Action.CONFIRM: ("confirm", "confirmed"),
    Action.CANCEL: ("cancel", "canceled"),
    Action.AUTHENTICATE: ("authenticate", "authenticated"),
    Action.RESOLVE: ("resolve", "resolved"),
}


def may(status: Status | str, action: Action) -> bool:
    """Whether `action` is possible from `status`."""
    return Status(status) in TRANSITIONS[action]


def refusal(status: Status | str, action: Action) -> str:
    """The text of the refusal of `action` in `status`."""
    verb, done = _REFUSALS[action]
    if status == Status.SUCCEEDED and action is not Action.CANCEL:
        return f"You cannot {verb} this SetupIntent because it has already succeeded."
    return (
        f"You cannot {verb} this SetupIntent because it has a status of {status}. Only a SetupIntent with one of the"
        f" following statuses may be {done}: {', '.join(TRANSITIONS[action])}."
    )


def require(status: Status | str, action: Action, intent: dict[str, Any] | None = None) -> None:
    """Let `action` pass, or raise `SetupIntentUnexpectedState` with the intent as the API shows it inside."""
    if may(status, action):
        return
    data: dict[str, Any] = {} if intent is None else {"setup_intent": intent}
    raise SetupIntentUnexpectedState(refusal(status, action), **data)


def move(status: Status | str, action: Action, target: Status) -> Status:
    """`target`, when `action` may lead there from `status`; a ValueError says our own code is wrong, not the caller."""
    if target not in TRANSITIONS[action].get(Status(status), frozenset()):
        raise ValueError(f"{action} does not lead from {status} to {target}")
    return target


def initial(*, has_payment_method: bool) -> Status:
    """The status a new intent starts in."""
    return Status.REQUIRES_CONFIRMATION if has_payment_method else Status.REQUIRES_PAYMENT_METHOD
