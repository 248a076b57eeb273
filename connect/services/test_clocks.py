"""Test clocks: create, advance, delete. Test environments only.

Advancing comes in three steps, as everything that takes longer than a transaction: `begin_advance` commits where the
clock has to go, `advance` moves it there, from one due moment to the next and each in transactions of its own, and
`shown` answers. What a dying process leaves half-way is moved on by the job, `advance_stuck`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from connect.domain import errors, retention
from connect.kit import clock, ids, timed_work
from connect.kit.caller import Caller
from connect.kit.clock import Clock
from connect.kit.errors import LockTimeout, ParameterInvalid, ResourceMissing
from connect.kit.outcomes import Waiting
from connect.kit.tenancy import use_environment
from connect.models import TestClock
from connect.services import audit, events
from connect.services.events import NewEvent
from connect.shapes import test_clocks as shapes
from connect.shapes.test_clocks import PREFIX, DeletedTestClockOut, TestClockOut

ADVANCE_SECONDS: Final = 15.0
"""How long a request moves a clock by itself; the rest is left to the job."""
BATCH: Final = 20
"""How many clocks one run of a job moves on or deletes."""
LEASE_SECONDS: Final = 60
"""Renewed at every step: after this long without one, somebody else may move the clock on."""
_KEPT: Final = retention.TEST_CLOCKS.kept or timedelta()
_AHEAD_MAX: Final = timedelta(days=2 * 366)
_Status = TestClock.Status
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Advance:
    """What `advance` needs: plain values only."""

    caller: Caller
    clock_id: UUID


def create(
    caller: Caller, *, frozen_time: datetime, name: str | None = None, applies_to: str = "customers"
) -> TestClockOut:
    """Make a clock that stands at `frozen_time`. Publishes `test_helpers.test_clock.created`.

    With `applies_to="environment"` everything without a clock of its own lives by it, from the next request on; an
    environment has one at most. Raises `ClocksInLive` and `EnvironmentClockExists`.
    """
    if caller.livemode:
        raise errors.ClocksInLive
    now = clock.wall()
    row = TestClock(
        account_id=caller.account,
        name=name,
        for_environment=applies_to == "environment",
        frozen_time=frozen_time,
        created_at=now,
        deletes_after=now + _KEPT,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise errors.EnvironmentClockExists(param="applies_to") from error
    _publish(caller, row, "created")
    made = _shape(caller, row)
    audit.record_person(caller, action="test_clock.created", target=made.id, applies_to=applies_to)
    return made


def begin_advance(caller: Caller, *, clock_id: str, frozen_time: datetime) -> Waiting:
    """Commit where the clock has to go. Publishes `test_helpers.test_clock.advancing`.

    Raises `ResourceMissing`, `ParameterInvalid` for a time that is not ahead of the clock's, or more than two years
    ahead, and `LockTimeout` while it is advancing already.
    """
    row = _locked(caller, clock_id)
    if row.status == _Status.ADVANCING:
        raise LockTimeout
    if frozen_time <= row.frozen_time:
        raise ParameterInvalid(
            f"A test clock only moves forwards: frozen_time must be later than {clock.unix(row.frozen_time)}.",
            param="frozen_time",
        )
    if frozen_time > row.frozen_time + _AHEAD_MAX:
        raise ParameterInvalid(
            "A test clock moves at most two years at a time. Advance it in several steps.", param="frozen_time"
        )
    row.status, row.target_time, row.lease_until = _Status.ADVANCING, frozen_time, _lease()
    row.save()
    _publish(caller, row, "advancing")
    audit.record_person(caller, action="test_clock.advanced", target=clock_id, to=frozen_time.isoformat())
    return _waiting(caller, row)


def resume(caller: Caller, clock_id: str) -> TestClockOut | Waiting:
    """Take up a request to advance whose answer never came: the clock is where it should be, or has to move on."""
    row = _locked(caller, clock_id)
    if row.status == _Status.ADVANCING and row.lease_until and row.lease_until < clock.wall():
        row.lease_until = _lease()
        row.save()
        return _waiting(caller, row)
    return _shape(caller, row)


def advance(waiting: Waiting) -> None:
    """Move the clock to its target: do what is due where it stands, go to the next moment something is due, and so on.

    Runs outside of any transaction. Publishes `test_helpers.test_clock.ready`, or `….internal_failure` when a piece of
    work failed; the failure is logged, and the clock can be advanced again.
    """
    call: Advance = waiting.call
    until = time.monotonic() + ADVANCE_SECONDS
    try:
        while time.monotonic() < until and _step(call):
            pass
    except Exception:
        log.exception("test_clock_failed", clock=waiting.resume)
        with use_environment(call.caller.environment):
            row = TestClock.objects.select_for_update().get(pk=call.clock_id)
            if row.status == _Status.ADVANCING:
                row.status, row.lease_until = _Status.INTERNAL_FAILURE, None
                row.save()
                _publish(call.caller, row, "internal_failure")


def shown(caller: Caller, waiting: Waiting, _: None) -> TestClockOut:
    """The clock after it was advanced."""
    return _shape(caller, TestClock.objects.get(pk=waiting.call.clock_id))


def advance_stuck(caller: Caller) -> int:
    """Move on the advancing clocks that nobody moves any more, at most `BATCH`. Returns how many.

    Each is taken when its turn comes: a lease taken for all would be over before the last one is moved.
    """
    for moved in range(BATCH):
        with use_environment(caller.environment):
            row = (
                TestClock.objects.select_for_update(skip_locked=True)
                .filter(status=_Status.ADVANCING, lease_until__lt=clock.wall(), deleted_at=None)
                .order_by("lease_until")
                .first()
            )
            if row is None:
                return moved
            row.lease_until = _lease()
            row.save()
        advance(_waiting(replace(caller, account=row.account_id), row))
    return BATCH


def delete(caller: Caller, *, clock_id: str) -> DeletedTestClockOut:
    """Delete a clock and the customers that live by it; what they paid stays, and its time stands still.

    Publishes `test_helpers.test_clock.deleted`. Raises `ResourceMissing`.
    """
    _delete(caller, _locked(caller, clock_id))
    audit.record_person(caller, action="test_clock.deleted", target=clock_id)
    return DeletedTestClockOut(id=clock_id)


def delete_old(caller: Caller) -> int:
    """Delete clocks whose `deletes_after` has passed, at most `BATCH`. Returns how many."""
    due = TestClock.objects.select_for_update(skip_locked=True).filter(deleted_at=None, deletes_after__lt=clock.wall())
    rows = list(due.order_by("deletes_after")[:BATCH])
    for row in rows:
        _delete(replace(caller, account=row.account_id), row)
    return len(rows)


# --- one step ---------------------------------------------------------------------------------------------------------


def _step(call: Advance) -> bool:
    """Do what is due at the moment the clock stands at, then move it on. Returns whether it has further to go."""
    with use_environment(call.caller.environment):
        row = TestClock.objects.get(pk=call.clock_id)
        if row.status != _Status.ADVANCING:
            return False
    caller = replace(call.caller, clock=Clock(frozen_at=row.frozen_time))
    whose = None if row.for_environment else row.id
    for work in timed_work.every():
        work.run(caller, whose)
    with use_environment(call.caller.environment):
        row = TestClock.objects.select_for_update().get(pk=call.clock_id)
        if row.status != _Status.ADVANCING or row.target_time is None:
            return False
        if row.frozen_time != caller.clock.frozen_at:
            return True  # somebody else moved it: what is due where it stands now comes first
        moments = [work.next_at(caller, whose, row.frozen_time) for work in timed_work.every()]
        following = min((moment for moment in moments if moment and moment <= row.target_time), default=None)
        if following is None and row.frozen_time == row.target_time:
            row.status, row.target_time, row.lease_until = _Status.READY, None, None
            row.save()
            _publish(caller, row, "ready")
            return False
        row.frozen_time, row.lease_until = following or row.target_time, _lease()
        row.save()
    return True


def _delete(caller: Caller, row: TestClock) -> None:
    row.deleted_at = clock.wall()
    row.status, row.target_time, row.lease_until = _Status.READY, None, None
    row.save()
    if not row.for_environment:
        for work in timed_work.every():
            if work.clock_deleted is not None:
                work.clock_deleted(caller, row.id)
    _publish(caller, row, "deleted")


def _locked(caller: Caller, clock_id: str) -> TestClock:
    row = TestClock.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, clock_id), lock=True)
    if row is None or row.deleted_at is not None:
        raise ResourceMissing(resource="test_clock", id=clock_id, param="test_clock")
    return row


def _waiting(caller: Caller, row: TestClock) -> Waiting:
    return Waiting(resume=ids.encode(PREFIX, row.id), call=Advance(caller, row.id))


def _lease() -> datetime:
    return clock.wall() + timedelta(seconds=LEASE_SECONDS)


def _publish(caller: Caller, row: TestClock, what: str) -> None:
    events.publish(caller, NewEvent(f"test_helpers.test_clock.{what}", _shape(caller, row)))


def _shape(caller: Caller, row: TestClock) -> TestClockOut:
    return shapes.render(row, livemode=caller.livemode)
