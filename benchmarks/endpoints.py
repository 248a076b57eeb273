"""The API under granian against `baseline`: creating, creating and confirming, listing a hundred payment intents.

    python -m benchmarks.endpoints [--rounds 5] [--seconds 2] [--connections 8]

Both servers run all the time with the same flags, on the same database and schema; their rounds alternate, so that what
else the machine does hits both. Before anything is measured the answers are compared, and the rows that one request
leaves are counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks import load
from benchmarks.report import Row, show
from benchmarks.stack import Stack, granian, stack

PRODUCT, BASELINE = 28410, 28411
PATH = "/v1/payment_intents"
PAYMENT = "amount=2000&currency=eur"
CONFIRMED = f"{PAYMENT}&payment_method=pm_card_visa&confirm=true"
TABLES = (
    "connect_idempotency_key", "connect_event", "payments_payment_intent", "payments_payment_method",
    "payments_payment_attempt", "payments_charge", "payments_balance_transaction", "ledger_transaction", "ledger_entry",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked for, and the share of the baseline's throughput that is the goal."""

    name: str
    method: str
    path: str
    body: str
    goal: float


OPERATIONS = (
    Operation("create", "POST", PATH, PAYMENT, 0.5),
    Operation("create + confirm", "POST", PATH, CONFIRMED, 0.5),
    Operation("list of 100", "GET", f"{PATH}?limit=100", "", 0.7),
)


@contextmanager
def servers(parts: Stack) -> Iterator[None]:
    """The product and the baseline, ready."""
    variables = parts.variables | {
        "FC_BENCHMARK_SCHEMA": parts.environment.schema_name,
        "FC_BENCHMARK_ENVIRONMENT": str(parts.environment.id),
        "FC_BENCHMARK_KEY": parts.key,
    }
    with (
        granian("config.wsgi:application", port=PRODUCT, variables=variables, path="/readyz"),
        granian("benchmarks.baseline:application", port=BASELINE, variables=variables, path="/healthz"),
    ):
        yield


def compare(parts: Stack) -> None:
    """Raise unless both do the same: rows by table, fields of the answers, and a list that is equal byte for byte."""
    from django.db import connection

    from connect.kit.tenancy import use_environment

    def rows() -> list[int]:
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)
        with use_environment(parts.environment), connection.cursor() as cursor:
            cursor.execute(f"SELECT {counts}")
            return list(cursor.fetchone())

    for operation in OPERATIONS:
        left, answers = [], []
        for port in (PRODUCT, BASELINE):
            before = rows()
            request = next(load.requests(operation.method, operation.path, parts.key, operation.body))
            answers.append(load.once(port, request))
            left.append([after - count for after, count in zip(rows(), before, strict=True)])
        if left[0] != left[1]:
            raise RuntimeError(f"{operation.name}: rows {dict(zip(TABLES, zip(*left, strict=True), strict=True))}")
        product, baseline = (json.loads(answer) for answer in answers)
        if operation.method == "GET" and answers[0] != answers[1]:
            raise RuntimeError("the lists differ")
        differing = {name for name in product.keys() | baseline if product.get(name) != baseline.get(name)}
        if not differing <= {"id", "client_secret", "created", "latest_charge", "payment_method"}:
            raise RuntimeError(f"{operation.name}: the answers differ in {differing}")


def analyze(parts: Stack) -> None:
    """What autovacuum does within its first minutes: a new schema has no statistics, and plans would be guesses."""
    from django.db import connections

    schema = parts.environment.schema_name
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        for (table,) in cursor.fetchall():
            cursor.execute(f'VACUUM ANALYZE "{schema}"."{table}"')


def measure(parts: Stack, *, rounds: int = 5, seconds: float = 2, connections: int = 8, only: str = "") -> list[Row]:
    """Alternating rounds; the ratio is the median of the rounds' own ratios."""
    results = []
    with servers(parts):
        compare(parts)
        for operation in OPERATIONS:
            if only and only != operation.name:
                continue
            made: dict[int, list[load.Load]] = {PRODUCT: [], BASELINE: []}
            for number in range(rounds + 1):
                if number == 1:
                    analyze(parts)
                for port, loads in made.items():
                    requests = load.requests(operation.method, operation.path, parts.key, operation.body)
                    found = load.run(port, requests.__next__, connections=connections, seconds=seconds)
                    if number:  # the first round warms up
                        loads.append(found)
            results.append(_row(operation, made[PRODUCT], made[BASELINE]))
    return results


def _row(operation: Operation, product: list[load.Load], baseline: list[load.Load]) -> Row:
    ratios = [ours.per_second / bare.per_second for ours, bare in zip(product, baseline, strict=True)]

    def told(loads: list[load.Load]) -> str:
        rates = [found.per_second for found in loads]
        p95 = statistics.median(found.p95 for found in loads)
        return f"{statistics.median(rates):,.0f}/s ({min(rates):,.0f}..{max(rates):,.0f}), p95 {p95:.1f} ms"

    return Row(
        operation.name,
        told(product),
        told(baseline),
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})",
        f">= {operation.goal}",
        statistics.median(ratios) >= operation.goal,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--only", default="", choices=["", *(operation.name for operation in OPERATIONS)])
    options: Any = vars(parser.parse_args())
    with stack() as parts:
        show(measure(parts, **options))


if __name__ == "__main__":
    main()
