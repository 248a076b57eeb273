"""Reading a bank's list into the database, against a bare COPY of the same rows into the same table, in the same run.

    python benchmarks/ingest.py [--entries 100000] [--rounds 3] [--json]

Starts the embedded PostgreSQL below `.local/benchmark`, with commits that reach the disk. A round empties the tables,
lets `entries.ingest` read a first list (match, find references, COPY, change log, commit), then empties them again and
lets bare psycopg COPY the very rows that came of it. The ratio is the median over rounds of (bare time / service time).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
GOAL = 0.4
DAYS = 365
SHOPS = ("Пекара Здравје Скопје", "VERO MARKET 12", "Čačanska pivara d.o.o.", "Shell Gazi Baba", "Dyqani Përgjithshëm")
TEXTS = (
    "Плата за октомври",
    "POS 4242 nabavka",
    "Faktura 2026-{number} model 97 41-{number}",
    "Qira {number}",
    "RF18539007547034",
)


def entries(count: int, *, seed: int) -> list[Any]:
    """A list as banks give it: the newest first, several texts and scripts, ids, a balance after each."""
    from banks.domain.bank_data import EntryData, EntryStatus, PartyData

    chance, today, balance = random.Random(seed), datetime.now(UTC).date(), 10_000_000
    found = []
    for number in range(count):
        day = today - timedelta(days=DAYS - 2 - number * (DAYS - 2) // count)
        amount = chance.randint(-90_000, 90_000)
        balance += amount
        found.append(
            EntryData(
                status=EntryStatus.BOOKED,
                amount_minor=amount,
                currency="mkd",
                transaction_id=f"T{seed}-{number:08}",
                end_to_end_id=f"E2E-{number}" if number % 3 == 0 else None,
                booking_date=day,
                value_date=day,
                counterparty=PartyData(name=chance.choice(SHOPS), account=f"MK07999{chance.randrange(10**12):012}"),
                remittance=chance.choice(TEXTS).format(number=number),
                balance_after_minor=balance,
            )
        )
    return found[::-1]


def connection_of(environment: Any, caller: Any) -> tuple[Any, Any]:
    """A connection with one account."""
    from banks.domain.bank_data import AccountData
    from banks.models import Institution
    from banks.services import accounts, connections
    from connect.kit.tenancy import use_environment

    data = AccountData(
        resource_id="r", iban="MK07999000000000001", national_number=None, currency="mkd", name=None, owner_name=None,
        product=None, cash_account_type=None,
    )  # fmt: skip
    with use_environment(environment):
        connection = connections.create(
            caller,
            institution=Institution.objects.get(slug="sandbox-bank"),
            handle={},
            consent_until=None,
            permissions=["transactions"],
            history_days=DAYS,
        )
        (account,) = accounts.store(caller, connection, (data,))
    return connection, account


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    from benchmarks.ledger import prepare

    environment = prepare()
    import psycopg

    from banks.services.entries import COLUMNS, ingest
    from connect.kit.caller import Caller
    from connect.kit.tenancy import use_environment

    caller = Caller.system(environment, "benchmark")
    connection, account = connection_of(environment, caller)
    since = datetime.now(UTC).date() - timedelta(days=DAYS)
    owner = psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True)
    bare = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    for session in (owner, bare):
        session.execute(f'SET search_path = "{environment.schema_name}", public')
    names = ", ".join(COLUMNS)
    times: list[tuple[float, float, float]] = []
    for number in range(options.rounds):
        listed = entries(options.entries, seed=number)
        owner.execute("TRUNCATE banks_transaction, banks_change")
        begun = time.perf_counter()
        with use_environment(environment):
            counts = ingest(caller, connection, account, listed, since=since, pending_listed=True)
        service = time.perf_counter() - begun
        assert counts.added == options.entries, counts
        begun = time.perf_counter()
        with use_environment(environment):
            counts = ingest(caller, connection, account, listed, since=since, pending_listed=True)
        again = time.perf_counter() - begun
        assert counts.changed == 0, counts
        rows = bare.execute(f"SELECT {names} FROM banks_transaction ORDER BY id").fetchall()
        kept = [
            tuple(str(value) if name == "id" else value for name, value in zip(COLUMNS, row, strict=True))
            for row in rows
        ]
        owner.execute("TRUNCATE banks_transaction, banks_change")
        begun = time.perf_counter()
        with (
            bare.transaction(),
            bare.cursor() as cursor,
            cursor.copy(f"COPY banks_transaction ({names}) FROM STDIN") as copy,
        ):
            for row in kept:
                copy.write_row(row)
        times.append((service, time.perf_counter() - begun, again))
    ratio = statistics.median(copied / service for service, copied, _ in times)
    if options.json:
        print(json.dumps({"ratio": ratio, "times": times}))
        return
    for service, copied, again in times:
        print(f"ingest {service:.2f} s, bare COPY {copied:.2f} s, {copied / service:.2f}; read again {again:.2f} s")
    print(f"{options.entries} entries: ratio {ratio:.2f} (goal >= {GOAL})")


if __name__ == "__main__":
    main()
