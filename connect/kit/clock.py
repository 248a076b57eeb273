"""Two clocks. Wall time is for security and order; business time is what a test clock may move.

Wall: credentials, leases, signatures, UUIDv7, ledger `created_at`.
Business: an object's `created`, `effective_at`, `available_on` and expiries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


def wall() -> datetime:
    """Now, aware and in UTC, as the machine has it."""
    return datetime.now(UTC)


def unix(moment: datetime) -> int:
    """Whole seconds since 1970, as every timestamp of the API is written."""
    return int(moment.timestamp())


def from_unix(seconds: int) -> datetime:
    """The aware UTC moment of a Unix timestamp in seconds."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """What a caller carries. `frozen_at` is the environment's test clock; None follows wall time."""

    frozen_at: datetime | None = None

    def wall(self) -> datetime:
        """Now by the machine."""
        return wall()

    def business(self, test_clock_at: datetime | None = None) -> datetime:
        """Now for business rules: the customer's test clock if given, else the environment's, else wall time."""
        return test_clock_at or self.frozen_at or wall()
