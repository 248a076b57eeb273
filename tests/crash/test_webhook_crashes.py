"""Webhooks while everything around them dies: a payment never waits for them, and every committed event arrives."""

from __future__ import annotations

import random
import statistics
import time
from uuid import UUID

import pytest

from connect.kit import ids
from tests.crash.audit import Tables
from tests.crash.inbox import Inbox, register
from tests.crash.shop import FINAL, Step, Till
from tests.crash.stack import CrashStack
from tests.crash.test_crashes import EVENTS_SINCE, UNFINISHED, customers, settle

pytestmark = pytest.mark.stack

PENDING = (
    "SELECT (SELECT count(*) FROM connect_event WHERE fanned_out_at IS NULL) AS new,"
    " (SELECT count(*) FROM connect_webhook_delivery WHERE state = 'pending') AS due"
)
MEASURED = 60
ROUNDS = 2
ARRIVALS_BETWEEN = 10
"""So many requests reach the endpoint between two strikes: each hits a dispatcher that delivers."""


def everything_arrives(stack: CrashStack, tables: Tables, inbox: Inbox, endpoint: UUID) -> set[str]:
    """Wait until each event since the endpoint was made has come and is noted as done; their ids."""
    wanted = {ids.encode("evt", row["id"]) for row in tables.rows(EVENTS_SINCE, endpoint)}
    # A lease lives a minute, and a retry waits longer: let that time be over.
    tables.run(
        "UPDATE connect_webhook_delivery SET lease_until = now(), next_attempt_at = now() WHERE state = 'pending'"
    )
    stack.until(lambda: wanted <= set(inbox.events), "every event has arrived")
    stack.until(lambda: not tables.rows(UNFINISHED, endpoint), "every delivery is noted as done")
    assert set(inbox.events) == wanted
    return wanted


def post_seconds(stack: CrashStack, name: str) -> list[float]:
    """How long each of so many POSTs took, one after the other."""
    till, took = Till(stack.address, stack.secrets["acme"]["test"]), []
    for number in range(MEASURED):
        step = Step(f"{name}-{number}", "/v1/payment_intents", {"amount": "700", "currency": "eur"})
        step.form["metadata[purchase]"] = step.key
        begun = time.monotonic()
        answer = till.send(step)
        took.append(time.monotonic() - begun)
        assert answer is not None, f"{step} was not answered"
        assert answer[0] in FINAL, answer
    till.close()
    return took


def test_payments_do_not_wait_for_a_dispatcher_that_stands_still(
    stack: CrashStack, tables: Tables, seed: str, tell: list[str]
) -> None:
    stack.arm()
    with Inbox() as inbox:
        endpoint = register(stack, inbox.address)
        post_seconds(stack, f"{seed}-warm")
        running = post_seconds(stack, f"{seed}-running")
        everything_arrives(stack, tables, inbox, endpoint)
        before = inbox.arrivals
        dispatcher = stack.pause("dispatcher")
        try:
            still = post_seconds(stack, f"{seed}-still")
            waiting = tables.rows(PENDING)[0]
            assert waiting["new"] + waiting["due"] >= MEASURED
            assert inbox.arrivals == before
        finally:
            stack.go_on(dispatcher)
        wanted = everything_arrives(stack, tables, inbox, endpoint)
    slow, usual = statistics.median(still), statistics.median(running)
    tell.append(
        f"dispatcher stands still: a POST takes {slow * 1000:.0f} ms ({max(still) * 1000:.0f} ms at most), while it runs"
        f" {usual * 1000:.0f} ms; all {len(wanted)} events arrived afterwards"
    )
    assert slow <= 1.5 * usual


def test_every_event_arrives_whatever_dies_while_webhooks_are_delivered(
    stack: CrashStack, tables: Tables, seed: str, rng: random.Random, tell: list[str]
) -> None:
    """Dispatcher and worker killed, Valkey flushed and killed, PostgreSQL killed and cut off: each again and again,
    in an order of chance, while customers pay and their events are on the way.
    """
    strikes = {
        "dispatcher killed": lambda: stack.kill_program("dispatcher"),
        "worker killed": lambda: stack.kill_program("worker"),
        "Valkey flushed": stack.flush_valkey,
        "Valkey killed": stack.kill_valkey,
        "PostgreSQL killed": stack.kill_postgres,
        "PostgreSQL restarted": stack.stop_postgres_immediately,
    }
    stack.arm()
    order = [name for _ in range(ROUNDS) for name in rng.sample(sorted(strikes), len(strikes))]
    with Inbox(seconds=0.02) as inbox:
        endpoint = register(stack, inbox.address)
        with customers(stack, seed) as shop:
            for name in order:
                enough = inbox.arrivals + ARRIVALS_BETWEEN
                stack.until(
                    lambda enough=enough: inbox.arrivals >= enough or shop.failed, f"events arrive before: {name}"
                )
                assert not shop.failed, "a customer was refused"
                strikes[name]()
        stack.await_ready()
        settle(stack, tables)
        wanted = everything_arrives(stack, tables, inbox, endpoint)
    assert len(wanted) >= ROUNDS * len(strikes) * ARRIVALS_BETWEEN / 2
    tell.append(f"webhooks, {len(order)} strikes of {len(strikes)} kinds: {inbox.duplicates()}")
