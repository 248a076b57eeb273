"""How figures become a word."""

from __future__ import annotations

import pytest

from banks.domain.failures import FailureKind
from banks.domain.health import LATENCY_MS, Figures, Outcome, Standing, bucket, outcome, percentile_ms, standing


def figures(successes=0, bank_errors=0, own_errors=0, slow=0):
    counts = [0] * (len(LATENCY_MS) + 1)
    counts[0], counts[-1] = successes + bank_errors + own_errors - slow, slow
    return Figures(successes, bank_errors, own_errors, tuple(counts))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (figures(), Standing.UNKNOWN),
        (figures(1), Standing.HEALTHY),
        (figures(3, 1), Standing.UNKNOWN),
        (figures(0, 4), Standing.UNKNOWN),
        (figures(100), Standing.HEALTHY),
        (figures(91, 9), Standing.HEALTHY),
        (figures(90, 10), Standing.DEGRADED),
        (figures(51, 49), Standing.DEGRADED),
        (figures(50, 50), Standing.DOWN),
        (figures(0, 5), Standing.DOWN),
        (figures(100, 0, 500), Standing.HEALTHY),
        (figures(0, 0, 500), Standing.UNKNOWN),
        (figures(100, slow=5), Standing.HEALTHY),
        (figures(100, slow=6), Standing.DEGRADED),
    ],
)
def test_the_word_for_figures(given, word):
    assert standing(given) is word
    assert standing(given, breaker_open=True) is Standing.DOWN


@pytest.mark.parametrize(("ms", "place"), [(0, 0), (50, 0), (50.1, 1), (12_800, 8), (12_801, 9), (1e9, 9)])
def test_buckets(ms, place):
    assert bucket(ms) == place


@pytest.mark.parametrize(
    ("counts", "ms"),
    [((), None), ((0, 0), None), ((100,), 50), ((95, 5), 50), ((94, 6), 100), ((0,) * 9 + (1,), 25_600)],
)
def test_the_95th_percentile_from_buckets(counts, ms):
    assert percentile_ms(counts) == ms


def test_figures_add_up():
    assert Figures(1, 2, 3, (1,)) + Figures(1, 0, 0, (0, 5)) == Figures(2, 2, 3, (1, 5))
    assert Figures() + Figures() == Figures()


def test_every_reason_speaks_about_somebody():
    assert {kind: outcome(kind) for kind in FailureKind if outcome(kind) is not Outcome.SUCCESS} == {
        FailureKind.INSTITUTION_DOWN: Outcome.BANK_ERROR,
        FailureKind.BAD_RESPONSE: Outcome.BANK_ERROR,
        FailureKind.CERTIFICATE_PROBLEM: Outcome.OWN_ERROR,
    }
    assert outcome(None) is Outcome.SUCCESS
