"""Usage adds up, by hour, route, key and class of status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connect.kit.tenancy import use_environment
from connect.models import UsageHour
from connect.selectors import usage as reads
from connect.services import limits, request_log_drain, request_logs

NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.fixture
def used(environment, captured, buffer):
    """Two drains over three hours, two routes, good and bad answers."""
    for offset, route, status, microseconds in [
        (0, "/v1/a", 200, 3_000), (1, "/v1/a", 201, 30_000), (2, "/v1/a", 429, 1_000), (3, "/v1/b", 500, 20_000_000),
    ]:  # fmt: skip
        request_logs.record(captured(
            environment, arrived=(NOON + timedelta(minutes=offset)).timestamp(), route=route, status=status,
            duration_us=microseconds,
        ))  # fmt: skip
    buffer.flush()
    request_log_drain.drain()
    request_logs.record(captured(environment, arrived=NOON.timestamp(), route="/v1/a", duration_us=4_000))
    request_logs.record(captured(environment, arrived=(NOON + timedelta(days=1)).timestamp(), route="/v1/a"))
    buffer.flush()
    request_log_drain.drain()
    return environment


def test_hours_add_up(used):
    """A second drain adds to the hour of the first, histogram included."""
    with use_environment(used):
        row = UsageHour.objects.get(hour=NOON.replace(minute=0), route="/v1/a", status_class=2)
    assert (row.requests, row.limited, row.duration_us) == (3, 0, 37_000)
    assert row.latency == [2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]


def test_totals(used):
    """By day, route and actor, with refusals and errors apart."""
    since, until = NOON - timedelta(days=2), NOON + timedelta(days=2)
    with use_environment(used):
        days = reads.by_day(since, until)
        routes = reads.by_route(since, until)
        (actor,) = reads.by_actor(since, until)
        assert len(reads.by_hour(since, until)) == 2
        assert reads.by_day(until, until + timedelta(days=1)) == []
    assert [(str(day.label), day.requests, day.refused, day.errors) for day in days] == [
        ("2026-11-20", 5, 1, 1), ("2026-11-21", 1, 0, 0),
    ]  # fmt: skip
    assert [(route.label, route.requests) for route in routes] == [("POST /v1/a", 5), ("POST /v1/b", 1)]
    assert (actor.label, actor.requests) == ("key_a", 6)
    assert routes[1].p95_ms == 10_000  # beyond the last bound


def test_month(used):
    """The month counts what the limiter let through: not the 429."""
    with use_environment(used):
        assert reads.month_total(NOON) == 5
        assert reads.month_total(NOON + timedelta(days=30)) == 0


def test_quota_is_restored_from_usage(environments, captured, buffer, monkeypatch):
    """A flushed Valkey does not give a month away: the next drain brings the counter back."""
    from dataclasses import replace

    from connect.kit import valkey
    from connect.selectors import environments as environment_reads

    live = replace(environments["acme/live"], tier="free")
    monkeypatch.setattr(environment_reads, "by_id", lambda identifier: live)
    for _ in range(3):
        request_logs.record(captured(live))
    buffer.flush()
    request_log_drain.drain()
    assert int(valkey.client().get(limits._month_key(live))) == 3


@pytest.mark.parametrize(("latency", "share", "expected"), [
    ([0] * 11, 0.5, None), ([10] + [0] * 10, 0.5, 2.5), ([0, 10] + [0] * 9, 1.0, 10.0), ([5, 5] + [0] * 9, 0.5, 5.0),
    ([0] * 10 + [1], 0.5, 10_000),
])  # fmt: skip
def test_quantiles(latency, share, expected):
    """Straight lines between the bounds."""
    assert reads.quantile_ms(latency, share) == expected
