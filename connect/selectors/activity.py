"""What went in and out of an environment over time, in one statement, from what is added up already."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from connect.kit.caller import Caller
from connect.selectors.usage import Moment, Unit


@dataclass(frozen=True, slots=True)
class Activity:
    """Both by the beginning of each hour or day in which there was something; deliveries by the state they are in."""

    requests: dict[datetime, Moment]
    deliveries: dict[datetime, Counter[str]]


def by_time(caller: Caller, since: datetime, until: datetime, *, unit: Unit, zone: str) -> Activity:
    """The environment's requests and the caller's deliveries. Days are those of the time zone; see `usage.moments`.

    `since` is the beginning of an hour or a day. Of the quarter of an hour that `until` is in, all deliveries count.
    """
    found = Activity({}, {})
    with connection.cursor() as cursor:
        # Deliveries are counted by quarters of an hour, which every time zone's days are made of.
        cursor.execute(
            "SELECT date_trunc(%(unit)s, at, %(zone)s), NULL, sum(requests)::bigint,"
            "  coalesce(sum(requests) FILTER (WHERE status_class = 4), 0)::bigint,"
            "  coalesce(sum(requests) FILTER (WHERE status_class = 5), 0)::bigint"
            " FROM (SELECT hour AS at, status_class, sum(requests) AS requests FROM connect_usage_hour"
            "   WHERE hour >= %(since)s AND hour < %(until)s GROUP BY 1, 2) hours GROUP BY 1"
            " UNION ALL SELECT date_trunc(%(unit)s, quarter, %(zone)s), state, sum(deliveries)::bigint, 0, 0"
            " FROM connect_webhook_delivery_count WHERE account_id = %(account)s"
            "   AND quarter >= %(since)s AND quarter < %(until)s GROUP BY 1, 2 HAVING sum(deliveries) <> 0",
            {
                "unit": unit, "zone": zone if unit == "day" else "UTC",
                "since": since, "until": until, "account": caller.account,
            },
        )  # fmt: skip
        for at, state, count, refused, errors in cursor.fetchall():
            if state is None:
                found.requests[at] = Moment(at, count, refused, errors)
            else:
                found.deliveries.setdefault(at, Counter())[state] = count
    return found
