"""Volume: what succeeded, by hour or day, straight from the charges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import connection

from connect.kit import clock, ids
from connect.kit.caller import Caller


@dataclass(frozen=True, slots=True)
class Volume:
    """Payments of one currency; `taken_minor` is what was captured, refunds not taken off."""

    payments: int = 0
    taken_minor: int = 0


def by_time(
    caller: Caller, since: datetime, until: datetime, *, unit: Literal["hour", "day"], zone: str
) -> Mapping[str, Mapping[datetime, Volume]]:
    """By currency, and in it by the beginning of each hour or day (of the time zone) with payments.

    The currency with the most payments comes first. Moments are those of business: where a test clock tells the time,
    a payment counts when the clock says it was made.
    """
    found: dict[str, dict[datetime, Volume]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency, date_trunc(%(unit)s, created_at, %(zone)s), count(*), sum(amount_captured_minor)::bigint"
            " FROM payments_charge WHERE account_id = %(account)s AND id >= %(first)s AND captured"
            " AND status = 'succeeded' AND created_at >= %(since)s AND created_at <= %(until)s GROUP BY 1, 2",
            {
                "unit": unit, "zone": zone if unit == "day" else "UTC", "account": caller.account,
                "first": _first(since, until), "since": since, "until": until,
            },
        )  # fmt: skip
        for currency, at, payments, taken_minor in cursor.fetchall():
            found.setdefault(currency, {})[at] = Volume(payments, taken_minor)
    ordered = sorted(found, key=lambda currency: (-sum(each.payments for each in found[currency].values()), currency))
    return {currency: found[currency] for currency in ordered}


def _first(since: datetime, until: datetime) -> UUID:
    """The least id that is looked at: it keeps years of charges out of the question.

    Ids are drawn by wall time, which may be far from a test clock's; a period reaches as far back by both.
    """
    return ids.first_at(min(since, clock.wall() - (until - since)))
