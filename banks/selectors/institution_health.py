"""How banks are doing, from the incidents that are going on and the calls of the last hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Value

from banks.domain.health import Figures, Standing
from banks.domain.profiles import Operation
from banks.models import InstitutionHealth, InstitutionIncident
from connect.kit import clock

WINDOW: Final = timedelta(hours=24)
"""How far back calls speak for a bank; without one in this time nothing is known."""


def statuses(institution_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """For each bank how it is doing: by its open incident, else healthy when calls of the last day say so."""
    found = dict.fromkeys(institution_ids, Standing.UNKNOWN)
    since = clock.wall() - WINDOW
    heard = InstitutionHealth.objects.filter(
        institution_id__in=institution_ids, window_start__gte=since, successes__gt=0
    ).values_list("institution_id", Value(Standing.HEALTHY.value))
    incidents = InstitutionIncident.objects.filter(institution_id__in=institution_ids, ended_at=None)
    known = heard.union(incidents.values_list("institution_id", "status"))
    # An incident says more than calls that succeeded: it comes last, so that it stays.
    for identifier, status in sorted(known, key=lambda row: row[1] != Standing.HEALTHY):
        found[identifier] = Standing(status)
    return found


def windows(since: datetime) -> dict[tuple[UUID, Operation], list[tuple[datetime, Figures]]]:
    """What was counted from `since` on, by bank and operation: each window's beginning and its figures."""
    found: dict[tuple[UUID, Operation], list[tuple[datetime, Figures]]] = {}
    for row in InstitutionHealth.objects.filter(window_start__gte=since).order_by("window_start"):
        figures = Figures(row.successes, row.bank_errors, row.own_errors, tuple(row.latency_counts))
        found.setdefault((row.institution_id, Operation(row.operation)), []).append((row.window_start, figures))
    return found
