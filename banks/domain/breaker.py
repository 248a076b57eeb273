"""When a bank is left in peace: the rules of a circuit breaker, as plain values that any process can keep and compare.

One breaker stands for one operation of one bank. It is *closed* while calls go through; it *opens* when half of at
least ten calls within a minute failed, or five in a row. While it is open nothing is sent. After a minute one call, the
*probe*, may try: when it succeeds the breaker is closed, when it fails the pause doubles, up to half an hour.

A bank that hangs must not hold every process either, so the calls under way at once are bounded, whatever became of
those before. Times are seconds since 1970; a permit that is never given back runs out by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

WINDOW_SECONDS: Final = 60
SLICE_SECONDS: Final = 10
CALLS_MIN: Final = 10
FAILED_SHARE: Final = 0.5
FAILURES_IN_A_ROW: Final = 5
PAUSE_SECONDS: Final = 60
PAUSE_MAX_SECONDS: Final = 1800
AT_ONCE: Final = 8
"""Unattended calls under way at one time. With a customer before the screen there is room for `AT_ONCE_PRESENT`."""
AT_ONCE_PRESENT: Final = 12
GRACE_SECONDS: Final = 2.0
"""How much longer than its deadline a permit counts."""


class Answer(StrEnum):
    """What became of the question whether a call may be made."""

    GO = "go"
    OPEN = "open"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Slice:
    """What became of the calls that ended in the ten seconds from `start` on."""

    start: int
    calls: int
    failures: int


@dataclass(frozen=True, slots=True)
class Permit:
    """A call under way; after `until` nobody waits for it any more."""

    id: str
    until: float
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a bank's operation. `open_until` None means closed; `pauses` is how often it opened in a row.

    `closed_at` is when it closed again last: what was counted before then no longer speaks about the bank.
    """

    slices: tuple[Slice, ...] = ()
    in_a_row: int = 0
    open_until: float | None = None
    pauses: int = 0
    closed_at: float | None = None
    permits: tuple[Permit, ...] = ()

    def is_open(self) -> bool:
        """Whether calls are refused until a probe has succeeded."""
        return self.open_until is not None

    def probe_is_due(self, now: float) -> bool:
        """Whether the next call would be the probe."""
        return self.open_until is not None and now >= self.open_until and not _probing(self, now)

    def wait_seconds(self, now: float) -> float:
        """How long until a call has a chance; 0 while closed."""
        if self.open_until is None:
            return 0.0
        probes = [permit.until for permit in self.permits if permit.is_probe]
        return max(0.0, max([self.open_until, *probes]) - now)


CLOSED: Final = Breaker()


def admit(
    breaker: Breaker, now: float, *, permit_id: str, deadline_seconds: float, present: bool
) -> tuple[Breaker, Answer]:
    """May a call be made? With `GO` the permit is held until `record` or until the deadline has passed."""
    current = replace(breaker, permits=tuple(permit for permit in breaker.permits if permit.until > now))
    if current.is_open() and not current.probe_is_due(now):
        return current, Answer.OPEN
    if len(current.permits) >= (AT_ONCE_PRESENT if present else AT_ONCE) and not current.is_open():
        return current, Answer.BUSY
    permit = Permit(permit_id, now + deadline_seconds + GRACE_SECONDS, is_probe=current.is_open())
    return replace(current, permits=(*current.permits, permit)), Answer.GO


def record(breaker: Breaker, now: float, *, permit_id: str, failed: bool) -> Breaker:
    """What follows from a call's end. While the breaker is open only the probe decides; stragglers change nothing."""
    held = next((permit for permit in breaker.permits if permit.id == permit_id), None)
    current = replace(breaker, permits=tuple(permit for permit in breaker.permits if permit is not held))
    if current.is_open():
        if held is None or not held.is_probe:
            return current
        if failed:
            return _opened(current, now)
        # The pauses are not forgotten yet: only a success after this one shows that the bank is well again.
        return replace(CLOSED, pauses=current.pauses, permits=current.permits, closed_at=now)
    slices = _counted(current.slices, now, failed=failed)
    current = replace(
        current,
        slices=slices,
        in_a_row=current.in_a_row + 1 if failed else 0,
        pauses=current.pauses if failed else 0,
    )
    return _opened(current, now) if failed and _is_failing(current) else current


def pause_seconds(pauses: int) -> int:
    """How long the breaker stays open when it opened `pauses` times in a row."""
    return int(min(PAUSE_SECONDS * 2 ** min(pauses - 1, 10), PAUSE_MAX_SECONDS))


def _opened(breaker: Breaker, now: float) -> Breaker:
    pauses = breaker.pauses + 1
    return Breaker(open_until=now + pause_seconds(pauses), pauses=pauses, permits=breaker.permits)


def _probing(breaker: Breaker, now: float) -> bool:
    return any(permit.is_probe and permit.until > now for permit in breaker.permits)


def _is_failing(breaker: Breaker) -> bool:
    calls = sum(part.calls for part in breaker.slices)
    failures = sum(part.failures for part in breaker.slices)
    return breaker.in_a_row >= FAILURES_IN_A_ROW or (calls >= CALLS_MIN and failures >= calls * FAILED_SHARE)


def _counted(slices: tuple[Slice, ...], now: float, *, failed: bool) -> tuple[Slice, ...]:
    start = int(now) // SLICE_SECONDS * SLICE_SECONDS
    kept = [part for part in slices if now - WINDOW_SECONDS < part.start and part.start != start]
    last = next((part for part in slices if part.start == start), Slice(start, 0, 0))
    return (*kept, Slice(start, last.calls + 1, last.failures + failed))
