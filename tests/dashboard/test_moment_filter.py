"""Moments on pages: in the zone of the page, to the minute for people, in UTC to the second for machines."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from dashboard.templatetags.moments import day, moment

SHOWN = '<time datetime="2026-11-03T14:05:09Z" title="2026-11-03T14:05:09Z">3 Nov 2026, 14:05 UTC</time>'


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC),
        datetime(2026, 11, 3, 15, 5, 9, tzinfo=timezone(timedelta(hours=1))),
        int(datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC).timestamp()),
    ],
)
def test_the_same_moment_looks_the_same_however_it_is_given(value):
    assert moment(value) == SHOWN


@pytest.mark.parametrize("value", [None, ""])
def test_no_moment_shows_nothing(value):
    assert moment(value) == ""


def test_the_epoch_is_a_moment():
    assert "1 Jan 1970, 00:00" in moment(0)


@pytest.mark.parametrize("value", [date(2026, 11, 3), "2026-11-03"])
def test_a_day_of_a_bank_has_no_hour_and_no_zone(value):
    assert day(value) == '<time datetime="2026-11-03">3 Nov 2026</time>'


@pytest.mark.parametrize("value", [None, ""])
def test_no_day_shows_nothing(value):
    assert day(value) == ""
