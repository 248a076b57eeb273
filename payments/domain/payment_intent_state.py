"""The life of a payment intent as one table, and the refusals that follow from it.

    requires_payment_method → requires_confirmation → (requires_action) → (processing) → succeeded
                                                                       ↘ requires_capture ↗  or canceled

Statuses, order and refusal texts are Stripe's: code written against Stripe matches on them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from payments.domain.errors import PaymentIntentUnexpectedState


class Status(StrEnum):
    """What the intent waits for, or how it ended."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class CaptureMethod(StrEnum):
    """`manual` holds the amount until `capture`; the other two take it at confirmation."""

    AUTOMATIC = "automatic"
    AUTOMATIC_ASYNC = "automatic_async"
    MANUAL = "manual"


class ConfirmationMethod(StrEnum):
    """`manual` comes back to `requires_confirmation` after authentication; `automatic` goes on by itself."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class CancellationReason(StrEnum):
    """Why an intent was canceled. The first four are a caller's, the others are set by the system only."""

    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    REQUESTED_BY_CUSTOMER = "requested_by_customer"
    ABANDONED = "abandoned"
    AUTOMATIC = "automatic"
    EXPIRED = "expired"
    FAILED_INVOICE = "failed_invoice"
    VOID_INVOICE = "void_invoice"


CALLER_CANCELLATION_REASONS: Final = (
    CancellationReason.DUPLICATE,
    CancellationReason.FRAUDULENT,
    CancellationReason.REQUESTED_BY_CUSTOMER,
    CancellationReason.ABANDONED,
)
"""Reasons a request to cancel may give."""


class Action(StrEnum):
    """What can be done to an intent: the first five by a caller, the others by the system."""

    UPDATE = "update"  # the fields that decide the payment: amount, currency, customer, payment method
    CONFIRM = "confirm"
    CAPTURE = "capture"
    INCREMENT = "increment"  # hold more than was authorized
    CANCEL = "cancel"
    AUTHENTICATE = "authenticate"  # the payer came back from the issuer's page
    RESOLVE = "resolve"  # the processor's late answer to an attempt that was left open
    EXPIRE = "expire"  # the hold ran out


TERMINAL: Final = frozenset({Status.SUCCEEDED, Status.CANCELED})
"""Statuses nothing leads out of."""

_ATTEMPTED: Final = frozenset(
    {
        Status.REQUIRES_PAYMENT_METHOD,
        Status.REQUIRES_ACTION,
        Status.PROCESSING,
        Status.REQUIRES_CAPTURE,
        Status.SUCCEEDED,
    }
)
_OPEN: Final = frozenset({Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION})
_CANCELED: Final = frozenset({Status.CANCELED})

TRANSITIONS: Final[dict[Action, dict[Status, frozenset[Status]]]] = {
    Action.UPDATE: {
        Status.REQUIRES_PAYMENT_METHOD: _OPEN,
        Status.REQUIRES_CONFIRMATION: _OPEN,
        Status.REQUIRES_ACTION: _OPEN,
    },
    Action.CONFIRM: {
        Status.REQUIRES_PAYMENT_METHOD: _ATTEMPTED,
        Status.REQUIRES_CONFIRMATION: _ATTEMPTED,
        Status.REQUIRES_ACTION: _ATTEMPTED,
    },
    Action.CAPTURE: {Status.REQUIRES_CAPTURE: frozenset({Status.REQUIRES_CAPTURE, Status.SUCCEEDED, Status.CANCELED})},
    Action.INCREMENT: {Status.REQUIRES_CAPTURE: frozenset({Status.REQUIRES_CAPTURE})},
    Action.CANCEL: {
        Status.REQUIRES_PAYMENT_METHOD: _CANCELED,
        Status.REQUIRES_CAPTURE: _CANCELED,
        Status.REQUIRES_CONFIRMATION: _CANCELED,
        Status.REQUIRES_ACTION: _CANCELED,
        Status.PROCESSING: _CANCELED,
    },
    Action.AUTHENTICATE: {Status.REQUIRES_ACTION: _ATTEMPTED | {Status.REQUIRES_CONFIRMATION}},
    Action.RESOLVE: {Status.PROCESSING: _ATTEMPTED},
    Action.EXPIRE: {Status.REQUIRES_CAPTURE: frozenset({Status.CANCELED, Status.SUCCEEDED})},
}
"""For each action: the statuses it may start from, in the order the refusal text lists them, and where it may lead.

Canceling from `processing` is allowed here because some methods can be stopped; a service must first hear from the
processor that the open attempt can move no money. A capture leads to `canceled` when it finds the hold expired.
"""

_REFUSALS: Final[dict[Action, str]] = {
    Action.CONFIRM: (
        "You cannot confirm this PaymentIntent because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses may be confirmed: {allowed}."
    ),
    Action.CAPTURE: (
        "This PaymentIntent could not be captured because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses may be captured: {allowed}."
    ),
    Action.INCREMENT: (
        "This PaymentIntent's authorization could not be incremented because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses may be incremented: {allowed}."
    ),
    Action.CANCEL: (
        "You cannot cancel this PaymentIntent because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses may be canceled: {allowed}."
    ),
    Action.UPDATE: (
        "This PaymentIntent's {param} could not be updated because it has a status of {status}. You may only update the"
        " {param} of a PaymentIntent with one of the following statuses: {allowed}."
    ),
    Action.AUTHENTICATE: (
        "This PaymentIntent could not be authenticated because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses may be authenticated: {allowed}."
    ),
    Action.RESOLVE: (
        "The outcome of this PaymentIntent could not be recorded because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses waits for an outcome: {allowed}."
    ),
    Action.EXPIRE: (
        "This PaymentIntent could not be expired because it has a status of {status}."
        " Only a PaymentIntent with one of the following statuses may be expired: {allowed}."
    ),
}
_ALREADY_SUCCEEDED: Final = (
    "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
)


def may(status: Status | str, action: Action) -> bool:
    """Whether `action` is possible from `status`."""
    return Status(status) in TRANSITIONS[action]


def refusal(status: Status | str, action: Action, *, param: str = "amount") -> str:
    """The text of the refusal of `action` in `status`; `param` is the parameter a refused update names."""
    if action is Action.CONFIRM and status == Status.SUCCEEDED:
        return _ALREADY_SUCCEEDED
    return _REFUSALS[action].format(status=str(status), allowed=", ".join(TRANSITIONS[action]), param=param)


def require(
    status: Status | str, action: Action, intent: dict[str, Any] | None = None, *, param: str | None = None
) -> None:
    """Let `action` pass, or raise `PaymentIntentUnexpectedState`.

    `intent` is the intent as the API shows it; it travels in the error, so that the caller need not ask again.
    `param` names the parameter of a refused update.
    """
    if may(status, action):
        return
    data = {} if intent is None else {"payment_intent": intent}
    raise PaymentIntentUnexpectedState(refusal(status, action, param=param or "amount"), param=param, **data)


def move(status: Status | str, action: Action, target: Status) -> Status:
    """`target`, when `action` may lead there from `status`; a ValueError says our own code is wrong, not the caller."""
    reachable = TRANSITIONS[action].get(Status(status), frozenset())
    if target not in reachable:
        raise ValueError(f"{action} does not lead from {status} to {target}")
    return target


def initial(*, has_payment_method: bool) -> Status:
    """The status a new intent starts in."""
    return Status.REQUIRES_CONFIRMATION if has_payment_method else Status.REQUIRES_PAYMENT_METHOD


def after_approval(capture_method: CaptureMethod | str) -> Status:
    """Where a processor's approval leads: held for `manual`, else taken."""
    return Status.REQUIRES_CAPTURE if capture_method == CaptureMethod.MANUAL else Status.SUCCEEDED
