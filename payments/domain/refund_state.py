"""The life of a refund as one table.

    pending → succeeded (→ failed, when the payer's bank sends it back)
    requires_action ↗   or failed, or canceled

A refund takes its amount out of the balance when it comes into being, and `failed` and `canceled` put it back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where the money is."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Reason(StrEnum):
    """Why money was returned, as the caller says."""

    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    REQUESTED_BY_CUSTOMER = "requested_by_customer"


_UNDECIDED: Final = frozenset({Status.PENDING, Status.REQUIRES_ACTION})

TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    Status.PENDING: _UNDECIDED | {Status.SUCCEEDED, Status.FAILED, Status.CANCELED},
    Status.REQUIRES_ACTION: _UNDECIDED | {Status.SUCCEEDED, Status.FAILED, Status.CANCELED},
    Status.SUCCEEDED: frozenset({Status.SUCCEEDED, Status.FAILED}),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
}
"""Where each status may lead."""

CANCELABLE: Final = (Status.PENDING, Status.REQUIRES_ACTION)
"""Statuses in which a refund may still be stopped, in the order the refusal lists them."""

FAILURE_REASONS: Final = frozenset(
    {
        "charge_for_pending_refund_disputed", "declined", "expired_or_canceled_card", "insufficient_funds",
        "lost_or_stolen_card", "merchant_request",
    }
)  # fmt: skip
"""Reasons of a failure that are passed on; any other is `unknown`."""


def move(status: Status | str, target: Status) -> Status:
    """`target`, when it may follow `status`; a ValueError says our own code is wrong, not the caller."""
    if target not in TRANSITIONS[Status(status)]:
        raise ValueError(f"a refund does not go from {status} to {target}")
    return target


def is_returned(status: Status | str) -> bool:
    """Whether the money is back in the balance."""
    return status in (Status.FAILED, Status.CANCELED)


def failure_reason(code: str | None) -> str:
    """The `failure_reason` for what a processor said."""
    return code if code in FAILURE_REASONS else "unknown"
