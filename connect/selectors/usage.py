"""Reads of usage, inside `use_environment`. Days and months are those of UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from connect.kit.metrics import LATENCY_BUCKETS


@dataclass(frozen=True, slots=True)
class Total:
    """Requests of one day, route or actor. `label` names it; `errors` are 5xx, `refused` 4xx; `p50_ms` and `p95_ms` are
    estimates from the histogram, None without requests.
    """

    label: Any
    requests: int
    refused: int
    errors: int
    mean_ms: float
    p50_ms: float | None
    p95_ms: float | None


def by_day(since: datetime, until: datetime) -> list[Total]:
    """A total for each day with requests, oldest first; labels are dates."""
    return sorted(_totals("(hour AT TIME ZONE 'UTC')::date", since, until), key=_day)


def by_hour(since: datetime, until: datetime) -> list[Total]:
    """A total for each hour with requests, oldest first; labels are moments."""
    return sorted(_totals("hour", since, until), key=_day)


def by_route(since: datetime, until: datetime) -> list[Total]:
    """A total for each method and route, the most used first."""
    return _totals("method || ' ' || coalesce(nullif(route, ''), 'unknown address')", since, until)


def by_actor(since: datetime, until: datetime) -> list[Total]:
    """A total for each key or client, the most active first; labels are public ids."""
    return _totals("actor_id", since, until)


def month_total(at: datetime) -> int:
    """Requests of the calendar month of `at` that count against the quota: all that the limiter let through."""
    first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(requests - limited), 0) FROM connect_usage_hour"
            " WHERE hour >= %s AND hour < %s + interval '1 month'",
            [first, first],
        )
        return int(cursor.fetchone()[0])


def quantile_ms(latency: Sequence[int], share: float) -> float | None:
    """The time in milliseconds that `share` (0 to 1) of the requests did not exceed, straight lines drawn between the
    bounds; None without requests. Beyond the last bound it answers that bound.
    """
    wanted, below, lower = sum(latency) * share, 0, 0.0
    if not any(latency):
        return None
    for count, upper in zip(latency, LATENCY_BUCKETS, strict=False):
        if count and below + count >= wanted:
            return round(1000 * (lower + (upper - lower) * (wanted - below) / count), 1)
        below, lower = below + count, upper
    return 1000 * LATENCY_BUCKETS[-1]


def _totals(label: str, since: datetime, until: datetime) -> list[Total]:
    sums = ", ".join(f"sum(latency[{n}])::bigint" for n in range(1, len(LATENCY_BUCKETS) + 2))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {label} AS label, sum(requests)::bigint,"  # noqa: S608 - the labels above are ours
            "  coalesce(sum(requests) FILTER (WHERE status_class = 4), 0)::bigint,"
            "  coalesce(sum(requests) FILTER (WHERE status_class = 5), 0)::bigint,"
            f" sum(duration_us)::bigint, {sums}"
            " FROM connect_usage_hour WHERE hour >= %s AND hour < %s GROUP BY 1 ORDER BY 2 DESC, 1",
            [since, until],
        )
        return [_total(row) for row in cursor.fetchall()]


def _total(row: Sequence[Any]) -> Total:
    label, requests, refused, errors, duration_us, *latency = row
    mean = round(duration_us / requests / 1000, 1)
    return Total(label, requests, refused, errors, mean, quantile_ms(latency, 0.5), quantile_ms(latency, 0.95))


def _day(total: Total) -> date:
    moment: date = total.label
    return moment
