"""How much may be on its way to one endpoint, told with a clock of our own."""

from __future__ import annotations

from connect.domain.sliding_windows import AHEAD_MAX, PLACES_FIRST, PLACES_MAX, SlidingWindow


def filled(count: int, *, per_second: float = 0) -> SlidingWindow[int]:
    window: SlidingWindow[int] = SlidingWindow(per_second=per_second)
    window.waiting.extend(range(count))
    return window


def begin_all(window: SlidingWindow[int], now: float = 0) -> list[int]:
    begun = []
    while window.wait(now) == 0:
        begun.append(window.begin(now))
    return begun


def test_places_bound_what_is_under_way_and_order_is_kept() -> None:
    window = filled(20)
    assert begin_all(window) == list(range(PLACES_FIRST))
    assert window.wait(0) is None
    window.end(0, patient=True)
    assert begin_all(window) == [PLACES_FIRST, PLACES_FIRST + 1]


def test_an_endpoint_that_keeps_us_waiting_ends_with_one_place_and_recovers() -> None:
    window = filled(100)
    places = []
    for _ in range(4):
        begin_all(window)
        window.end(0, patient=False)
        places.append(window.places)
    assert places == [2, 1, 1, 1]
    for _ in range(10):
        begin_all(window)
        window.end(0, patient=True)
    assert window.places == PLACES_MAX


def test_a_silent_endpoint_gets_no_more_claimed_than_it_has_places() -> None:
    window = filled(0)
    assert window.room(0) == PLACES_FIRST
    window.waiting.extend(range(PLACES_FIRST))
    begin_all(window)
    assert window.room(100) == 0


def test_a_quick_endpoint_gets_as_much_ahead_as_it_did_in_the_last_second() -> None:
    window = filled(30)
    for _ in range(30):
        window.begin(10.2)
        window.end(10.2, patient=True)
    assert window.room(10.9) == PLACES_MAX + 30
    assert window.room(11.9) == PLACES_MAX + 30
    assert window.room(12.1) == PLACES_MAX
    window.waiting.extend(range(10 * AHEAD_MAX))
    for _ in range(10 * AHEAD_MAX):
        window.begin(20)
        window.end(20, patient=True)
    assert window.room(20) == PLACES_MAX + AHEAD_MAX


def test_a_rate_spaces_beginnings_evenly() -> None:
    window = filled(10, per_second=4)
    begun, now = [], 0.0
    while window.waiting:
        wait = window.wait(now)
        assert wait is not None
        now += wait
        window.begin(now)
        window.end(now, patient=True)
        begun.append(now)
    assert begun == [number / 4 for number in range(10)]


def test_what_waits_can_be_dropped() -> None:
    window = filled(6)
    begin_all(window)
    assert window.drop() == [4, 5]
    assert not window.empty
    for _ in range(PLACES_FIRST):
        window.end(0, patient=True)
    assert window.empty
