"""How banks have been doing, in figures: by operation, by hour, and their incidents, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from banks.domain.health import CALLS_MIN, Figures, Standing, percentile_ms, standing
from banks.domain.profiles import SANDBOX, Operation
from banks.models import Institution, InstitutionHealth, InstitutionIncident
from banks.selectors import institution_health, institutions
from connect.kit import clock

HOURS: Final = 24
RECENT: Final = timedelta(minutes=30)
INCIDENT_DAYS: Final = 30
INCIDENTS_MAX: Final = 50
_FROM_BEST: Final = (Standing.UNKNOWN, Standing.HEALTHY, Standing.DEGRADED, Standing.DOWN)


@dataclass(frozen=True, slots=True)
class OperationFigures:
    """The calls of one operation in the last `HOURS`. Our own faults do not count against the bank.

    `recent` are those of the last `RECENT`: where they are enough to judge by, they say how it is now.
    """

    operation: Operation
    figures: Figures
    recent: Figures

    @property
    def success_percent(self) -> float | None:
        """Of the calls that speak about the bank; rounded down to a tenth, so that 100 means every call."""
        calls = self.figures.calls
        return self.figures.successes * 1000 // calls / 10 if calls else None

    @property
    def p95_ms(self) -> int | None:
        """All but the slowest twentieth of the calls were this fast, to the bound of a bucket."""
        return percentile_ms(self.figures.latency_counts)

    @property
    def standing(self) -> Standing:
        """In one word."""
        return standing(self.recent if self.recent.calls >= CALLS_MIN else self.figures)


_NEVER_CALLED: Final = [OperationFigures(operation, Figures(), Figures()) for operation in Operation]


@dataclass(frozen=True, slots=True)
class Hour:
    """The calls of one hour, all operations together."""

    begins_at: datetime
    successes: int
    bank_errors: int


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which a bank was not healthy; `ended_at` None is still going on."""

    bank: str
    standing: Standing
    began_at: datetime
    ended_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class BankLine:
    """One bank of the status page. `is_sandbox` marks the one that comes with the product."""

    name: str
    country: str
    standing: Standing
    operations: list[OperationFigures]
    is_sandbox: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The status page: banks that can be linked here or were called lately, and how many others the catalogue has."""

    banks: list[BankLine]
    others: int
    incidents: list[Incident]
    made_at: datetime

    @property
    def troubled(self) -> int:
        """How many banks are not as they should be now."""
        return sum(bank.standing in (Standing.DEGRADED, Standing.DOWN) for bank in self.banks)


def operations(institution_id: UUID) -> list[OperationFigures]:
    """Every operation of a bank, in a fixed order, with the calls of the last `HOURS`."""
    return _by_bank(_windows([institution_id])).get(institution_id, _NEVER_CALLED)


def hours(institution_id: UUID) -> list[Hour]:
    """The last `HOURS` hours, oldest first; the last one is still going on."""
    this_hour = clock.wall().replace(minute=0, second=0, microsecond=0)
    begins = [this_hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    counted = {moment: [0, 0] for moment in begins}
    for row in _windows([institution_id]):
        hour = counted.get(row.window_start.replace(minute=0, second=0, microsecond=0))
        if hour is not None:
            hour[0] += row.successes
            hour[1] += row.bank_errors
    return [Hour(moment, *counted[moment]) for moment in begins]


def incidents(institution_id: UUID | None = None) -> list[Incident]:
    """What went on in the last `INCIDENT_DAYS`, newest first: of one bank, or of all that are shown."""
    since = clock.wall() - timedelta(days=INCIDENT_DAYS)
    rows = InstitutionIncident.objects.exclude(ended_at__lt=since)
    if institution_id is not None:
        rows = rows.filter(institution_id=institution_id)
    found = list(rows.order_by("-began_at")[:INCIDENTS_MAX])
    banks = Institution.objects.filter(pk__in={row.institution_id for row in found}, is_enabled=True)
    names = dict(banks.values_list("id", "name"))
    if institution_id is not None:
        names.setdefault(institution_id, "")
    return [
        Incident(names[row.institution_id], Standing(row.status), row.began_at, row.ended_at, row.note)
        for row in found
        if row.institution_id in names
    ]


def board() -> Board:
    """The status page as it is now. Public rows only: no environment is open, and none is needed."""
    enabled = list(Institution.objects.filter(is_enabled=True))
    figures = _by_bank(_windows([row.id for row in enabled]))
    standings = institution_health.statuses([row.id for row in enabled])
    shown = [
        row
        for row in enabled
        if row.id in figures or standings[row.id] != Standing.UNKNOWN or institutions.profile(row) is not None
    ]
    lines = []
    for row in sorted(shown, key=lambda row: (row.slug == SANDBOX, row.name)):
        called = figures.get(row.id, _NEVER_CALLED)
        lines.append(BankLine(row.name, row.country, _worst(standings[row.id], called), called, row.slug == SANDBOX))
    return Board(lines, len(enabled) - len(shown), incidents(), clock.wall())


def _worst(known: Standing, called: Sequence[OperationFigures]) -> Standing:
    """A bank is no better than its worst operation, also in the minutes before an incident is opened for it."""
    return max((known, *(each.standing for each in called)), key=_FROM_BEST.index)


def _windows(institution_ids: Sequence[UUID]) -> list[Any]:
    since = clock.wall() - timedelta(hours=HOURS)
    return list(InstitutionHealth.objects.filter(institution_id__in=institution_ids, window_start__gte=since))


def _by_bank(windows: Iterable[Any]) -> dict[UUID, list[OperationFigures]]:
    """The figures of every operation, for the banks that were called at all."""
    day: dict[UUID, dict[str, Figures]] = {}
    recent: dict[tuple[UUID, str], Figures] = {}
    since = clock.wall() - RECENT
    for row in windows:
        held, key = day.setdefault(row.institution_id, {}), (row.institution_id, row.operation)
        figures = Figures(row.successes, row.bank_errors, row.own_errors, tuple(row.latency_counts))
        held[row.operation] = held.get(row.operation, Figures()) + figures
        if row.window_start >= since:
            recent[key] = recent.get(key, Figures()) + figures
    return {
        bank: [
            OperationFigures(operation, held.get(operation, Figures()), recent.get((bank, operation), Figures()))
            for operation in Operation
        ]
        for bank, held in day.items()
    }
