"""Times in which a bank was not healthy: noticed, told to everybody connected to it, and ended.

Every half minute `watch` asks the banks whose breakers are open whether they answer again, compares what was counted
with the thresholds of `banks.domain.health`, and writes what changed. An incident's `announced_at` is empty as long as
its last change is still to be told: so nothing is lost when a process dies, and at worst told twice. An environment
that cannot be told is logged; the others neither wait for it nor hear the same again because of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from banks.clients import breaker as breakers
from banks.clients.connector import ConnectorError
from banks.domain import health
from banks.domain.breaker import Breaker
from banks.domain.connection_state import Status
from banks.domain.errors import IncidentOver, IncidentRunning
from banks.domain.health import Figures, Standing
from banks.domain.institution_ids import PREFIX
from banks.domain.profiles import Operation
from banks.models import Connection, Institution, InstitutionIncident
from banks.selectors import institution_health, institutions
from banks.services import bank_calls
from connect.kit import clock, ids
from connect.kit.caller import Caller, EnvironmentRef
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.kit.tenancy import use_environment
from connect.selectors import sweeps
from connect.services import events
from connect.services.events import NewEvent

log = structlog.get_logger(__name__)

JUDGED: Final = timedelta(minutes=2 * health.WINDOW_MINUTES)
"""How far back calls decide whether a bank is healthy."""
PROBE_SECONDS: Final = 5.0
PROBES_MAX: Final = 5
"""In one run, so that a run ends before the next one begins even when none of the banks answers."""
_WORST: Final = (Standing.DOWN, Standing.DEGRADED, Standing.HEALTHY, Standing.UNKNOWN)
_CONNECTED: Final = (Status.ACTIVE, Status.LOGIN_REQUIRED)

Known = dict[tuple[str, Operation], Breaker]


def watch() -> int:
    """Probe, judge and tell; returns how many incidents began, changed or ended."""
    reachable = [row for row in Institution.objects.all() if institutions.profile(row) is not None]
    _probe(reachable, breakers.known(row.slug for row in reachable))
    changed = judge(reachable)
    announce()
    return changed


def judge(rows: Iterable[Institution]) -> int:
    """Open, change and end the incidents of these banks by what was counted; returns how many."""
    rows = list(rows)
    known = breakers.known(row.slug for row in rows)
    counted = institution_health.windows(clock.wall() - JUDGED)
    running = {row.institution_id: row for row in InstitutionIncident.objects.filter(ended_at=None)}
    changed = 0
    for row in rows:
        if row.id in running and running[row.id].by_staff:
            continue  # they know what no call shows, and end it themselves
        standings = [
            _standing(known.get((row.slug, operation)), counted.get((row.id, operation), [])) for operation in Operation
        ]
        changed += _note(row.id, next(word for word in _WORST if word in standings), running.get(row.id))
    return changed


def open_by_staff(*, institution_id: UUID, status: Standing, note: str) -> UUID:
    """Say that a bank is not healthy, whatever its calls show, until `resolve`. Whoever is connected to it is told.

    Raises `ResourceMissing` for an unknown bank, `ParameterInvalid` for a status that is no trouble, and
    `IncidentRunning` while the bank has one.
    """
    if status not in (Standing.DEGRADED, Standing.DOWN):
        raise ParameterInvalid("An incident is `degraded` or `down`.", param="status")
    if not Institution.objects.filter(pk=institution_id).exists():
        raise ResourceMissing(resource="banking.institution", id=ids.encode(PREFIX, institution_id), param="id")
    try:
        with transaction.atomic():
            row = InstitutionIncident.objects.create(
                id=ids.new(),
                institution_id=institution_id,
                status=status.value,
                began_at=clock.wall(),
                note=note.strip(),
                by_staff=True,
            )
    except IntegrityError:
        raise IncidentRunning from None
    log.warning("banks.incident_opened_by_staff", institution=str(institution_id), status=status.value)
    return row.id


def resolve(*, incident_id: UUID, note: str) -> None:
    """End an incident and keep what is told of it. While calls go on to fail, `judge` opens another one.

    Raises `ResourceMissing`, and `IncidentOver` when it has ended already.
    """
    with transaction.atomic():
        row = InstitutionIncident.objects.select_for_update().filter(pk=incident_id).first()
        if row is None:
            raise ResourceMissing(resource="incident", id=ids.encode("inc", incident_id), param="id")
        if row.ended_at is not None:
            raise IncidentOver
        row.ended_at, row.announced_at, row.note = clock.wall(), None, note.strip()
        row.save(update_fields=["ended_at", "announced_at", "note"])


def announce() -> int:
    """Tell every environment connected to a bank whose incident changed; returns how many events were written."""
    written = 0
    for incident in list(InstitutionIncident.objects.filter(announced_at=None).order_by("began_at")):
        row = institutions.by_id(incident.institution_id)
        if row is not None:
            statuses = ", ".join(f"'{status.value}'" for status in _CONNECTED)
            condition = f"institution_id = '{row.id}' AND status IN ({statuses})"
            told = [_told(found, row) for found in sweeps.environments_where("banks_connection", condition)]
            written += sum(count or 0 for count in told)
            if told and all(count is None for count in told):
                continue  # nobody heard of it, so nobody hears it twice when the next run tries again
        # What changed meanwhile is told by the next run: the row is taken only as it was read.
        InstitutionIncident.objects.filter(
            pk=incident.id, announced_at=None, status=incident.status, ended_at=incident.ended_at
        ).update(announced_at=clock.wall())
    return written


def _probe(rows: Iterable[Institution], known: Known) -> None:
    """Make the half-open calls that are due, so that no customer has to be the one who tries."""
    now = clock.wall().timestamp()
    due = [(row, operation) for row in rows for operation in Operation
           if (found := known.get((row.slug, operation))) and found.probe_is_due(now)]  # fmt: skip
    for row, operation in due[:PROBES_MAX]:
        try:
            bank_calls.ask(
                row,
                operation,
                lambda connector, bank: connector.probe(bank, deadline_seconds=PROBE_SECONDS),
                deadline_seconds=PROBE_SECONDS,
                present=False,
            )
        except ConnectorError as error:
            log.info("banks.probe_failed", bank=row.slug, operation=operation.value, kind=error.kind.value)


def _standing(known: Breaker | None, counted: list[tuple[datetime, Figures]]) -> Standing:
    """How one operation stands. After the breaker closed, only what was counted in later windows speaks."""
    since = None if known is None or known.closed_at is None else datetime.fromtimestamp(known.closed_at, UTC)
    figures = sum((part for begun, part in counted if since is None or begun > since), Figures())
    return health.standing(figures, breaker_open=known is not None and known.is_open())


def _note(institution_id: UUID, standing: Standing, running: InstitutionIncident | None) -> int:
    """Bring the bank's incident in line with how it stands; 1 when something changed."""
    now, is_well = clock.wall(), standing in (Standing.HEALTHY, Standing.UNKNOWN)
    if running is None:
        return 0 if is_well else _open(institution_id, standing, now)
    if is_well:
        fresh: dict[str, Any] = {"ended_at": now, "announced_at": None}
    elif running.status != standing.value:
        fresh = {"status": standing.value, "announced_at": None}
    else:
        return 0
    return InstitutionIncident.objects.filter(pk=running.id, ended_at=None).update(**fresh)


def _open(institution_id: UUID, standing: Standing, now: datetime) -> int:
    try:
        with transaction.atomic():
            InstitutionIncident.objects.create(
                id=ids.new(), institution_id=institution_id, status=standing.value, began_at=now
            )
    except IntegrityError:  # another worker was faster: there is one at a time
        return 0
    log.warning("banks.incident_began", institution=str(institution_id), status=standing.value)
    return 1


def _told(environment: EnvironmentRef, row: Institution) -> int | None:
    """How many events the environment got; None when it could not be told."""
    try:
        return _tell(environment, row)
    except Exception:
        log.exception("banks.incident_not_told", bank=row.slug, environment=environment.short_id)
        return None


def _tell(environment: EnvironmentRef, row: Institution) -> int:
    """Publish how the bank stands to each account of the environment that is connected to it."""
    caller = Caller.system(environment, "banks.watch_health")
    with use_environment(environment):
        connected = Connection.objects.filter(institution_id=row.id, status__in=[known.value for known in _CONNECTED])
        accounts = list(connected.values_list("account_id", flat=True).distinct())
        status = institution_health.statuses([row.id])[row.id]
        payload = institutions.shape(caller, row, status)
        for account in accounts:
            events.publish(replace(caller, account=account), NewEvent("banking.institution.status_changed", payload))
    return len(accounts)
