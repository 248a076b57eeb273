"""Holds that run out: by the job, by a request that comes too late, and never what is with the processor."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connect.kit import clock, ids
from connect.kit.clock import Clock
from connect.kit.tenancy import use_environment
from connect.selectors import sweeps
from payments import tasks
from payments.models import Charge
from payments.services import holds, payment_attempts
from tests.payments.books import refused, types

PATH = "/v1/payment_intents"


def in_a_week(books):
    """The caller, a little more than seven days from now."""
    return replace(books.caller, clock=Clock(frozen_at=clock.wall() + timedelta(days=7, seconds=1)))


def run_out(books, found):
    """Let an intent's hold be over, as a week does."""
    with use_environment(books.environment):
        Charge.objects.filter(pk=ids.decode("ch", found["latest_charge"])).update(capture_before=clock.wall())


def test_a_hold_runs_out_after_seven_days_and_is_released(api, books, held):
    found, other = held(), held(amount=500)
    assert holds.expire_due(books.caller) == 0, "not before its time"
    with books.events() as events:
        assert holds.expire_due(in_a_week(books)) == 2
    after = api.get(f"{PATH}/{found['id']}").json()
    assert (after["status"], after["cancellation_reason"], after["amount_capturable"]) == ("canceled", "automatic", 0)
    assert after["canceled_at"] > after["created"] + 7 * 86400
    assert types(events) == ["charge.expired", "payment_intent.canceled"] * 2
    assert [event.object_id for event in events[1::2]] == [found["id"], other["id"]], "in the order they ran out"
    charge = api.get(f"/v1/charges/{found['latest_charge']}").json()
    assert (charge["captured"], charge["refunded"], charge["amount_captured"]) == (False, True, 0)
    assert books.hold(found["latest_charge"]) == ("voided", 1000, 0, 1000)
    with books.unchanged():
        assert holds.expire_due(in_a_week(books)) == 0
    assert books.check_balance(api) == {"eur": (0, 0)}


def test_a_hold_captured_in_part_ends_with_that_part(api, books, held, act):
    found = held()
    act(found, "capture", amount_to_capture=400, final_capture=False)
    with books.events() as events:
        assert holds.expire_due(in_a_week(books)) == 1
    after = api.get(f"{PATH}/{found['id']}").json()
    assert (after["status"], after["amount_received"], after["cancellation_reason"]) == ("succeeded", 400, None)
    assert types(events) == ["charge.captured", "payment_intent.succeeded"]
    assert books.hold(found["latest_charge"]) == ("posted", 1000, 400, 600)
    books.check_balance(api)


def test_what_is_with_the_processor_is_left_to_it(api, books, held, act):
    found = held("pm_card_captureTimeout")
    act(found, "capture")
    with books.unchanged():
        assert holds.expire_due(in_a_week(books)) == 0
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    assert api.get(f"{PATH}/{found['id']}").json()["status"] == "succeeded"
    with books.unchanged():
        assert holds.expire_due(in_a_week(books)) == 0


@pytest.mark.parametrize(("name", "given"), [("capture", {}), ("increment_authorization", {"amount": 1200})])
def test_a_hold_whose_time_is_over_cannot_be_used_before_the_job_comes_by(api, books, held, act, name, given):
    found = held()
    run_out(books, found)
    error = refused(act(found, name, **given), 400, "charge_expired_for_capture")
    assert error["payment_intent"] == api.get(f"{PATH}/{found['id']}").json()
    assert error["payment_intent"]["status"] == "canceled"
    assert books.hold(found["latest_charge"]) == ("voided", 1000, 0, 1000)
    books.check_balance(api)


def test_the_job_finds_environments_with_holds_that_ran_out(books, held, monkeypatch):
    found = held()
    run_out(books, found)
    queued = []
    monkeypatch.setattr(sweeps, "environments_where", lambda table, _: [books.environment] if table else [])
    monkeypatch.setattr(tasks.expire_holds, "delay", queued.append)
    assert tasks.find_expired_holds() == 1
    assert queued == [str(books.environment.id)]
    assert tasks.expire_holds(queued[0]) == 1
    assert tasks.expire_holds(queued[0]) == 0
