"""How banks are doing: every call is counted, and what the counts say becomes incidents and events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import Error, connection

from banks.domain import health
from banks.domain.health import Outcome
from banks.domain.profiles import Operation
from banks.models import InstitutionHealth
from connect.domain import retention
from connect.kit import clock, ids

log = structlog.get_logger(__name__)

_COUNT: Final = """
INSERT INTO banks_catalog_institution_health AS known
  (id, institution_id, operation, window_start, successes, bank_errors, own_errors, latency_counts)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (institution_id, operation, window_start) DO UPDATE SET
  successes = known.successes + excluded.successes,
  bank_errors = known.bank_errors + excluded.bank_errors,
  own_errors = known.own_errors + excluded.own_errors,
  latency_counts[%s] = known.latency_counts[%s] + 1
"""


def record(institution_id: UUID, operation: Operation, outcome: Outcome, *, milliseconds: float) -> None:
    """Count one call in its window, in one statement of its own, outside any environment's transaction.

    A figure that cannot be written is lost and logged: the bank's answer is worth more than the count of it.
    """
    place = health.bucket(milliseconds)
    counts = [int(place == each) for each in range(len(health.LATENCY_MS) + 1)]
    values = [
        ids.new(), institution_id, operation.value, window(clock.wall()),
        int(outcome is Outcome.SUCCESS), int(outcome is Outcome.BANK_ERROR), int(outcome is Outcome.OWN_ERROR),
        counts, place + 1, place + 1,
    ]  # fmt: skip
    try:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, values)
    except Error as error:
        log.warning("banks.health.not_counted", institution=str(institution_id), error=repr(error))


def window(moment: datetime) -> datetime:
    """Where the window that holds `moment` begins."""
    into = timedelta(minutes=moment.minute % health.WINDOW_MINUTES, seconds=moment.second)
    return (moment - into).replace(microsecond=0)


def prune() -> int:
    """Delete figures that were kept long enough; returns how many windows."""
    kept = retention.BANK_HEALTH.kept
    assert kept is not None
    deleted, _ = InstitutionHealth.objects.filter(window_start__lt=clock.wall() - kept).delete()
    return deleted
