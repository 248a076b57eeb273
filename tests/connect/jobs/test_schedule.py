"""The schedule: every job is there, the paper lists it, and with nothing to do it costs next to nothing."""

from __future__ import annotations

import inspect
import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from banks.services import syncs
from connect.kit.tenancy import use_environment
from connect.models import Environment, Organization
from connect.selectors import sweeps
from payments import tasks as payment_tasks
from payments.models import PaymentAttempt
from payments.services import processor_calls
from tests.payments.books import Books

ROOT = Path(__file__).resolve().parents[3]
SCHEDULE = settings.CELERY_BEAT_SCHEDULE
TICKS = sorted(entry["task"] for entry in SCHEDULE.values())
ASKED = (
    "banks_connection", "banks_link_session", "banks_payment", "connect_event", "connect_idempotency_key", "connect_request_log",
    "connect_test_clock", "connect_usage_hour", "connect_webhook_attempt", "connect_webhook_delivery",
    "connect_webhook_delivery_count", "connect_webhook_endpoint",
    "ledger_hold", "payments_balance_transaction", "payments_charge", "payments_checkout_session",
    "payments_payment_attempt", "payments_refund",
)  # fmt: skip


@pytest.fixture
def books(environment, caller):
    return Books(environment, caller)


# --- the schedule itself ----------------------------------------------------------------------------------------------


def ours(worker):
    return {name: task for name, task in worker.tasks.items() if not name.startswith("celery.")}


def test_every_tick_is_a_task_and_every_task_is_a_tick_or_names_its_environment(worker):
    """A task that is not in the schedule gets the environment as its first argument."""
    known = ours(worker)
    assert set(TICKS) <= set(known)
    assert len(TICKS) == len(set(TICKS)) == 29
    for name, task in known.items():
        parameters = list(inspect.signature(task.run).parameters)
        assert parameters[:1] == ([] if name in TICKS else ["environment_id"]), name


@pytest.mark.parametrize("name", SCHEDULE)
def test_a_tick_that_nobody_took_in_time_is_dropped(name):
    """So that a worker that was away for an hour does not go through an hour of ticks."""
    entry = SCHEDULE[name]
    assert entry["schedule"] <= entry["options"]["expires"] <= max(10, 2 * entry["schedule"])


def test_reading_banks_leaves_the_worker_to_others_before_their_ticks_are_dropped():
    others = [entry["options"]["expires"] for entry in SCHEDULE.values() if entry["task"].startswith("payments.")]
    assert min(others) > syncs.RUN_SECONDS


def test_the_paper_lists_every_job_with_its_interval():
    paper = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^\| (.+?) \| `((?:banks|connect|payments|ledger)\.\w+)` \| (\S+) s \| (.+) \|$", paper, flags=re.MULTILINE
    )
    assert [row[:3] for row in listed] == [
        (name, entry["task"], f"{entry['schedule']:g}") for name, entry in SCHEDULE.items()
    ]
    assert len({row[3] for row in listed}) == len(listed), "each says something of its own"


def test_the_paper_lists_every_process_of_the_demo():
    from demo import run

    paper = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| (\w+) \| `(?:granian|celery|manage\.py) ", paper, flags=re.MULTILINE))
    assert {program.name for program in run.PROGRAMS} - {"scheduler", "beat"} == listed - {"scheduler"}
    assert "scheduler" in listed


# --- with nothing to do -----------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """The statements that sweeps send on their own connections, as they are sent."""
    sent = []
    original = psycopg.connect

    def connect(*given, **named):
        opened = original(*given, **named)
        execute = opened.execute

        def counted(statement, *more, **options):
            sent.append(statement)
            return execute(statement, *more, **options)

        opened.execute = counted
        return opened

    monkeypatch.setattr(sweeps, "psycopg", SimpleNamespace(connect=connect))
    return sent


def hundred_environments():
    """96 more, of which the schemas hold just the tables that are asked: one hundred with the four of every test."""
    owner = connections["owner"]
    acme = Environment.objects.get(organization__slug="acme", kind="test")
    letters = "abcdefghijklmnopqrstuvwxyz"
    made = [Organization.objects.create(name=f"Idle {number}", slug=f"idle-{number}") for number in range(48)]
    with owner.cursor() as cursor:
        for number in range(96):
            short_id = f"idle{letters[number // 26]}{letters[number % 26]}aaaaaa"
            kind = ("test", "live")[number % 2]
            schema = f"{kind}_{short_id}"
            copies = "; ".join(f'CREATE TABLE {schema}.{name} (LIKE "{acme.schema_name}".{name})' for name in ASKED)
            cursor.execute(f"CREATE SCHEMA {schema}; {copies}; GRANT USAGE ON SCHEMA {schema} TO fc_app;"
                           f" GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO fc_app")  # fmt: skip
            Environment.objects.create(
                organization=made[number // 2], kind=kind, short_id=short_id, schema_name=schema,
                status=Environment.Status.READY,
            )  # fmt: skip


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_tick_asks_a_hundred_environments_in_two_statements(worker, environments, asked):
    """One for the list of environments, one for all their tables at once. The webhook log asks about two tables, and
    the request log's tick looks at the public one and at sign-ins as well. The drain asks Valkey, and no environment; how
    banks do and what apps hold stands in public tables, whatever the number of environments.
    """
    hundred_environments()
    assert Environment.objects.filter(status="ready").count() == 100
    cost = {}
    for name in set(TICKS) - {"connect.drain_request_log"}:
        asked.clear()
        with CaptureQueriesContext(connection) as captured:
            assert worker.tasks[name]() == 0
        cost[name] = (len(captured), len(asked))
    more = {
        "connect.provision_environments": (1, 0), "connect.prune_webhook_log": (2, 2),
        "connect.prune_request_logs": (7, 1), "connect.prune_oauth_tokens": (18, 0), "banks.watch_health": (4, 0), "banks.prune_health": (3, 0),
        "connect.watch_quotas": (2, 1),
        "connect.send_support_notices": (3, 0),
    }  # fmt: skip
    assert cost == {name: more.get(name, (1, 1)) for name in cost}
    asked.clear()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sweeps, "SCHEMAS_PER_QUERY", 40)
        assert payment_tasks.find_open_attempts() == 0
    assert len(asked) == 3, "one for each forty"


# --- with something to do ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_after_an_hour_without_a_scheduler_one_tick_of_each_finds_everything(worker, api, books, environment):
    """An attempt without an answer, a hold, a refund, money, a checkout: all overdue, each settled by one tick."""

    def pay(card, **given):
        body = {"amount": 1000, "currency": "eur", "payment_method": f"pm_card_{card}", "confirm": True, **given}
        return api.post("/v1/payment_intents", body).json()

    lost, held, paid = pay("timeoutApproved"), pay("visa", capture_method="manual"), pay("pendingRefund")
    refund = api.post("/v1/refunds", {"payment_intent": paid["id"]}).json()
    item = {"price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Tea"}}}
    session = api.post("/v1/checkout/sessions", {"mode": "payment", "line_items": [item],
                                                 "success_url": "https://shop.example/"}).json()  # fmt: skip
    with use_environment(environment), connection.cursor() as cursor:
        for table, column in (
            ("payments_payment_attempt", "lease_until"), ("payments_charge", "capture_before"),
            ("payments_refund", "check_at"), ("payments_balance_transaction", "available_on"),
            ("payments_checkout_session", "expires_at"),
        ):  # fmt: skip
            cursor.execute(f"UPDATE {table} SET {column} = clock_timestamp() - interval '1 hour'"
                           f" WHERE {column} IS NOT NULL")  # fmt: skip
    others = {"payments.find_due_receipts", "payments.find_bank_payments"}
    ticks = [worker.tasks[name] for name in TICKS if name.startswith("payments.") and name not in others]
    assert len(ticks) == 5
    with books.events() as events:
        assert [tick() for tick in ticks] == [1] * 5
    assert api.get(f"/v1/payment_intents/{lost['id']}").json()["status"] == "succeeded"
    assert api.get(f"/v1/payment_intents/{held['id']}").json()["status"] == "canceled"
    assert api.get(f"/v1/refunds/{refund['id']}").json()["status"] == "succeeded"
    assert api.get(f"/v1/checkout/sessions/{session['id']}").json()["status"] == "expired"
    assert {"balance.available", "charge.expired", "checkout.session.expired"} <= {event.type for event in events}
    books.check_balance(api)


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_cost_work_and_change_nothing(worker, api, books, environment, monkeypatch):
    """Every tick is sent twice before any of its messages is taken, and each message is taken twice."""
    body = {"amount": 1000, "currency": "eur", "payment_method": "pm_card_timeoutApproved", "confirm": True}
    lost = api.post("/v1/payment_intents", body).json()
    held = api.post(
        "/v1/payment_intents", {**body, "payment_method": "pm_card_visa", "capture_method": "manual"}
    ).json()
    books.let_leases_run_out()
    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_charge SET capture_before = clock_timestamp() WHERE capture_before IS NOT NULL")
    messages = []
    for task in (payment_tasks.settle_attempts, payment_tasks.expire_holds):
        monkeypatch.setattr(task, "delay", lambda given, task=task: messages.append((task, given)))
    for tick in (payment_tasks.find_open_attempts, payment_tasks.find_expired_holds) * 2:
        assert tick() == 1
    assert len(messages) == 4
    with books.events() as events:
        done = [task(given) for task, given in messages * 2]
    assert sorted(done) == [0] * 6 + [1, 1]
    assert sorted(event.type for event in events if event.object_id in {lost["id"], held["id"]}) == [
        "payment_intent.canceled", "payment_intent.succeeded",
    ]  # fmt: skip
    books.check_balance(api)


def test_a_job_whose_time_is_up_stops_where_it_is_and_the_next_one_goes_on(
    worker, api, books, environment, monkeypatch
):
    """Jobs go on after one row that fails; they must not take the end of their time for such a failure."""
    for _ in range(3):
        body = {"amount": 1000, "currency": "eur", "payment_method": "pm_card_timeoutApproved", "confirm": True}
        assert api.post("/v1/payment_intents", body).status_code == 200
    books.let_leases_run_out()
    original, calls = processor_calls.ask, []

    def ask(waiting):
        calls.append(waiting.resume)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGUSR1)  # what the pool sends after the soft time limit
        return original(waiting)

    monkeypatch.setattr(processor_calls, "ask", ask)
    before = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(SoftTimeLimitExceeded):
        payment_tasks.settle_attempts(str(environment.id))
    assert len(calls) == 2
    assert signal.getsignal(signal.SIGUSR1) is before
    with use_environment(environment):
        assert sorted(PaymentAttempt.objects.values_list("state", flat=True)) == ["approved", "open", "open"]
    books.let_leases_run_out()
    assert payment_tasks.settle_attempts(str(environment.id)) == 2
    assert books.check_balance(api) == {"eur": (0, 3 * 986)}
