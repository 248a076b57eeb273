"""When a delivery is tried again, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connect.domain import retry_schedule
from connect.domain.retry_schedule import DELAYS, decide, delay, retry_after

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def decided(status, failures=0, jitter=0.0, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return decide(status=status, headers=named, failures=failures, now=NOW, jitter=jitter)


def test_the_schedule_is_that_of_standard_webhooks():
    assert [wait.total_seconds() for wait in DELAYS] == [
        0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600
    ]  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_2xx_is_success(status):
    assert decided(status).state == "succeeded"


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 308, 400, 401, 404, 409, 500, 503])
def test_everything_else_is_tried_again(status):
    decision = decided(status)
    assert (decision.state, decision.gone) == ("pending", False)
    assert decision.next_attempt_at == NOW + timedelta(seconds=5)


def test_ten_attempts_and_no_more():
    states = [decided(500, failures).state for failures in range(10)]
    assert states == ["pending"] * 9 + ["failed"]


@pytest.mark.parametrize("failures", range(1, 10))
def test_the_jitter_moves_a_wait_by_a_tenth_at_most(failures):
    assert delay(failures, -1) == DELAYS[failures] * 0.9
    assert delay(failures, 0) == DELAYS[failures]
    assert delay(failures, 1) == DELAYS[failures] * 1.1
    assert delay(failures, 7) == DELAYS[failures] * 1.1


def test_gone_is_gone_at_once():
    decision = decided(410)
    assert (decision.state, decision.gone, decision.next_attempt_at) == ("failed", True, None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("99999999", 86400), ("9" * 400, 86400), ("-5", None), ("soon", None),
        ("", None), ("1.5", None), ("١٢", None), ("Wed, 99 Foo 2026 00:00:00 GMT", None),
        (format_datetime(NOW + timedelta(minutes=3), usegmt=True), 180),
        (format_datetime(NOW - timedelta(minutes=3), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=30), usegmt=True), 86400),
        ("Sun, 22 Nov 2026 12:01:00 -0000", 60),
    ],
)  # fmt: skip
def test_retry_after_in_seconds_or_as_a_date(value, seconds):
    assert retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_makes_a_wait_longer_and_never_shorter():
    assert decided(503, retry_after="600").next_attempt_at == NOW + timedelta(seconds=600)
    assert decided(503, failures=4, retry_after="600").next_attempt_at == NOW + timedelta(hours=5)
    assert decided(500, retry_after="600").next_attempt_at == NOW + timedelta(seconds=600)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(429, {"retry_after": "90"}, 90), (429, {}, 5), (502, {}, 5), (503, {"retry_after": "30"}, 30), (504, {}, 5),
     (503, {"retry_after": "80000"}, 3600), (500, {"retry_after": "90"}, None), (None, {}, None)],
)  # fmt: skip
def test_an_overloaded_endpoint_is_left_alone_as_a_whole(status, headers, seconds):
    assert decided(status, **headers).pause_until == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_an_overloaded_endpoint_uses_up_its_attempts_too():
    assert decided(429, failures=len(DELAYS) - 1, retry_after="5").state == "failed"
    assert retry_schedule.JITTER == 0.1
