"""When a delivery is tried again: the schedule of Standard Webhooks, the receiver's own wishes, and when to give up.

Only 2xx is success. A redirect is a failure like any other, because whoever controls it could send us anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long to wait before each attempt, the first one included: ten attempts over a good three days."""
JITTER: Final = 0.1
"""A wait is longer or shorter by up to this part of itself: what failed together does not come back together."""
RETRY_AFTER_MAX: Final = timedelta(hours=24)
PAUSE_MAX: Final = timedelta(hours=1)
"""How long a whole endpoint is left alone at most because one of its answers said so."""

GONE: Final = 410
_OVERLOADED: Final = frozenset({429, 502, 503, 504})
_SECONDS_DIGITS_MAX: Final = 9

State = Literal["pending", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an attempt. `gone` asks to disable the endpoint, `pause_until` to leave all of it alone."""

    state: State
    next_attempt_at: datetime | None = None
    gone: bool = False
    pause_until: datetime | None = None


def decide(*, status: int | None, headers: Mapping[str, str], failures: int, now: datetime, jitter: float) -> Decision:
    """What follows from an answer, or from none (`status` None).

    `failures` are those of the series before this attempt. `jitter` is drawn by the caller from -1 to 1. `headers` have
    lower-case names. A `Retry-After` can only make the wait longer, and is capped.
    """
    if status is not None and 200 <= status < 300:
        return Decision("succeeded")
    if status == GONE:
        return Decision("failed", gone=True)
    asked = retry_after(headers.get("retry-after", ""), now) if status is not None else None
    pause = None
    if status in _OVERLOADED:
        pause = now + min(asked if asked is not None else DELAYS[1], PAUSE_MAX)
    wait = delay(failures + 1, jitter)
    if wait is None:
        return Decision("failed", pause_until=pause)
    return Decision("pending", now + max(wait, asked or timedelta()), pause_until=pause)


def delay(failures: int, jitter: float) -> timedelta | None:
    """How long to wait after this many failures, or None when it was the last. `jitter` is -1 to 1."""
    if failures >= len(DELAYS):
        return None
    return DELAYS[failures] * (1 + JITTER * max(-1.0, min(1.0, jitter)))


def retry_after(value: str, now: datetime) -> timedelta | None:
    """The wait that a `Retry-After` header asks for, as seconds or as a date, at most `RETRY_AFTER_MAX`.

    None for what cannot be read; a date that has passed asks for no wait.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        wait = RETRY_AFTER_MAX if len(text) > _SECONDS_DIGITS_MAX else timedelta(seconds=int(text))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError, OverflowError):
            return None
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), RETRY_AFTER_MAX)
