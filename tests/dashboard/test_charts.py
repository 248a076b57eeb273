"""Charts and periods: whole numbers, nothing outside of the frame, and days of the reader's own time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from dashboard import charts, periods
from dashboard.charts import Series


def chart(*columns, labels=None, **more):
    series = [Series(f"S{place}", tone, values) for place, (tone, values) in enumerate(columns)]
    labels = labels or [f"L{place}" for place in range(len(columns[0][1]))]
    return charts.bar_chart("c", title="Calls", places="Hour", labels=labels, series=series, **more)


@pytest.mark.parametrize(("value", "top"), [
    (0, 2), (1, 2), (2, 2), (3, 10), (10, 10), (11, 20), (21, 50), (51, 100), (999, 1000), (1001, 2000), (7_654_321, 10_000_000),
])  # fmt: skip
def test_the_scale_ends_at_a_round_even_number(value, top):
    assert charts.ceiling(value) == top


@pytest.mark.parametrize("count", [1, 7, 24, 30])
def test_every_part_stays_in_the_frame_and_stands_on_the_one_below(count):
    made = chart(("good", [place * 97 for place in range(count)]), ("bad", [place % 3 for place in range(count)]))
    for bar in made.bars:
        below = charts.HEIGHT
        for part in bar.parts:
            assert 0 <= part.x <= charts.WIDTH - part.width
            assert part.y >= 0
            assert part.height >= 2
            assert part.y + part.height <= max(below, part.height)
            below = part.y


def test_the_smallest_value_leaves_a_mark_and_zero_leaves_none():
    made = chart(("good", [1_000_000, 1, 0]))
    assert [len(bar.parts) for bar in made.bars] == [1, 1, 0]
    assert made.bars[1].parts[0].height == 2


def test_the_drawing_says_its_figures_in_words_and_in_a_table():
    made = chart(("good", [3, 1200]), ("bad", [0, 4]), labels=["Monday", "Tuesday"])
    text = render_to_string("components/chart.html", {"chart": made})
    assert re.search(r'<svg[^>]* role="img" aria-labelledby="c-name c-text"><title id="c-name">Calls</title>', text)
    assert "1,207 in all, from Monday to Tuesday. The most was 1,204 at Tuesday." in text
    assert re.findall(r'<td class="number">([^<]+)</td>', text) == ["3", "0", "1,200", "4"]
    assert "<title>Tuesday: S0 1,200, S1 4</title>" in text
    assert "style=" not in text


def test_nothing_to_draw_is_said_and_not_drawn():
    text = render_to_string("components/chart.html", {"chart": chart(("good", [0, 0])), "nothing": "Nobody called."})
    assert "Nobody called." in text
    assert "<svg" not in text


def test_amounts_are_written_as_money():
    made = chart(("good", [2500, 0]), show=lambda minor: f"{minor / 100:.2f} EUR")
    assert made.total == "25.00 EUR"
    assert made.rows[0].values == ["25.00 EUR"]


# --- periods ----------------------------------------------------------------------------------------------------------

NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def test_a_day_is_cut_into_its_last_hours():
    period = periods.of("24h", now=NOON)
    assert (period.unit, len(period.starts)) == ("hour", 24)
    assert (period.since, period.starts[-1]) == (NOON - timedelta(hours=23, minutes=30), NOON.replace(minute=0))


@pytest.mark.parametrize(("asked", "days"), [("7d", 7), ("30d", 30), ("", 7), ("900d", 7)])
def test_longer_periods_are_days_and_unknown_ones_are_a_week(asked, days):
    period = periods.of(asked, now=NOON)
    assert (period.unit, len(period.starts)) == ("day", days)
    assert [choice.key for choice in period.choices if choice.is_current] == [
        asked if asked in periods.TITLES else "7d"
    ]


def test_days_begin_at_the_readers_midnight_also_when_clocks_change():
    """On 25 October 2026 clocks in Skopje went back: that day had 25 hours."""
    with timezone.override(ZoneInfo("Europe/Skopje")):
        period = periods.of("30d", now=datetime(2026, 11, 5, 23, 30, tzinfo=UTC))
    local = [start.astimezone(ZoneInfo("Europe/Skopje")) for start in period.starts]
    assert {start.hour for start in local} == {0}
    assert (str(local[-1].date()), period.zone_name) == ("2026-11-06", "Europe/Skopje")
    lengths = {str(first.date()): after.astimezone(UTC) - first.astimezone(UTC) for first, after in pairwise(local)}
    assert lengths["2026-10-25"] == timedelta(hours=25)
    assert set(lengths.values()) == {timedelta(hours=24), timedelta(hours=25)}
