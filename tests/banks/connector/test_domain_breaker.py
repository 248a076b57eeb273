"""The breaker's rules, as tables, and kept by many processes at once."""

from __future__ import annotations

import threading

import pytest

from banks.clients import breaker as store
from banks.domain.breaker import (
    AT_ONCE,
    AT_ONCE_PRESENT,
    CLOSED,
    GRACE_SECONDS,
    Answer,
    admit,
    pause_seconds,
    record,
)
from banks.domain.profiles import Operation
from connect.kit import valkey


def played(calls, start=1_000.0, every=1.0, breaker=CLOSED):
    """The breaker after calls that end one after another: `.` answered, `x` failed."""
    now = start
    for number, sign in enumerate(calls):
        breaker, answer = admit(breaker, now, permit_id=str(number), deadline_seconds=5, present=False)
        if answer is Answer.GO:
            breaker = record(breaker, now, permit_id=str(number), failed=sign == "x")
        now += every
    return breaker


@pytest.mark.parametrize(
    ("calls", "is_open"),
    [
        ("xxxx", False), ("xxxxx", True), ("xxxx.x", False), ("xx.xx.x", False), ("xx.xx.xx.", False),
        ("xx.xx.xx.x", True), ("x.x.x.x.x.", False), (".x.x.x.x.x", True), (".x.x.x.x..", False), ("." * 50 + "xxxx", False),
        ("." * 50 + "xxxxx", True), ("", False),
    ],
)  # fmt: skip
def test_when_it_opens(calls, is_open):
    """Five in a row, or half of ten and more. A success is never what opens it."""
    assert played(calls).is_open() is is_open


def test_only_a_minute_counts():
    slow = played("x.x.x.x.x.x.x.x.x.x.", every=30.0)
    assert not slow.is_open()
    assert sum(part.calls for part in slow.slices) <= 3


@pytest.mark.parametrize(
    ("pauses", "seconds"), [(1, 60), (2, 120), (3, 240), (4, 480), (5, 960), (6, 1800), (7, 1800), (99, 1800)]
)
def test_pauses_double_up_to_half_an_hour(pauses, seconds):
    assert pause_seconds(pauses) == seconds


def ask(breaker, now, *, present=False, permit="new"):
    return admit(breaker, now, permit_id=permit, deadline_seconds=5, present=present)


def test_while_open_nothing_goes_and_then_one_probe():
    opened = played("xxxxx")
    assert opened.open_until == 1_064.0
    for now in (1_005.0, 1_063.9):
        assert ask(opened, now)[1] is Answer.OPEN
    half, answer = ask(opened, 1_064.0, permit="probe")
    assert answer is Answer.GO
    assert ask(half, 1_064.0)[1] is Answer.OPEN, "one at a time"
    assert half.wait_seconds(1_064.0) == 5 + GRACE_SECONDS
    lost, answer = ask(half, 1_064.0 + 5 + GRACE_SECONDS, permit="second")
    assert answer is Answer.GO, "a probe whose process died holds nobody up for ever"
    assert len(lost.permits) == 1


def test_a_probe_that_succeeds_closes_and_one_that_fails_doubles():
    half, _ = ask(played("xxxxx"), 1_064.0, permit="probe")
    well = record(half, 1_065.0, permit_id="probe", failed=False)
    assert (well.is_open(), well.closed_at, well.pauses) == (False, 1_065.0, 1)
    ill = record(half, 1_065.0, permit_id="probe", failed=True)
    assert (ill.open_until, ill.pauses) == (1_065.0 + 120, 2)


def test_pauses_are_forgotten_by_the_first_success_after_the_probe():
    half, _ = ask(played("xxxxx"), 1_064.0, permit="probe")
    well = record(half, 1_065.0, permit_id="probe", failed=False)
    assert played("xxxxx", start=1_066.0, breaker=well).pauses == 2
    assert played(".xxxxx", start=1_066.0, breaker=well).pauses == 1


@pytest.mark.parametrize("failed", [True, False])
def test_stragglers_change_nothing_while_it_is_open(failed):
    begun, _ = ask(CLOSED, 1_000.0, permit="straggler")
    opened = played("xxxxx", breaker=begun)
    after = record(opened, 1_006.0, permit_id="straggler", failed=failed)
    assert (after.open_until, after.pauses) == (opened.open_until, 1)


@pytest.mark.parametrize(("present", "room"), [(False, AT_ONCE), (True, AT_ONCE_PRESENT)])
def test_calls_under_way_are_bounded_and_run_out(present, room):
    breaker = CLOSED
    for number in range(room):
        breaker, answer = ask(breaker, 1_000.0, present=present, permit=str(number))
        assert answer is Answer.GO
    assert ask(breaker, 1_000.0, present=present)[1] is Answer.BUSY
    assert ask(record(breaker, 1_001.0, permit_id="0", failed=False), 1_001.0, present=present)[1] is Answer.GO
    assert ask(breaker, 1_000.0 + 5 + GRACE_SECONDS, present=present)[1] is Answer.GO


def test_jobs_leave_room_for_customers():
    breaker = CLOSED
    for number in range(AT_ONCE):
        breaker, _ = ask(breaker, 1_000.0, permit=str(number))
    assert ask(breaker, 1_000.0)[1] is Answer.BUSY
    assert ask(breaker, 1_000.0, present=True)[1] is Answer.GO


# --- kept in Valkey ---------------------------------------------------------------------------------------------------


def test_no_call_is_lost_between_twenty_threads():
    """Each makes twenty calls; they are let in eight at a time, and every permit comes back."""
    let_in, refused, errors = [], [], []

    def work():
        try:
            for _ in range(20):
                answer, permit, _ = store.ask("b", Operation.ACCOUNTS, deadline_seconds=60, present=False)
                (let_in if answer is Answer.GO else refused).append(permit)
                if answer is Answer.GO:
                    store.report("b", Operation.ACCOUNTS, permit, failed=False)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(let_in) + len(refused) == 400
    found = store.known(["b"])["b", Operation.ACCOUNTS]
    assert found.permits == ()
    assert sum(part.calls for part in found.slices) == len(let_in)


def test_what_is_kept_survives_the_way_through_valkey_and_a_flush_forgets_it():
    for _ in range(5):
        _, permit, _ = store.ask("b", Operation.PAYMENTS, deadline_seconds=5, present=False)
        store.report("b", Operation.PAYMENTS, permit, failed=True)
    assert store.ask("b", Operation.PAYMENTS, deadline_seconds=5, present=True)[0] is Answer.OPEN
    assert store.ask("other", Operation.PAYMENTS, deadline_seconds=5, present=True)[0] is Answer.GO
    valkey.client().flushdb()
    assert store.ask("b", Operation.PAYMENTS, deadline_seconds=5, present=True)[0] is Answer.GO
