"""Lists, searches and syncs of bank transactions with 1,000,000 rows against the same with 10,000.

    python -m benchmarks.bank_lists [--rows 1000000] [--rounds 60]

Two environments hold connections of 2,000 transactions each, five of them or five hundred. Every question is asked of
both in turn, in this process, through the whole way of a request; what is compared is the 95th percentile. The tables
are filled by SQL and analyzed, so a run takes some minutes; rows that are read differ from one request to the next.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.endpoints import analyze
from benchmarks.report import Row, show
from benchmarks.stack import Stack, fill_tables, stack

GOAL: Final = 1.5
SMALL: Final = 10_000
OF_CONNECTION: Final = 2_000
ACCOUNTS: Final = 2
SEED: Final = 20261126
PATH: Final = "/v1/banking/transactions"
NOBODY: Final = "00000000-0000-0000-0000-000000000000"

FILL: Final = (
    """
    INSERT INTO banks_connection (id, account_id, created_at, metadata, institution_id, connector, status, permissions,
        history_days, consented_at, position, sync_failures, history_complete, calls, synced_at, client_reference_id)
    SELECT ('0198000000007000a000' || lpad(to_hex(c), 12, '0'))::uuid, %(nobody)s, now(), '{}', %(nobody)s,
        'berlin_group', 'active', '["accounts", "balances", "transactions"]', 90, now(), %(of_connection)s, 0, true, 0,
        now(), 'user-' || c
    FROM generate_series(0, %(connections)s - 1) c
    """,
    """
    INSERT INTO banks_account (id, account_id, created_at, metadata, connection_id, resource_id, identity_hash, iban,
        currency, status, balances)
    SELECT ('0198000000007000b000' || lpad(to_hex(a), 12, '0'))::uuid, %(nobody)s, now(), '{}',
        ('0198000000007000a000' || lpad(to_hex(a / %(accounts)s), 12, '0'))::uuid, 'r' || a,
        decode(lpad(to_hex(a), 64, '0'), 'hex'), 'MK07999' || lpad(a::text, 12, '0'), 'mkd', 'open', '[]'
    FROM generate_series(0, %(connections)s * %(accounts)s - 1) a
    """,
    """
    INSERT INTO banks_transaction (id, account_id, created_at, bank_account_id, connection_id, status, amount_minor,
        currency, booking_date, sort_date, counterparty_name, remittance, fingerprint, occurrence, content_hash,
        search_text, version, fetched_at, updated_at, institution_transaction_id)
    SELECT (lpad(to_hex(1752900000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid, %(nobody)s,
        now(), ('0198000000007000b000' || lpad(to_hex(n %% (%(connections)s * %(accounts)s)), 12, '0'))::uuid,
        ('0198000000007000a000' || lpad(to_hex(n %% (%(connections)s * %(accounts)s) / %(accounts)s), 12, '0'))::uuid,
        'booked', (n::bigint * 7919 %% 2000001) - 1000000, 'mkd', date '2024-01-01' + (n * 700 / %(rows)s)::int,
        date '2024-01-01' + (n * 700 / %(rows)s)::int, 'Купувач ' || n %% 997, 'Фактура ' || lpad(n::text, 8, '0'),
        decode(md5(n::text), 'hex'), 0, decode(md5('c' || n), 'hex'),
        'kupuvac ' || n %% 997 || ' faktura ' || lpad(n::text, 8, '0'), 1, now(), now(), 'b' || n
    FROM generate_series(0, %(rows)s - 1) n
    """,
    """
    INSERT INTO banks_change (connection_id, position, transaction_id, kind)
    SELECT connection_id, row_number() OVER (PARTITION BY connection_id ORDER BY id), id, 'added' FROM banks_transaction
    """,
)


@dataclass(frozen=True, slots=True)
class Books:
    """An environment full of transactions, and a client of its API."""

    key: str
    rows: int

    @property
    def connections(self) -> int:
        return self.rows // OF_CONNECTION

    def connection(self, number: int) -> str:
        from uuid import UUID

        from connect.kit import ids

        return ids.encode("conn", UUID(f"0198000000007000a000{number % self.connections:012x}"))

    def account(self, number: int) -> str:
        from uuid import UUID

        from connect.kit import ids

        return ids.encode("bka", UUID(f"0198000000007000b000{number % (self.connections * ACCOUNTS):012x}"))

    def transaction(self, number: int) -> str:
        from uuid import UUID

        from connect.kit import ids

        place = number % self.rows
        return ids.encode("btx", UUID(f"{1752900000000 + place:012x}70008000{place:012x}"))

    def invoice(self, number: int) -> str:
        return f"{number % self.rows:08d}"


def questions(books: Books, number: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is asked in a round, by what it is called: a path and its parameters."""
    account, connection = books.account(number), books.connection(number)
    return {
        "first page of 100": (PATH, {"limit": 100}),
        "a page from the middle": (PATH, {"limit": 100, "starting_after": books.transaction(number)}),
        "of an account": (PATH, {"limit": 100, "account": account}),
        "of a connection": (PATH, {"limit": 100, "connection": connection}),
        "of an account, by date": (
            PATH, {"limit": 100, "account": account, "booking_date[gte]": "2025-01-01", "direction": "out"},
        ),
        "search, one hit": (PATH, {"query": f"Фактура {books.invoice(number)}"}),
        "search, many hits": (PATH, {"query": "faktura kupuvac"}),
        "search in an account": (PATH, {"query": "faktura", "account": account}),
        "sync from the beginning": (f"{PATH}/sync", {"connection": connection}),
    }  # fmt: skip


def fill(environment: Any, rows: int) -> None:
    """Connections, accounts, transactions and the change log."""
    values = {
        "nobody": NOBODY, "rows": rows, "connections": rows // OF_CONNECTION, "accounts": ACCOUNTS,
        "of_connection": OF_CONNECTION,
    }  # fmt: skip
    fill_tables(environment, FILL, values)


def measure(parts: Stack, *, rows: int, rounds: int) -> list[Row]:
    """Both environments in turn; the first tenth of the rounds warms up."""
    from django.test import Client

    small = other(parts)
    print(f"seed {SEED}; filling {SMALL:,} and {rows:,} rows", flush=True)
    for books_of, count in ((small, SMALL), (parts, rows)):
        fill(books_of.environment, count)
        analyze(books_of)
    client, chance = Client(), random.Random(SEED)
    found: dict[str, dict[int, list[float]]] = {}
    both = (Books(small.key, SMALL), Books(parts.key, rows))
    for turn in range(rounds):
        number = chance.randrange(rows)
        for books in both:
            for name, (path, query) in questions(books, number).items():
                taken = _ask(client, books, path, query)
                if turn >= rounds // 10:
                    found.setdefault(name, {}).setdefault(books.rows, []).append(taken)
    return [_row(name, times[SMALL], times[rows]) for name, times in found.items()]


def _ask(client: Any, books: Books, path: str, query: dict[str, Any]) -> float:
    started = time.perf_counter()
    answer = client.get(path, query, headers={"authorization": f"Bearer {books.key}"})
    taken = (time.perf_counter() - started) * 1000
    if answer.status_code != 200 or not json.loads(answer.content).get("data", True):
        raise RuntimeError(f"{path} {query}: {answer.content[:300]!r}")
    return taken


def other(parts: Stack, *, tier: str = "enterprise") -> Stack:
    """A second organization's environment beside the first."""
    from connect.kit import ids
    from connect.kit.caller import Actor, Caller
    from connect.models import Environment, User
    from connect.services import api_keys, environments, organizations

    owner = User.objects.get(email="owner@benchmark.example")
    made = organizations.create(owner_id=owner.id, name="Small", slug="small", tier=tier)
    environment = environments.provision(Environment.objects.get(organization_id=made.id, kind="test").id)
    caller = Caller(environment=environment, actor=Actor("user", ids.encode("usr", owner.id)))
    _, secret = api_keys.create(caller, name="Benchmark", scopes=["*"])
    return Stack(parts.variables, environment, secret)


def _row(name: str, few: list[float], many: list[float]) -> Row:
    few_p95, many_p95 = (statistics.quantiles(times, n=20)[-1] for times in (few, many))
    ratio = many_p95 / few_p95

    def told(times: list[float], p95: float) -> str:
        return f"p95 {p95:.1f} ms, median {statistics.median(times):.1f} ms"

    return Row(name, told(many, many_p95), told(few, few_p95), f"{ratio:.2f}", f"<= {GOAL}", ratio <= GOAL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with stack() as parts:
        show(measure(parts, rows=options.rows, rounds=options.rounds))


if __name__ == "__main__":
    main()
