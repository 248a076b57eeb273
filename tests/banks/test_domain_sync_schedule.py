"""When a bank is read next: within its limits, spread over the day, and later each time it is silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from banks.domain import sync_schedule
from connect.kit import ids

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("per_day", [1, 3, 4, 24, 0])
def test_a_day_has_as_many_slots_as_the_bank_allows_calls(per_day):
    connection, moment, slots = ids.new(), NOON.replace(hour=0) - timedelta(seconds=1), []
    while moment < NOON.replace(hour=0) + timedelta(days=1):
        moment = sync_schedule.next_slot(connection, calls_per_day=per_day, after=moment)
        slots.append(moment)
    inside = [slot for slot in slots if slot.date() == NOON.date()]
    assert len(inside) == max(1, per_day)
    assert len({later - earlier for earlier, later in pairwise(slots)}) == 1


def test_connections_are_spread_over_the_day():
    slots = [sync_schedule.next_slot(UUID(int=n * 7919), calls_per_day=4, after=NOON) for n in range(1, 2_000)]
    hours = {slot.hour for slot in slots}
    assert hours == set(range(12, 18))
    assert sync_schedule.next_slot(UUID(int=7919), calls_per_day=4, after=NOON) == slots[0]


def test_the_next_day_begins_with_its_first_slot():
    connection = UUID(int=3_600)
    found = sync_schedule.first_slot_tomorrow(connection, calls_per_day=4, now=NOON)
    assert found == NOON.replace(hour=1) + timedelta(days=1)


def test_waits_double_up_to_half_an_hour_and_are_not_the_same_for_all():
    first = [sync_schedule.retry(UUID(int=64), failures=n, now=NOON) - NOON for n in range(1, 9)]
    assert first == sorted(first)
    assert timedelta(seconds=45) <= first[0] <= timedelta(seconds=60)
    assert timedelta(minutes=22) <= first[-1] <= timedelta(minutes=30)
    assert len({sync_schedule.retry(UUID(int=n), failures=3, now=NOON) for n in range(50)}) == 50
