"""Usage: adds up the requests that the request log brings, in the transaction that brings them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import connection

from connect.kit import ids
from connect.kit.clock import from_unix
from connect.kit.metrics import LATENCY_BUCKETS
from connect.services.request_logs import Record

BOUNDS_US: Final = tuple(int(bound * 1_000_000) for bound in LATENCY_BUCKETS)

_UPSERT: Final = """
INSERT INTO connect_usage_hour
       (id, hour, method, route, actor_id, status_class, requests, limited, duration_us, latency)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (hour, method, route, actor_id, status_class) DO UPDATE SET
    requests = connect_usage_hour.requests + excluded.requests,
    limited = connect_usage_hour.limited + excluded.limited,
    duration_us = connect_usage_hour.duration_us + excluded.duration_us,
    latency = ARRAY(SELECT a + b FROM unnest(connect_usage_hour.latency, excluded.latency) WITH ORDINALITY AS t(a, b, n)
                    ORDER BY n)
"""

Key = tuple[datetime, str, str, str, int]


def add(records: Iterable[Record]) -> None:
    """Add records to the hours they arrived in. Inside `use_environment`, once for each record."""
    sums: dict[Key, tuple[int, int, int, list[int]]] = {}
    for record in records:
        hour = from_unix(int(record.arrived)).replace(minute=0, second=0)
        key = (hour, record.method, record.route, record.actor_id, record.status // 100)
        requests, limited, duration, latency = sums.get(key) or (0, 0, 0, [0] * (len(BOUNDS_US) + 1))
        latency[bisect_left(BOUNDS_US, record.duration_us)] += 1
        sums[key] = (requests + 1, limited + (record.status == 429), duration + record.duration_us, latency)
    # Sorted, so that two drains lock rows in the same order.
    rows = [(ids.new(), *key, *sums[key]) for key in sorted(sums)]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_UPSERT, rows)
