"""Pages and their fragments in an environment with 1,000,000 rows in the request log, against one with 10,000.

    python -m benchmarks.fragments [--rows 1000000] [--rounds 40] [--only WORD]

Two environments hold thirty days of requests and what comes of them (`benchmarks/fragment_rows.py`): the roll-ups made
from them, an event, a delivery and an attempt for every fourth, a bank transaction for every fifth, and for about every
85th a payment with its charge, customer, checkout session, postings, audit entry and link session. Every page is asked of
both in turn by a signed-in browser, in this process, through the whole way of a request; what is compared is the 95th
percentile. `--only` asks those whose names hold a word. The tables are filled by SQL and analyzed; what a filter finds
differs from one round to the next. No page may need more than twelve queries.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from benchmarks import fragment_rows
from benchmarks.bank_lists import other
from benchmarks.endpoints import analyze
from benchmarks.report import Row, show
from benchmarks.stack import SLUG, Stack, stack

GOAL_MS: Final = 100.0
QUERIES_MAX: Final = 12
TRANSACTION: Final = re.compile("BEGIN|COMMIT|(RELEASE )?SAVEPOINT .*")
SMALL: Final = 10_000
SEED: Final = 20261126
HTMX: Final = {"HX-Request": "true", "HX-Target": "results"}
LOG: Final = "/developers/logs"
EVENTS: Final = "/developers/events"
HOOKS: Final = "/developers/webhooks"
MONTH: Final = "/developers/usage"

Question = tuple[str, dict[str, str]]
"""A path and its query."""


@dataclass(frozen=True, slots=True)
class House:
    """An environment full of requests, a browser of its owner, and ids of objects that are there, by prefix."""

    slug: str
    rows: int
    client: Any
    known: dict[str, list[str]]

    def one(self, prefix: str, number: int) -> str:
        """An object, another one for every number."""
        return self.known[prefix][number % len(self.known[prefix])]

    def ask(self, question: Question, *, fragment: bool) -> float:
        """Milliseconds for a page."""
        path, query = question
        started = time.perf_counter()
        answer = self.client.get(f"/o/{self.slug}/test{path}", query, headers=HTMX if fragment else {})
        taken = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:
            raise RuntimeError(f"{path} {query}: {answer.status_code} {answer.content[:300]!r}")
        return taken

    def queries(self, question: Question, *, fragment: bool) -> int:
        """How many statements a page sends, but for those that begin and end transactions."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            self.ask(question, fragment=fragment)
        return sum(not TRANSACTION.fullmatch(entry["sql"]) for entry in captured)


def pages(house: House, number: int) -> dict[str, Question]:
    """Whole pages, by what they are called: home, and every page of one object."""
    one = {prefix: house.one(prefix, number) for prefix in house.known}
    return {
        "home, 24 hours": ("/", {"period": "24h"}),
        "home, 7 days": ("/", {"period": "7d"}),
        "home, 30 days": ("/", {"period": "30d"}),
        "a request": (f"{LOG}/{one['req']}", {}),
        "an event": (f"{EVENTS}/{one['evt']}", {}),
        "a webhook endpoint": (f"{HOOKS}/{one['we']}", {}),
        "a delivery": (f"{HOOKS}/deliveries/{one['whd']}", {}),
        "the webhook inbox": (f"{HOOKS}/inbox", {}),
        "a payment": (f"/payments/{one['pi']}", {}),
        "a charge, as any object": (f"/objects/{one['ch']}", {}),
        "a customer": (f"/customers/{one['cus']}", {}),
        "a checkout session": (f"/checkout/{one['cs']}", {}),
        "a ledger account": (f"/ledger/accounts/{one['lacct']}", {}),
        "a ledger transaction": (f"/ledger/transactions/{one['ltxn']}", {}),
        "a bank connection": (f"/banks/connections/{one['conn']}", {}),
        "a bank account": (f"/banks/accounts/{one['bka']}", {}),
        "a bank transaction": (f"/banks/transactions/{one['btx']}", {}),
        "a link session": (f"/banks/link-sessions/{one['lks']}", {}),
    }


def fragments(house: House, number: int) -> dict[str, Question]:
    """What htmx asks for, by what it is called: every list with its filters, for what is often there, for what is seldom
    and for what was there long ago.
    """
    intent, customer = f"pi_{number % 50000:022d}", house.one("cus", number)
    endpoint = f"{HOOKS}/{house.one('we', number)}"
    old = datetime.now(UTC) - timedelta(days=20, seconds=number % 86400)
    before, after = (f"{moment:%Y-%m-%dT%H:%M}" for moment in (old, old - timedelta(hours=6)))
    return {
        "first steps": ("/first-steps", {}),
        "break something": ("/break-something", {}),
        "usage by endpoint, 30 days": (MONTH, {"period": "30d", "by": "endpoint"}),
        "usage by key, 30 days": (MONTH, {"period": "30d", "by": "key"}),
        "usage by outcome, 30 days": (MONTH, {"period": "30d", "by": "status"}),
        "usage, 24 hours": (MONTH, {"period": "24h"}),
        "request log, newest": (LOG, {}),
        "request log, a page from the middle": (LOG, {"after": house.one("req", number)}),
        "request log, failures": (LOG, {"status": "failed"}),
        "request log, 5xx": (LOG, {"status": "5"}),
        "request log, deletions": (LOG, {"method": "DELETE"}),
        "request log, of a key": (LOG, {"key": "app-one"}),
        "request log, of a key no longer used": (LOG, {"key": "app-old"}),
        "request log, of a path": (LOG, {"path": f"/v1/refunds/{number % 5000}"}),
        "request log, of a resource": (LOG, {"path": "/v1/refunds"}),
        "request log, of an object": (LOG, {"object": intent}),
        "request log, three weeks ago": (LOG, {"since": after, "until": before}),
        "events, newest": (EVENTS, {}),
        "events, of an object": (EVENTS, {"object": intent}),
        "events, of a seldom type": (EVENTS, {"type": "customer.deleted"}),
        "events, of a type that never was": (EVENTS, {"type": "customer.updated"}),
        "events, delivered": (EVENTS, {"delivered": "yes"}),
        "events, not delivered": (EVENTS, {"delivered": "no"}),
        "webhook endpoints": (HOOKS, {}),
        "deliveries of an endpoint": (endpoint, {}),
        "deliveries of an endpoint, failed": (endpoint, {"status": "failed"}),
        "deliveries of an endpoint, canceled": (endpoint, {"status": "canceled"}),
        "payments": ("/payments", {}),
        "payments, canceled": ("/payments", {"status": "canceled"}),
        "customers": ("/customers", {}),
        "customers, by e-mail": ("/customers", {"q": f"payer-{number % 4096:06x}@example.com"}),
        "checkout sessions": ("/checkout", {}),
        "checkout sessions, open": ("/checkout", {"status": "open"}),
        "balance": ("/balance", {}),
        "balance, refunds": ("/balance", {"type": "refund"}),
        "ledger accounts": ("/ledger", {}),
        "ledger transactions": ("/ledger/transactions", {}),
        "ledger transactions, of a charge": ("/ledger/transactions", {"reference": house.one("ch", number)}),
        "ledger transactions, of a seldom kind": ("/ledger/transactions", {"kind": "reversal"}),
        "bank connections": ("/banks/connections", {}),
        "bank accounts": ("/banks/accounts", {}),
        "bank transactions": ("/banks/transactions", {}),
        "bank transactions, a search": ("/banks/transactions", {"q": f"Фактура {number % 2000:08d}"}),
        "bank transactions, of an account": ("/banks/transactions", {"account": house.one("bka", number)}),
        "bank transactions, of an amount": ("/banks/transactions", {"amount": f"{number % 10000}.17"}),
        "bank transactions, of a day": ("/banks/transactions", {"since": "2025-02-01", "until": "2025-02-01"}),
        "link sessions": ("/banks/link-sessions", {}),
        "link sessions, open": ("/banks/link-sessions", {"status": "open"}),
        "API keys": ("/developers/api-keys", {}),
        "apps": ("/developers/apps", {}),
        "apps let in": ("/developers/apps-let-in", {}),
        "audit log": ("/audit", {}),
        "audit log, of a person": ("/audit", {"actor": "usr_00000000000000000000aa"}),
        "audit log, of an act that never was": ("/audit", {"action": "environment.created"}),
        "palette, opened": ("/palette", {}),
        "palette, a name": ("/palette", {"q": f"Payer {number % 4096:06x}"}),
        "palette, an id": ("/palette", {"q": customer}),
    }


def measure(parts: Stack, *, rows: int, rounds: int, only: str = "") -> list[Row]:
    """Both environments in turn; the first tenth of the rounds warms up, and one counts queries."""
    small = other(parts)
    print(f"seed {SEED}; filling {SMALL:,} and {rows:,} rows; load {os.getloadavg()[0]:.1f}", flush=True)
    for stack_of, count in ((small, SMALL), (parts, rows)):
        fragment_rows.fill(stack_of.environment, count)
        analyze(stack_of)
    client = _browser()
    both = (
        House("small", SMALL, client, fragment_rows.known(small.environment)),
        House(SLUG, rows, client, fragment_rows.known(parts.environment)),
    )
    chance = random.Random(SEED)
    found: dict[str, dict[int, list[float]]] = {}
    statements: dict[str, int] = {}
    for turn in range(rounds + 2):
        number = chance.randrange(rows)
        for house in both:
            for name, (question, fragment) in _questions(house, number, only).items():
                if turn == 1:  # the round before has warmed up
                    statements[name] = max(statements.get(name, 0), house.queries(question, fragment=fragment))
                    continue
                taken = house.ask(question, fragment=fragment)
                if turn > max(1, rounds // 10):
                    found.setdefault(name, {}).setdefault(house.rows, []).append(taken)
    print(f"load at the end {os.getloadavg()[0]:.1f}; most queries of a page: {max(statements.values())}", flush=True)
    return [_row(name, times[SMALL], times[rows], statements[name]) for name, times in found.items()]


def _questions(house: House, number: int, only: str) -> dict[str, tuple[Question, bool]]:
    """All that is asked in a round, and whether htmx asks."""
    asked = {name: (question, False) for name, question in pages(house, number).items()}
    asked |= {name: (question, True) for name, question in fragments(house, number).items()}
    return {name: each for name, each in asked.items() if only in name}


def _browser() -> Any:
    """A browser in which the owner of both organizations is signed in."""
    from django.test import Client

    from connect.models import User

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(email="owner@benchmark.example"))
    return client


def _row(name: str, few: list[float], many: list[float], queries: int) -> Row:
    few_p95, many_p95 = (statistics.quantiles(times, n=20)[-1] for times in (few, many))

    def told(times: list[float], p95: float) -> str:
        return f"p95 {p95:.1f} ms, median {statistics.median(times):.1f} ms"

    ratio = f"{statistics.median(many) / statistics.median(few):.2f}"
    met = many_p95 <= GOAL_MS and queries <= QUERIES_MAX
    return Row(name, told(many, many_p95), told(few, few_p95), ratio, f"p95 <= {GOAL_MS:.0f} ms", met)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with stack() as parts:
        show(measure(parts, rows=options.rows, rounds=options.rounds, only=options.only))


if __name__ == "__main__":
    main()
