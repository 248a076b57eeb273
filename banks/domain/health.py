"""How a bank is doing, in one word, and the figures the word is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from banks.domain.failures import MEANINGS, FailureKind

WINDOW_MINUTES: Final = 5
"""How much time one row of figures covers."""
LATENCY_MS: Final = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800)
"""Upper bounds of the latency buckets in milliseconds; one more bucket holds what took longer."""
CALLS_MIN: Final = 5
"""Fewer answered or unanswered calls say nothing about a bank."""
DEGRADED_SHARE: Final = 0.10
DOWN_SHARE: Final = 0.50
DEGRADED_P95_MS: Final = 6_400


class Standing(StrEnum):
    """`unknown`: nobody has called the bank lately."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """Whom a call's end speaks about."""

    SUCCESS = "success"
    BANK_ERROR = "bank_error"
    OWN_ERROR = "own_error"


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of calls. `latency_counts` are calls by bucket of `LATENCY_MS`; the last has the slower ones."""

    successes: int = 0
    bank_errors: int = 0
    own_errors: int = 0
    latency_counts: tuple[int, ...] = ()

    @property
    def calls(self) -> int:
        """The calls that say something about the bank: our own errors do not."""
        return self.successes + self.bank_errors

    @property
    def failed_share(self) -> float:
        """How many of those the bank failed, between 0 and 1."""
        return self.bank_errors / self.calls if self.calls else 0.0

    def __add__(self, other: Figures) -> Figures:
        longest = max(len(self.latency_counts), len(other.latency_counts))
        mine, theirs = (
            (*counts, *[0] * (longest - len(counts))) for counts in (self.latency_counts, other.latency_counts)
        )
        return Figures(
            self.successes + other.successes,
            self.bank_errors + other.bank_errors,
            self.own_errors + other.own_errors,
            tuple(one + two for one, two in zip(mine, theirs, strict=True)),
        )


def outcome(failure: FailureKind | None) -> Outcome:
    """Whom a call's end speaks about: a bank that refuses for good reason has answered."""
    if failure is None:
        return Outcome.SUCCESS
    meaning = MEANINGS[failure]
    if meaning.blames_bank:
        return Outcome.BANK_ERROR
    return Outcome.OWN_ERROR if meaning.is_ours else Outcome.SUCCESS


def bucket(milliseconds: float) -> int:
    """The position of the bucket that a call of this length belongs to, from 0 on."""
    return next((place for place, bound in enumerate(LATENCY_MS) if milliseconds <= bound), len(LATENCY_MS))


def percentile_ms(counts: Sequence[int], share: float = 0.95) -> int | None:
    """The bucket's bound below which `share` of the calls stayed; None without calls.

    Twice the last bound stands for the bucket without one.
    """
    total = sum(counts)
    if not total:
        return None
    seen = 0
    for place, count in enumerate(counts):
        seen += count
        if seen >= total * share:
            return LATENCY_MS[place] if place < len(LATENCY_MS) else 2 * LATENCY_MS[-1]
    raise AssertionError("the last bucket ends the list")


def standing(figures: Figures, *, breaker_open: bool = False) -> Standing:
    """The word for these figures. An open breaker is `down` whatever the figures say: nothing is sent."""
    if breaker_open:
        return Standing.DOWN
    if figures.calls < CALLS_MIN:
        return Standing.HEALTHY if figures.successes and not figures.bank_errors else Standing.UNKNOWN
    if figures.failed_share >= DOWN_SHARE:
        return Standing.DOWN
    p95 = percentile_ms(figures.latency_counts)
    slow = p95 is not None and p95 > DEGRADED_P95_MS
    return Standing.DEGRADED if slow or figures.failed_share >= DEGRADED_SHARE else Standing.HEALTHY
