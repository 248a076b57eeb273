"""Lists in a busy environment: each filter goes to what it finds by an index, and reads little else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from banks.selectors import bank_entries
from banks.selectors.bank_entries import Wanted
from connect.kit import clock, ids
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.models import WebhookEndpoint
from connect.selectors import events, request_logs, webhook_deliveries
from tests.banks import rows as bank_rows

TABLES = (
    "connect_request_log", "connect_event", "connect_webhook_delivery", "connect_webhook_endpoint", "banks_connection",
    "banks_transaction",
)  # fmt: skip
ROWS = 12_000
FEW = 300
WEEK = timedelta(days=7)
MADE = """
SELECT n, to_timestamp(ms / 1000.0) AS at, (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id
FROM (SELECT n, %(until)s - (%(rows)s - n)::bigint * 200000 AS ms FROM generate_series(0, %(rows)s - 1) n) made
"""
"""Four weeks. What the tests look for happened in the first of them, but for what happens all the time. Keys stand in no
order, so that reading by key looks dear."""
REQUESTS = f"""
INSERT INTO connect_request_log (id, created_at, method, path, route, status, error_code, duration_us, user_agent,
    request_bytes, response_bytes, query, request_body, response_body, account_id, actor_kind, actor_id, idempotency_key,
    api_version, object_id)
SELECT id, at, CASE WHEN n = 100 THEN 'DELETE' ELSE 'POST' END, '/v1/refunds/' || lpad((n %% 3000)::text, 5, '0'),
    '/v1/refunds', CASE WHEN n = 200 THEN 500 WHEN n %% 5 = 0 THEN 404 ELSE 200 END, '', 1000, '', 1, 1, '', '', '',
    %(account)s, 'api_key', CASE WHEN n < 3000 THEN 'k_rolled' ELSE (ARRAY['a_used', 'z_used'])[1 + n %% 2] END, '', '', 'pi_' || lpad((n %% 4000)::text, 5, '0')
FROM ({MADE}) made
"""
EVENTS = f"""
INSERT INTO connect_event (id, account_id, type, schema_version, api_version, object_id, payload, request_id,
    idempotency_key, created_at, fanned_out_at)
SELECT id, %(account)s, CASE WHEN n < 20 THEN 'customer.deleted' ELSE 'customer.created' END, 1, '', 'cus_' || n, '{{}}', '',
    '', at, at FROM ({MADE}) made
"""
DELIVERIES = f"""
INSERT INTO connect_webhook_delivery (id, event_id, endpoint_id, state, attempts, failures, created_at, finished_at)
SELECT id, id, %(endpoint)s, CASE WHEN n < 20 THEN 'failed' WHEN n = 30 THEN 'canceled' ELSE 'succeeded' END, 1, 0, at, at
FROM ({MADE}) made
"""
ENTRIES = f"""
INSERT INTO banks_transaction (id, account_id, created_at, bank_account_id, connection_id, status, amount_minor, currency,
    booking_date, sort_date, fingerprint, occurrence, content_hash, search_text, version, fetched_at, updated_at)
SELECT id, %(account)s, at, %(bank_account)s, %(connection)s, 'booked', 100 + n, 'eur', at::date, at::date, sha256(n::text::bytea),
    0, '', 'tea ' || n, 1, at, at FROM ({MADE}) made
"""


def fill(environment, caller, *statements: str, **values: Any) -> None:
    """The rows, and the statistics that autovacuum would have made."""
    values |= {"rows": ROWS, "until": int(clock.wall().timestamp() * 1000), "account": caller.account}
    with use_environment(environment), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)
    administration = os.environ["FC_TEST_ADMIN_URL"].rpartition("/")[0] + f"/{os.environ['FC_TEST_DATABASE']}"
    with psycopg.connect(administration, autocommit=True) as connected:
        for table in TABLES:
            connected.execute(f'VACUUM ANALYZE "{environment.schema_name}".{table}'.encode())


def read(environment, asked: dict[str, Callable[[], tuple[list[Any], bool]]]) -> dict[str, int]:
    """How many rows the statements of each list look at, of whatever table."""
    found = {}
    with use_environment(environment):
        for name, ask in asked.items():
            with CaptureQueriesContext(connection) as captured:
                listed, _more = ask()
            assert listed, f"{name}: a filter that finds nothing shows nothing"
            with connection.cursor() as cursor:
                for entry in captured.captured_queries:
                    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {entry['sql']}")
                    (plan,) = cursor.fetchone()
                    found[name] = found.get(name, 0) + looked_at(
                        (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
                    )
    return found


def looked_at(node: dict[str, Any]) -> int:
    """The rows that the scans of a plan read, those that they threw away included."""
    below = sum(looked_at(child) for child in node.get("Plans", ()))
    if "Relation Name" not in node:
        return below
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return below + int(rows * node["Actual Loops"])


@pytest.mark.django_db(transaction=True)
def test_a_page_of_the_request_log_looks_at_few_rows(environment, caller):
    fill(environment, caller, REQUESTS)
    now, page = clock.wall(), Page(limit=25)
    asked: dict[str, dict[str, Any]] = {
        "newest": {},
        "an object": {"object_id": "pi_00077"},
        "a path": {"path": "/v1/refunds/00123"},
        "a key that is used": {"actor_id": "a_used"},
        "a key that is used no more": {"actor_id": "k_rolled"},
        "failures": {"failed": True},
        "refused": {"status_class": 4},
        "the one error": {"status_class": 5},
        "the one with a seldom method": {"method": "DELETE"},
        "until weeks ago": {"until": now - 3 * WEEK},
        "a week long ago": {"since": now - 3 * WEEK, "until": now - 2 * WEEK},
    }
    counts = read(
        environment,
        {
            name: lambda filters=filters: request_logs.page(page, account=caller.account, **filters)
            for name, filters in asked.items()
        },
    )
    assert {name: count for name, count in counts.items() if count > FEW} == {}, counts


@pytest.mark.django_db(transaction=True)
def test_the_log_of_a_key_is_paged_both_ways(environment, caller):
    """Read in the index by key, it is the same list."""
    fill(environment, caller, REQUESTS)
    with use_environment(environment):

        def ask(**cursor):
            rows, more = request_logs.page(Page(limit=2, **cursor), account=caller.account, actor_id="k_rolled")
            return [row.id for row in rows], more

        first, _ = ask()
        second, more = ask(starting_after=first[-1])
        assert more
        assert first + second == sorted([*first, *second], reverse=True)
        assert ask(ending_before=second[0]) == (first, False)


@pytest.mark.django_db(transaction=True)
def test_a_page_of_events_or_deliveries_looks_at_few_rows(environment, caller):
    endpoint = ids.new()
    with use_environment(environment):
        WebhookEndpoint.objects.create(
            id=endpoint, account_id=caller.account, url="https://a.example", enabled_events=["*"],
            enabled_after=endpoint, created_at=clock.wall(),
        )  # fmt: skip
    fill(environment, caller, EVENTS, DELIVERIES, endpoint=endpoint)
    page = Page(limit=25)
    counts = read(
        environment,
        {
            "a seldom type": lambda: events.page(caller, page, type="customer.deleted"),
            "a common type": lambda: events.page(caller, page, type="customer.created"),
            "an object": lambda: events.page(caller, page, object_id="cus_77"),
            "of an endpoint": lambda: webhook_deliveries.page(caller, page, endpoint_id=endpoint),
            "failed long ago": lambda: webhook_deliveries.page(caller, page, endpoint_id=endpoint, status="failed"),
            "the canceled one": lambda: webhook_deliveries.page(caller, page, endpoint_id=endpoint, status="canceled"),
        },
    )
    assert {name: count for name, count in counts.items() if count > FEW} == {}, counts


@pytest.mark.django_db(transaction=True)
def test_a_page_of_bank_transactions_looks_at_few_rows(environment, caller):
    with use_environment(environment):
        linked = bank_rows.connection()
        account = bank_rows.account(linked)
    fill(environment, caller, ENTRIES, connection=linked.id, bank_account=account.id)
    page, long_ago = Page(limit=25), (clock.wall() - 3 * WEEK).date()
    with use_environment(environment):
        old, _more = bank_entries.page(caller, page, Wanted(until=long_ago))
    beyond = Page(limit=25, starting_after=ids.decode("btx", old[-1].id))
    counts = read(
        environment,
        {
            "newest": lambda: bank_entries.page(caller, page, Wanted()),
            "of an amount": lambda: bank_entries.page(caller, page, Wanted(amount=Decimal("12.34"))),
            "until weeks ago": lambda: bank_entries.page(caller, page, Wanted(until=long_ago)),
        },
    )
    assert {name: count for name, count in counts.items() if count > FEW} == {}, counts
    # Of the day on which the page before ended, entries are passed over: a day has 432 here.
    (deep,) = read(environment, {"a page in the middle": lambda: bank_entries.page(caller, beyond, Wanted())}).values()
    assert deep < 2 * FEW
