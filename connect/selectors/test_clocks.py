"""Test clocks as they are read, and the time they tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.clock import Clock
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from connect.kit.pages import Page, require_cursor, slice_rows
from connect.models import TestClock
from connect.shapes import test_clocks as shapes
from connect.shapes.test_clocks import PREFIX, TestClockOut


def at(caller: Caller, clock_id: UUID | None) -> Caller:
    """The caller, living by a customer's test clock; unchanged when `clock_id` is None. A deleted clock stands still.

    Ask anew in every transaction: the clock may have been moved.
    """
    if clock_id is None:
        return caller
    frozen = TestClock.objects.values_list("frozen_time", flat=True).get(pk=clock_id)
    return replace(caller, clock=Clock(frozen_at=frozen))


def require_for_customers(caller: Caller, clock_id: str) -> UUID:
    """The UUID of a clock that a new customer may live by. Raises `MissingParameterTarget`."""
    row = TestClock.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, clock_id))
    if row is None or row.deleted_at is not None or row.for_environment:
        raise MissingParameterTarget(resource="test_clock", id=clock_id, param="test_clock")
    return row.id


def get(caller: Caller, clock_id: str) -> TestClockOut:
    """The caller's clock. Raises `ResourceMissing`, also for a deleted one."""
    row = TestClock.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, clock_id))
    if row is None or row.deleted_at is not None:
        raise ResourceMissing(resource="test_clock", id=clock_id, param="id")
    return shapes.render(row, livemode=caller.livemode)


def page(caller: Caller, page: Page) -> tuple[list[TestClockOut], bool]:
    """A page of the caller's clocks, newest first, and whether there are more."""
    conditions = {"account_id": caller.account, "deleted_at": None}
    require_cursor(page, PREFIX, lambda identifier: TestClock.objects.filter(**conditions, pk=identifier).exists())
    found, has_more = slice_rows(TestClock.objects.page(page, conditions), page)
    return [shapes.render(row, livemode=caller.livemode) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, TestClockOut]:
    """Many at once, for expanding."""
    rows = TestClock.objects.filter(account_id=caller.account, pk__in=identifiers, deleted_at=None)
    return {row.id: shapes.render(row, livemode=caller.livemode) for row in rows}
