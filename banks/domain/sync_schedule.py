"""When a bank is read next: spread over the day, within what it allows, and later each time it does not answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

_DAY_SECONDS: Final = 86_400
RETRY_FIRST: Final = timedelta(minutes=1)
RETRY_MAX: Final = timedelta(minutes=30)
"""No longer than a breaker stays open: who waits for the bank learns of its recovery from its first probe."""


def next_slot(connection_id: UUID, *, calls_per_day: int, after: datetime) -> datetime:
    """The connection's next moment later than `after`. It has one in each of the day's `calls_per_day` equal parts, at
    a place in it that follows from its id; days begin at midnight UTC.
    """
    part = _DAY_SECONDS // max(1, calls_per_day)
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    place = connection_id.int % part
    passed = (after - midnight).total_seconds() - place
    number = int(passed // part) + 1 if passed >= 0 else 0
    if number >= max(1, calls_per_day):
        return midnight + timedelta(days=1, seconds=place)
    return midnight + timedelta(seconds=place + number * part)


def first_slot_tomorrow(connection_id: UUID, *, calls_per_day: int, now: datetime) -> datetime:
    """The first moment of the next day, when the bank counts anew."""
    last_second = now.replace(hour=23, minute=59, second=59, microsecond=0)
    return next_slot(connection_id, calls_per_day=calls_per_day, after=max(now, last_second))


def retry(connection_id: UUID, *, failures: int, now: datetime) -> datetime:
    """When a bank that did not answer for the `failures`th time in a row (from 1) is asked again.

    The wait doubles up to `RETRY_MAX`; connections of one bank do not come back all at once.
    """
    wait = min(RETRY_FIRST * 2 ** min(failures - 1, 10), RETRY_MAX)
    return now + wait * (0.75 + (connection_id.int + failures) % 64 / 256)
