"""The life of a payment that a customer's bank makes at our request, and what each of the bank's words means.

The words are those of ISO 20022 (`TransactionStatus`). Money counts as moved only when the bank says that it settled:
`ACSC` on the payer's side or `ACCC` on the payee's. Accepted (`ACTC`, `ACSP`) is a promise; promises are not posted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where the payment stands."""

    CREATED = "created"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


FINAL: Final = (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)
BY_BANK_STATUS: Final[dict[str, Status]] = {
    "RCVD": Status.REQUIRES_ACTION, "PDNG": Status.PROCESSING, "PATC": Status.REQUIRES_ACTION,
    "ACTC": Status.PROCESSING, "ACCP": Status.PROCESSING, "ACFC": Status.PROCESSING, "ACWC": Status.PROCESSING,
    "ACWP": Status.PROCESSING, "ACSP": Status.PROCESSING, "ACSC": Status.SUCCEEDED, "ACCC": Status.SUCCEEDED,
    "RJCT": Status.FAILED, "CANC": Status.CANCELED,
}  # fmt: skip


def of_bank_status(code: str) -> Status:
    """Our status for the bank's word; a word that is not known is a payment under way, never an end."""
    return BY_BANK_STATUS.get(code, Status.PROCESSING)
