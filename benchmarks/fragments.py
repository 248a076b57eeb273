"""Pages and their fragments in an environment with 1,000,000 rows in the request log, against one with 10,000.

    python -m benchmarks.fragments [--rows 1000000] [--rounds 40]

Two environments hold thirty days of requests, the roll-ups made from them, an event and a delivery for every tenth of
them, and a succeeded charge for every hundredth. Every page is asked of both in turn by a signed-in browser, in this
process, through the whole way of a request; what is compared is the 95th percentile. `fragment` is the part that htmx
asks for. The tables are filled by SQL and analyzed; what a filter finds differs from one round to the next.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.bank_lists import other
from benchmarks.endpoints import analyze
from benchmarks.report import Row, show
from benchmarks.stack import SLUG, Stack, stack

GOAL_MS: Final = 100.0
SMALL: Final = 10_000
DAYS: Final = 30
SEED: Final = 20261126
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
HTMX: Final = {"HX-Request": "true", "HX-Target": "results"}

FILL: Final = (
    """
    INSERT INTO connect_request_log (id, created_at, method, path, route, status, error_code, duration_us, ip, user_agent,
        request_bytes, response_bytes, query, request_body, response_body, account_id, actor_kind, actor_id,
        idempotency_key, api_version, object_id)
    SELECT (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp(ms / 1000.0),
        (ARRAY['GET', 'POST'])[1 + n %% 2], '/v1/' || route || '/' || n %% 5000, '/v1/' || route,
        status, CASE WHEN status >= 400 THEN 'resource_missing' ELSE '' END, 2000 + n %% 90000, '192.0.2.7', 'benchmark',
        200, 900, '', '{"amount": "2500"}', '{"id": "pi_1", "object": "payment_intent"}', %(nobody)s, 'api_key',
        (ARRAY[%(key)s, 'app-one', 'app-two'])[1 + n %% 3], '', '2026-11-01', 'pi_' || lpad((n %% 50000)::text, 22, '0')
    FROM (SELECT n, %(until)s - ((%(rows)s - n)::bigint * %(span)s / %(rows)s) AS ms,
        (ARRAY['payment_intents', 'customers', 'refunds', 'balance', 'charges', 'events', 'banking/accounts',
               'banking/transactions', 'checkout/sessions', 'ledger/accounts', 'prices', 'products'])[1 + n %% 12] AS route,
        (ARRAY[200, 200, 200, 200, 200, 200, 200, 404, 200, 200, 200, 429, 200, 200, 200, 500])[1 + n %% 16] AS status
        FROM generate_series(0, %(rows)s - 1) n) made
    """,
    """
    INSERT INTO connect_usage_hour (id, hour, method, route, actor_id, status_class, requests, limited, duration_us, latency)
    SELECT gen_random_uuid(), date_trunc('hour', created_at), method, route, actor_id, status / 100, count(*),
        count(*) FILTER (WHERE status = 429), sum(duration_us),
        ARRAY[count(*) FILTER (WHERE duration_us <= 5000), count(*) FILTER (WHERE duration_us BETWEEN 5001 AND 10000),
              count(*) FILTER (WHERE duration_us BETWEEN 10001 AND 25000),
              count(*) FILTER (WHERE duration_us BETWEEN 25001 AND 50000),
              count(*) FILTER (WHERE duration_us > 50000), 0, 0, 0, 0, 0, 0]
    FROM connect_request_log GROUP BY 2, 3, 4, 5, 6
    """,
    """
    INSERT INTO connect_webhook_endpoint (id, account_id, url, description, enabled_events, enabled_after, api_version,
        metadata, created_at, status, disabled_reason, failure_count)
    SELECT '01980000-0000-7000-a000-000000000001', %(nobody)s, 'https://shop.example.com/hooks', '', ARRAY['*'],
        '01980000-0000-7000-a000-000000000000', '', '{}', now(), 'enabled', '', 0
    """,
    """
    INSERT INTO connect_event (id, account_id, type, schema_version, api_version, object_id, payload, request_id,
        idempotency_key, created_at, fanned_out_at)
    SELECT id, %(nobody)s, 'payment_intent.succeeded', 1, '2026-11-01', object_id,
        '{"id": "pi_1", "object": "payment_intent", "amount": 2500, "currency": "eur"}', '', '', created_at, created_at
    FROM connect_request_log WHERE right(id::text, 12) ~ '[05af]$'
    """,
    """
    INSERT INTO connect_webhook_delivery (id, event_id, endpoint_id, state, attempts, failures, created_at, finished_at)
    SELECT id, id, '01980000-0000-7000-a000-000000000001', CASE WHEN right(id::text, 2) = '0f' THEN 'failed' ELSE
        'succeeded' END, 1, 0, created_at, created_at FROM connect_event
    """,
    """
    INSERT INTO payments_charge (id, account_id, metadata, created_at, payment_intent_id, amount_minor,
        amount_captured_minor, amount_refunded_minor, amount_refunding_minor, currency, status, captured, paid, refunded,
        disputed, billing_details, processor)
    SELECT id, %(nobody)s, '{}', created_at, id, 2500, 2500, 0, 0, (ARRAY['eur', 'mkd'])[1 + (random() * 1)::int],
        'succeeded', true, true, false, false, '{}', 'sandbox'
    FROM connect_request_log WHERE right(id::text, 2) IN ('00', '55', 'aa')
    """,
)


@dataclass(frozen=True, slots=True)
class House:
    """An environment full of requests, and a browser of its owner."""

    slug: str
    rows: int
    client: Any

    def ask(self, path: str, query: dict[str, str], *, fragment: bool) -> float:
        """Milliseconds for a page."""
        started = time.perf_counter()
        answer = self.client.get(f"/o/{self.slug}/test{path}", query, headers=HTMX if fragment else {})
        taken = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:
            raise RuntimeError(f"{path} {query}: {answer.status_code} {answer.content[:300]!r}")
        return taken


def questions(number: int) -> dict[str, tuple[str, dict[str, str], bool]]:
    """What is asked in a round, by what it is called: a path, its query, and whether htmx asks."""
    obj = f"pi_{number % 50000:022d}"
    return {
        "home, 24 hours": ("/", {"period": "24h"}, False),
        "home, 7 days": ("/", {"period": "7d"}, False),
        "home, 30 days": ("/", {"period": "30d"}, False),
        "first steps, fragment": ("/first-steps", {}, True),
        "break something, fragment": ("/break-something", {}, True),
        "usage by endpoint, 30 days": ("/developers/usage", {"period": "30d", "by": "endpoint"}, True),
        "usage by key, 30 days": ("/developers/usage", {"period": "30d", "by": "key"}, True),
        "usage by outcome, 30 days": ("/developers/usage", {"period": "30d", "by": "status"}, True),
        "usage, 24 hours": ("/developers/usage", {"period": "24h"}, True),
        "request log, newest": ("/developers/logs", {}, True),
        "request log, failures": ("/developers/logs", {"status": "failed"}, True),
        "request log, 5xx": ("/developers/logs", {"status": "5"}, True),
        "request log, of a key": ("/developers/logs", {"key": "app-one"}, True),
        "request log, of a path": ("/developers/logs", {"path": f"/v1/refunds/{number % 5000}"}, True),
        "request log, of an object": ("/developers/logs", {"object": obj}, True),
        "events, newest": ("/developers/events", {}, True),
        "events, of an object": ("/developers/events", {"object": obj}, True),
        "webhook endpoints": ("/developers/webhooks", {}, True),
        "API keys": ("/developers/api-keys", {}, True),
        "payments": ("/payments", {}, True),
        "balance": ("/balance", {}, True),
    }


def fill(environment: Any, rows: int) -> None:
    """Requests, what is rolled up from them, events, deliveries and charges."""
    from django.db import connections

    from connect.kit import ids
    from connect.models import ApiKey

    key = ids.encode("key", ApiKey.objects.filter(environment_id=environment.id).values_list("id", flat=True)[0])
    values = {
        "nobody": NOBODY, "rows": rows, "key": key, "until": int(time.time() * 1000), "span": DAYS * 86_400_000,
    }  # fmt: skip
    with connections["owner"].cursor() as cursor:
        cursor.execute(f'SET search_path = "{environment.schema_name}", public')
        for statement in FILL:
            cursor.execute(statement, values)
        cursor.execute("RESET search_path")


def measure(parts: Stack, *, rows: int, rounds: int) -> list[Row]:
    """Both environments in turn; the first tenth of the rounds warms up."""
    small = other(parts)
    print(f"seed {SEED}; filling {SMALL:,} and {rows:,} rows; load {os.getloadavg()[0]:.1f}", flush=True)
    for stack_of, count in ((small, SMALL), (parts, rows)):
        fill(stack_of.environment, count)
        analyze(stack_of)
    both = (House("small", SMALL, _browser()), House(SLUG, rows, _browser()))
    chance = random.Random(SEED)
    found: dict[str, dict[int, list[float]]] = {}
    for turn in range(rounds):
        number = chance.randrange(rows)
        for house in both:
            for name, (path, query, fragment) in questions(number).items():
                taken = house.ask(path, query, fragment=fragment)
                if turn >= rounds // 10:
                    found.setdefault(name, {}).setdefault(house.rows, []).append(taken)
    print(f"load at the end {os.getloadavg()[0]:.1f}", flush=True)
    return [_row(name, times[SMALL], times[rows]) for name, times in found.items()]


def _browser() -> Any:
    """A browser in which the owner of both organizations is signed in."""
    from django.test import Client

    from connect.models import User

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(email="owner@benchmark.example"))
    return client


def _row(name: str, few: list[float], many: list[float]) -> Row:
    few_p95, many_p95 = (statistics.quantiles(times, n=20)[-1] for times in (few, many))

    def told(times: list[float], p95: float) -> str:
        return f"p95 {p95:.1f} ms, median {statistics.median(times):.1f} ms"

    ratio = f"{many_p95 / few_p95:.2f}"
    return Row(name, told(many, many_p95), told(few, few_p95), ratio, f"p95 <= {GOAL_MS:.0f} ms", many_p95 <= GOAL_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with stack() as parts:
        show(measure(parts, rows=options.rows, rounds=options.rounds))


if __name__ == "__main__":
    main()
