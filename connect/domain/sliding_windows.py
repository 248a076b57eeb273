"""Sliding windows: how much may be on its way to one endpoint at once, so that a slow one holds up only itself.

A window holds what was claimed and not yet begun, and counts what is under way. It grows while the endpoint answers and
halves when it keeps us waiting, so a dead endpoint soon occupies one place instead of eight. How much is claimed ahead
follows from how fast the endpoint was in the last second: a lease must not end while its delivery waits in here.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

PLACES_FIRST: Final = 4
PLACES_MAX: Final = 8
AHEAD_MAX: Final = 2_000

Item = TypeVar("Item")


class SlidingWindow(Generic[Item]):
    """One endpoint's. Moments are seconds of any clock that only goes forward. Not for several threads.

    `per_second` bounds how many deliveries begin in a second; 0 is no bound.
    """

    def __init__(self, *, per_second: float = 0) -> None:
        self.places = PLACES_FIRST
        self.under_way = 0
        self.waiting: deque[Item] = deque()
        self.exhausted = False
        """Whether the last claim found less than there was room for, and nobody has said since that there is more."""
        self._interval = 1 / per_second if per_second else 0.0
        self._next_begin = 0.0
        self._second = 0
        self._done_now = self._done_before = 0

    @property
    def empty(self) -> bool:
        """Nothing waits and nothing is under way."""
        return not self.waiting and not self.under_way

    def room(self, now: float) -> int:
        """How many more deliveries to claim."""
        self._turn_to(now)
        ahead = min(max(self._done_now, self._done_before), AHEAD_MAX)
        return max(0, self.places + ahead - self.under_way - len(self.waiting))

    def wait(self, now: float) -> float | None:
        """Seconds until the next delivery may begin; None while that depends on one under way, or nothing waits."""
        if not self.waiting or self.under_way >= self.places:
            return None
        return max(0.0, self._next_begin - now)

    def begin(self, now: float) -> Item:
        """Take the next delivery; only when `wait` is 0."""
        self._next_begin = max(now, self._next_begin) + self._interval
        self.under_way += 1
        return self.waiting.popleft()

    def end(self, now: float, *, patient: bool) -> None:
        """A delivery ended. `patient` says that it was answered, no matter what, and did not keep us waiting."""
        self._turn_to(now)
        self.under_way -= 1
        if patient:
            self._done_now += 1
            self.places = min(PLACES_MAX, self.places + 1)
        else:
            self.places = max(1, self.places // 2)

    def drop(self) -> list[Item]:
        """Take out all that waits."""
        dropped = list(self.waiting)
        self.waiting.clear()
        return dropped

    def _turn_to(self, now: float) -> None:
        second = int(now)
        if second != self._second:
            self._done_before = self._done_now if second == self._second + 1 else 0
            self._second, self._done_now = second, 0
