"""Two clocks. Wall time is for security and order; business time is what a test clock may move.

Wall: credentials, leases, signatures, UUIDv7, ledger `created_at`.
Business: an object's `created`, `effective_at`, `available_on` and expiries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

_environment: ContextVar[datetime | None] = ContextVar("environment_frozen_at", default=None)


def wall() -> datetime:
    """Now, aware and in UTC, as the machine has it."""
    return datetime.now(UTC)


def unix(moment: datetime) -> int:
    """Whole seconds since 1970, as every timestamp of the API is written."""
    return int(moment.timestamp())


def from_unix(seconds: int) -> datetime:
    """The aware UTC moment of a Unix timestamp in seconds."""
    return datetime.fromtimestamp(seconds, UTC)


@contextmanager
def environment_at(moment: datetime | None) -> Iterator[None]:
    """While an environment is open: where its own test clock stands, or None when it has none. For `tenancy` only."""
    token = _environment.set(moment)
    try:
        yield
    finally:
        _environment.reset(token)


@dataclass(frozen=True, slots=True)
class Clock:
    """What a caller carries. `frozen_at` is where the test clock of the customer at hand stands, if there is one."""

    frozen_at: datetime | None = None

    def wall(self) -> datetime:
        """Now by the machine."""
        return wall()

    def business(self) -> datetime:
        """Now for business rules: by the customer's test clock, else by the open environment's, else wall time."""
        return self.frozen_at or _environment.get() or wall()
