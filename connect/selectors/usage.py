"""Reads of usage, inside `use_environment`. Months, and days unless a zone is named, are those of UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from django.db import connection

from connect.kit import ids
from connect.kit.metrics import LATENCY_BUCKETS
from connect.models import ApiClient, ApiKey
from connect.selectors.api_keys import PREFIX as KEY_PREFIX

Unit = Literal["hour", "day"]
_SLOTS: Final = len(LATENCY_BUCKETS) + 1


@dataclass(frozen=True, slots=True)
class Total:
    """Requests of one day, route, actor or class of status. `label` names it; `errors` are 5xx, `refused` 4xx.

    Percentiles are estimates from the histogram `latency`, None without requests.
    """

    label: Any
    requests: int
    refused: int
    errors: int
    duration_us: int
    latency: tuple[int, ...]

    @property
    def mean_ms(self) -> float:
        """The mean time to answer."""
        return round(self.duration_us / self.requests / 1000, 1) if self.requests else 0.0

    @property
    def p50_ms(self) -> float | None:
        """Half of the requests took no longer."""
        return quantile_ms(self.latency, 0.5)

    @property
    def p95_ms(self) -> float | None:
        """All but the slowest twentieth took no longer."""
        return quantile_ms(self.latency, 0.95)

    @property
    def p99_ms(self) -> float | None:
        """All but the slowest hundredth took no longer."""
        return quantile_ms(self.latency, 0.99)


@dataclass(frozen=True, slots=True)
class Moment:
    """What was asked in the hour or day that began `at`; `refused` are 4xx, `errors` 5xx."""

    at: datetime
    requests: int
    refused: int
    errors: int


def by_day(since: datetime, until: datetime) -> list[Total]:
    """A total for each day with requests, oldest first; labels are dates."""
    return sorted(_totals("(hour AT TIME ZONE 'UTC')::date", since, until), key=_label)


def by_hour(since: datetime, until: datetime) -> list[Total]:
    """A total for each hour with requests, oldest first; labels are moments."""
    return sorted(_totals("hour", since, until), key=_label)


def by_route(since: datetime, until: datetime) -> list[Total]:
    """A total for each method and route, the most used first."""
    return _totals("method || ' ' || coalesce(nullif(route, ''), 'unknown address')", since, until)


def by_actor(since: datetime, until: datetime) -> list[Total]:
    """A total for each key or client, the most active first; labels are public ids."""
    return _totals("actor_id", since, until)


def by_status(since: datetime, until: datetime) -> list[Total]:
    """A total for each class of status, lowest first; labels are such as `2xx`."""
    return sorted(_totals("status_class || 'xx'", since, until), key=_label)


def together(label: str, totals: Iterable[Total]) -> Total:
    """All of these as one."""
    known = list(totals)
    return Total(
        label,
        sum(total.requests for total in known),
        sum(total.refused for total in known),
        sum(total.errors for total in known),
        sum(total.duration_us for total in known),
        tuple(sum(counts) for counts in zip(*(total.latency for total in known), strict=True)) or (0,) * _SLOTS,
    )


def moments(since: datetime, until: datetime, unit: Unit, zone: str = "UTC") -> dict[datetime, Moment]:
    """What was asked in each hour or day with requests, by its beginning; days are those of the time zone.

    Usage is kept by hours of UTC: where a zone is half an hour off, its days begin with the hour that midnight is in.
    """
    begins = "hour" if unit == "hour" else "date_trunc('day', hour, %(zone)s)"
    with connection.cursor() as cursor:
        # By hours first: to find the day of every single row in a time zone would take as long as to add them up.
        cursor.execute(
            f"SELECT {begins} AS at, sum(requests)::bigint, sum(refused)::bigint, sum(errors)::bigint"  # noqa: S608 - ours
            " FROM (SELECT hour, sum(requests) AS requests,"
            "   coalesce(sum(requests) FILTER (WHERE status_class = 4), 0) AS refused,"
            "   coalesce(sum(requests) FILTER (WHERE status_class = 5), 0) AS errors"
            "   FROM connect_usage_hour WHERE hour >= %(since)s AND hour < %(until)s GROUP BY 1) hours GROUP BY 1",
            {"zone": zone, "since": since, "until": until},
        )
        return {row[0]: Moment(*row) for row in cursor.fetchall()}


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


def is_key(actor_id: str) -> bool:
    """Whether the actor of a total is an API key; every other one is an app."""
    return ids.decode(KEY_PREFIX, actor_id) is not None


def names(actor_ids: Iterable[str]) -> Mapping[str, str]:
    """What keys and apps are called, by the id that usage knows them under; an unknown one is absent."""
    keys = {ids.lookup(KEY_PREFIX, actor): actor for actor in actor_ids if is_key(actor)}
    apps = [actor for actor in actor_ids if not is_key(actor)]
    found = dict(ApiKey.objects.filter(pk__in=keys).values_list("id", "name")) if keys else {}
    named = {keys[identifier]: name for identifier, name in found.items()}
    if apps:
        named.update(ApiClient.objects.filter(client_id__in=apps).values_list("client_id", "name"))
    return named


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
    sums = ", ".join(f"sum(latency[{n}])::bigint" for n in range(1, _SLOTS + 1))
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
    return Total(label, requests, refused, errors, duration_us, tuple(latency))


def _label(total: Total) -> Any:
    return total.label
