"""`journal.post` through the service against the same SQL function called by bare psycopg, in the same run.

    python benchmarks/ledger.py [--rounds 15] [--calls 200] [--json]

Starts the embedded PostgreSQL below `.local/benchmark`, with commits that reach the disk. Rounds are interleaved, so
that what else the machine does hits all of them; a ratio is the median over rounds of (bare time / service time).

- one:   a posting of two lines, committed. The service builds the posting and opens the environment; bare psycopg sends
         the ready parameters of the function as one autocommitted, prepared statement.
- same:  the same against bare psycopg in BEGIN, SET LOCAL search_path and COMMIT as the product needs them.
- open:  inside a transaction that is open already: what the service itself adds.
- batch: a hundred postings in one call, per posting.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DATABASE = "fc_benchmark_ledger"
ACCOUNTS = 500
BATCH = 100


def prepare() -> Any:
    """A fresh database with one environment, on a server that stops with this process; returns its reference."""
    from demo.servers.postgres import EmbeddedPostgres

    server = EmbeddedPostgres(ROOT / ".local" / "benchmark" / "postgres")
    server.start()
    atexit.register(server.stop)
    server.drop_database(DATABASE)
    server.ensure_database(DATABASE)
    os.environ.setdefault("SECRET_KEY", "benchmark")
    os.environ.setdefault("FC_ENCRYPTION_KEYS", "b1:dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
    os.environ["DATABASE_URL"] = server.app_url(DATABASE)
    os.environ["DATABASE_OWNER_URL"] = server.owner_url(DATABASE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.dev"

    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.DEBUG = False
    call_command("migrate", verbosity=0)
    from connect.models import Environment, User
    from connect.services import environments, organizations

    owner = User.objects.create_user("benchmark@example.com", "correct horse battery staple", name="Benchmark")
    organization = organizations.create(owner_id=owner.id, name="Benchmark", slug="benchmark", tier="enterprise")
    row = Environment.objects.filter(organization_id=organization.id).first()
    return environments.provision(row.id)


class Work:
    """The four kinds of work, each as the service does it and as bare psycopg does it."""

    def __init__(self, environment: Any) -> None:
        import psycopg

        from connect.kit.caller import Caller

        self.environment, self.caller, self.number = environment, Caller.system(environment, "benchmark"), 0
        self.bare = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        self.path = f'SET search_path = "{environment.schema_name}", public'
        self.bare.execute(self.path)
        self.cursor = self.bare.cursor()

    def posting(self) -> Any:
        from connect.kit.money import Money
        from ledger.domain.accounts import AccountSpec
        from ledger.domain.postings import Posting, credit, debit

        self.number += 1
        one, other = random.sample(range(ACCOUNTS), 2)
        money = Money(random.randint(1, 10_000), "eur")
        return Posting(
            "benchmark",
            f"benchmark:{self.number}",
            (
                debit(AccountSpec(f"customers:{one}:available", "eur", "credit"), money),
                credit(AccountSpec(f"customers:{other}:available", "eur", "credit"), money),
            ),
            reference=f"pi_{self.number}",
        )

    def parameters(self, count: int) -> list[str]:
        from ledger.models import arrays

        return arrays.of_postings([self.posting() for _ in range(count)], self.caller.clock.business()).parameters

    def service(self, calls: int) -> float:
        from connect.kit.tenancy import use_environment
        from ledger.services import journal

        started = time.perf_counter()
        for _ in range(calls):
            with use_environment(self.environment):
                journal.post(self.caller, self.posting())
        return (time.perf_counter() - started) / calls

    def service_open(self, calls: int) -> float:
        from connect.kit.tenancy import use_environment
        from ledger.services import journal

        with use_environment(self.environment):
            started = time.perf_counter()
            for _ in range(calls):
                journal.post(self.caller, self.posting())
            return (time.perf_counter() - started) / calls

    def service_batch(self, calls: int) -> float:
        from connect.kit.tenancy import use_environment
        from ledger.services import journal

        started = time.perf_counter()
        for _ in range(calls):
            with use_environment(self.environment):
                journal.post_many(self.caller, [self.posting() for _ in range(BATCH)])
        return (time.perf_counter() - started) / calls / BATCH

    def bare_one(self, calls: int) -> float:
        return self._bare([self.parameters(1) for _ in range(calls)])

    def bare_same(self, calls: int) -> float:
        ready = [self.parameters(1) for _ in range(calls)]
        local = f"BEGIN; {self.path.replace('SET', 'SET LOCAL')}".encode()
        started = time.perf_counter()
        for parameters in ready:
            self.cursor.execute(local)
            self._call(parameters)
            self.cursor.execute(b"COMMIT")
        return (time.perf_counter() - started) / calls

    def bare_open(self, calls: int) -> float:
        with self.bare.transaction():
            return self._bare([self.parameters(1) for _ in range(calls)])

    def bare_batch(self, calls: int) -> float:
        return self._bare([self.parameters(BATCH) for _ in range(calls)]) / BATCH

    def _bare(self, ready: list[list[str]]) -> float:
        started = time.perf_counter()
        for parameters in ready:
            self._call(parameters)
        return (time.perf_counter() - started) / len(ready)

    def _call(self, parameters: list[str]) -> None:
        from ledger.services.journal import POST

        self.cursor.execute(POST, parameters, prepare=True)
        self.cursor.fetchone()


def measure(work: Work, rounds: int, calls: int) -> dict[str, dict[str, float]]:
    """Microseconds per posting and ratios, by kind."""
    few = max(calls // 20, 3)
    kinds: dict[str, tuple[Callable[[int], float], Callable[[int], float], int]] = {
        "one": (work.service, work.bare_one, calls),
        "same": (work.service, work.bare_same, calls),
        "open": (work.service_open, work.bare_open, calls),
        "batch": (work.service_batch, work.bare_batch, few),
    }
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, (service, bare, count) in kinds.items():
            pair = (service(count), bare(count)) if number % 2 else (bare(count), service(count))[::-1]
            if number:  # the first round opens accounts and fills caches
                seen[name].append(pair)
    return {
        name: {
            "service_us": round(statistics.median(s for s, _ in pairs) * 1e6, 1),
            "bare_us": round(statistics.median(b for _, b in pairs) * 1e6, 1),
            "ratio": round(statistics.median(b / s for s, b in pairs), 2),
        }
        for name, pairs in seen.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", action="store_true", help="where the service spends its own time")
    options = parser.parse_args()
    work = Work(prepare())
    if options.profile:
        import cProfile
        import pstats

        work.service_open(500)
        with cProfile.Profile() as profile:
            work.service_open(3000)
        pstats.Stats(profile).sort_stats("tottime").print_stats(28)
        return
    result = measure(work, options.rounds, options.calls)
    if options.json:
        print(json.dumps(result))
        return
    for name, found in result.items():
        print(
            f"{name:6} service {found['service_us']:8} us, bare function {found['bare_us']:8} us per posting:"
            f" {found['ratio']} of its speed"
        )
    from connect.kit.tenancy import use_environment
    from ledger.selectors import drift

    with use_environment(work.environment):
        report = drift.report()
    print(f"afterwards {report.rows} rows, {len(report.faults)} mismatches")


if __name__ == "__main__":
    main()
