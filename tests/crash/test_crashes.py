"""Web, PostgreSQL, Valkey and the worker are killed at every named place of a payment, while payments go on.

Afterwards: what was acknowledged is there and balanced, nothing is doubled, nothing is left open, and every request
sent again under its key gets the committed answer. Nobody lends a hand.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Celery

from config.settings.celery import CELERY_BROKER_TRANSPORT_OPTIONS, broker_url
from connect.kit import ids
from payments.models import PaymentAttempt
from tests.crash import audit
from tests.crash.audit import Tables
from tests.crash.inbox import Inbox, register
from tests.crash.shop import KINDS_LEFT_OPEN, Shop, Till
from tests.crash.stack import CrashStack, Reached
from tests.stack import PATIENCE_SECONDS, ROOT

pytestmark = pytest.mark.stack

IN_WEB = (
    "api.local.stored", "api.local.committed", "api.external.claimed", "payments.attempt.claimed",
    "payments.attempt.called", "payments.attempt.recorded", "api.external.committed",
)  # fmt: skip
AROUND_A_CALL = ("payments.attempt.claimed", "payments.attempt.called", "payments.attempt.recorded")
CALLS = {
    "authorize": "at once", "capture": "captured", "void": "released", "increment": "raised", "refund": "refunded",
    "cancel_refund": "refund stopped", "set_up": "card kept",
}  # fmt: skip
"""What a processor is called for, and purchases in which it is. That a payer has authenticated is told to it by a
further `authorize`.
"""
IN_WORKER = ("payments.settle.claimed", "payments.settle.asked")
IN_DISPATCHER = ("connect.webhooks.sent",)
BY_BANK = ("banks.payment.claimed", "banks.payment.sent", "banks.payment.asked")
"""Tried where payments by bank are, in `tests/payments/test_pay_by_bank_races.py`."""


EVENTS_SINCE = "SELECT id FROM connect_event WHERE id > %s"
UNFINISHED = "SELECT id FROM connect_webhook_delivery WHERE endpoint_id = %s AND state <> 'succeeded'"


def test_every_failpoint_of_the_code_is_in_these_tests() -> None:
    found = set()
    for file in ROOT.glob("*/**/*.py"):
        if file.relative_to(ROOT).parts[0] in {"connect", "payments", "ledger", "banks", "billing"}:
            found |= set(re.findall(r'\bfailpoint\("([^"]+)"', file.read_text()))
    assert found == {*IN_WEB, *IN_WORKER, *IN_DISPATCHER, *BY_BANK}
    races = (ROOT / "tests" / "payments" / "test_pay_by_bank_races.py").read_text()
    assert [point for point in BY_BANK if f'"{point}"' not in races] == []
    assert set(CALLS) == set(PaymentAttempt.Kind.values)


@contextmanager
def customers(stack: CrashStack, seed: str, **rules: Any) -> Iterator[Shop]:
    """Paying customers, inside the block; afterwards each of them has finished what it was at."""
    shop = Shop(stack.address, stack.secrets["acme"]["test"], seed=seed, **rules)
    shop.open()
    try:
        yield shop
    except BaseException:
        shop.leave()  # what went wrong is the news, not that nobody was served afterwards
        raise
    shop.close()


def armed(rng: random.Random) -> str:
    """Every place of web, each with a passage of its own at which a process stands still."""
    return ",".join(f"{point}=stop@{rng.randint(2, 5)}" for point in IN_WEB)


def strike_everywhere(
    stack: CrashStack, shop: Shop, strikes: list[Callable[[Reached], None]], rounds: int, places: Sequence[str]
) -> Counter[tuple[str, str]]:
    """While customers pay: whenever a process stands at a place where a strike is still due, strike, then let it go
    on. Returns how often each strike hit each place.
    """
    due = {(point, number): rounds for point in places for number in range(len(strikes))}
    done: Counter[tuple[str, str]] = Counter()
    known, deadline = 0, time.monotonic() + PATIENCE_SECONDS * rounds * 2
    while any(due.values()):
        stack.check()
        assert not shop.failed, "a customer was refused"
        assert time.monotonic() < deadline, f"never reached: {[place for place, left in due.items() if left]}"
        reached = stack.next_reached(known)
        if reached is None:
            time.sleep(0.01)
            continue
        known += 1
        number = next((n for n in range(len(strikes)) if due[reached.point, n]), None)
        if number is not None:
            strikes[number](reached)
            due[reached.point, number] -= 1
            done[strikes[number].__name__, reached.point] += 1
        stack.go_on(reached.process_id)
    return done


def settle(stack: CrashStack, tables: Tables) -> None:
    """Wait until the product has settled everything; the message only makes it look sooner than every 15 s."""
    broker = Celery(broker=broker_url(stack.valkey.url(0)))
    broker.conf.broker_transport_options = CELERY_BROKER_TRANSPORT_OPTIONS
    asked = [0.0]

    def settled() -> bool:
        if tables.unsettled() == 0:
            return True
        if time.monotonic() - asked[0] > 1:
            asked[0] = time.monotonic()
            broker.send_task("payments.find_open_attempts", ignore_result=True)
        return False

    stack.until(settled, "everything is settled")
    broker.close()


def prove(stack: CrashStack, tables: Tables, shop: Shop) -> str:
    """The whole audit; returns a line for the report."""
    audit.books(tables)
    audit.promises(tables, shop.purchases)
    till = Till(stack.address, stack.secrets["acme"]["test"])
    unanswered = audit.replays(till, shop.purchases)
    till.close()
    settle(stack, tables)  # a request that had never arrived before has begun now
    audit.books(tables)
    audit.promises(tables, shop.purchases)
    audit.keys_are_done(tables)
    steps = [step for purchase in shop.purchases for step in purchase.steps]
    again = sum(step.sent - 2 for step in steps if step.sent > 2)
    return f"{len(shop.purchases)} purchases, {len(steps)} requests, {again} sent again, {unanswered} left unanswered"


def crash(stack: CrashStack, tables: Tables, seed: str, rng: random.Random, strikes: list[Callable[[Reached], None]],
          rounds: int = 1) -> str:  # fmt: skip
    """Arm, strike everywhere, disarm, settle, prove."""
    stack.arm(web=armed(rng))
    with customers(stack, seed) as shop:
        done = strike_everywhere(stack, shop, strikes, rounds, IN_WEB)
        stack.arm()
    settle(stack, tables)
    assert {(point, times) for (_, point), times in done.items()} == {(point, rounds) for point in IN_WEB}
    return f"{sum(done.values())} strikes at {len(IN_WEB)} places: {prove(stack, tables, shop)}"


def test_web_is_killed_at_every_place(
    stack: CrashStack, tables: Tables, seed: str, rng: random.Random, tell: list[str]
) -> None:
    def kill_web(reached: Reached) -> None:
        stack.kill_process(reached.process_id)

    tell.append("web: " + crash(stack, tables, seed, rng, [kill_web]))


def test_web_is_killed_around_every_call_to_the_processor(
    stack: CrashStack, tables: Tables, seed: str, tell: list[str]
) -> None:
    """Before the call, after it, and before its outcome commits: for each thing a processor is called for."""

    def kill_web(reached: Reached) -> None:
        stack.kill_process(reached.process_id)

    killed: Counter[tuple[str, str]] = Counter()
    for call, kind in CALLS.items():
        places = [f"{point}:{call}" for point in AROUND_A_CALL]
        stack.arm(web=",".join(f"{place}=stop" for place in places))
        with customers(stack, f"{seed}/{call}", kinds=(kind,), shoppers=3) as shop:
            killed += strike_everywhere(stack, shop, [kill_web], 1, places)
            stack.arm()
        settle(stack, tables)
        proof = prove(stack, tables, shop)
    assert len(killed) == len(CALLS) * len(AROUND_A_CALL)
    tell.append(f"web, call by call: {sum(killed.values())} deaths; the last: {proof}")


def test_postgresql_is_killed_at_every_place(
    stack: CrashStack, tables: Tables, seed: str, rng: random.Random, tell: list[str]
) -> None:
    ways = [stack.kill_postgres, stack.stop_postgres_immediately, stack.kill_backend]

    def end_postgresql(reached: Reached) -> None:
        rng.choice(ways)()

    tell.append("PostgreSQL: " + crash(stack, tables, seed, rng, [end_postgresql]))


def test_valkey_is_killed_or_flushed_at_every_place(
    stack: CrashStack, tables: Tables, seed: str, rng: random.Random, tell: list[str]
) -> None:
    def kill_valkey(reached: Reached) -> None:
        stack.kill_valkey()

    def flush_valkey(reached: Reached) -> None:
        stack.flush_valkey()

    tell.append("Valkey: " + crash(stack, tables, seed, rng, [kill_valkey, flush_valkey]))


def test_the_worker_is_killed_while_it_settles(stack: CrashStack, tables: Tables, seed: str, tell: list[str]) -> None:
    for point in IN_WORKER:
        stack.arm(worker=f"{point}=kill@2")
        with customers(stack, f"{seed}/{point}", kinds=KINDS_LEFT_OPEN, shoppers=3, purchases_each=3) as shop:
            shop.join()
        settle(stack, tables)
        deaths = Counter(reached.point for reached in stack.reached)
        assert set(deaths) == {point}, f"the worker never died: {stack.report()}"
        stack.arm()
        tell.append(f"worker: {deaths[point]} deaths at {point}: {prove(stack, tables, shop)}")


def test_the_dispatcher_is_killed_while_it_sends(stack: CrashStack, tables: Tables, seed: str, tell: list[str]) -> None:
    """Every committed event arrives, though the one who sends dies after every seventh request."""
    with Inbox() as inbox:
        endpoint = register(stack, inbox.address)
        stack.arm(dispatcher=",".join(f"{point}=kill@7" for point in IN_DISPATCHER))
        with customers(stack, seed, purchases_each=2) as shop:
            shop.join()
        settle(stack, tables)
        stack.until(lambda: len(stack.reached) >= 2, "the dispatcher died twice")
        stack.arm()
        wanted = {ids.encode("evt", row["id"]) for row in tables.rows(EVENTS_SINCE, endpoint)}
        # A lease lives a minute, and a retry waits longer: let that time be over.
        tables.run(
            "UPDATE connect_webhook_delivery SET lease_until = now(), next_attempt_at = now() WHERE state = 'pending'"
        )
        stack.until(lambda: wanted <= set(inbox.events), "every event has arrived")
        stack.until(lambda: not tables.rows(UNFINISHED, endpoint), "every delivery is noted as done")
    assert len(wanted) >= len(shop.purchases)
    assert set(inbox.events) == wanted
    tell.append(f"dispatcher: {inbox.duplicates()}")


def test_everything_is_killed_at_once_and_nobody_lends_a_hand(
    stack: CrashStack, tables: Tables, seed: str, rng: random.Random, tell: list[str]
) -> None:
    """As a power cut does. Not even a message reminds the worker afterwards: beat has to."""
    with customers(stack, seed) as shop:
        busy = rng.randint(20, 40)
        stack.until(lambda: len(shop.purchases) > busy or shop.failed, f"{busy} purchases have begun")
        stack.kill_everything()
    stack.until(lambda: tables.unsettled() == 0, "everything is settled")
    tell.append(f"everything: {prove(stack, tables, shop)}")


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(int(os.environ.get("CRASH_TURNS", "20"))))
def test_web_and_servers_are_killed_at_every_place_again_and_again(
    stack: CrashStack, tables: Tables, seed: str, rng: random.Random, tell: list[str], turn: int
) -> None:
    def kill_web(reached: Reached) -> None:
        stack.kill_process(reached.process_id)

    def end_server(reached: Reached) -> None:
        rng.choice([stack.kill_postgres, stack.stop_postgres_immediately, stack.kill_backend, stack.kill_valkey,
                    stack.flush_valkey])()  # fmt: skip

    tell.append(f"turn {turn}: " + crash(stack, tables, seed, rng, [kill_web, end_server], rounds=3))
