"""Calls to a bank that answers, alone and while 200 connections are due at a bank that hangs.

    python benchmarks/banks.py [--rounds 3] [--seconds 12] [--json]

Both banks are a process of their own that speaks HTTP. Sixteen workers take what is due in its order; calls to the good
bank become due at a fixed rate, and each is timed from the moment it was due, so that waiting for a worker counts. Rounds
alternate. Prints the p99 of both and their ratio: at most 1.2.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

GOAL = 1.2
WORKERS = 16
PER_SECOND = 40
CONNECTIONS = 200
DEADLINE_SECONDS = 5.0
ANSWER_SECONDS = 0.05
GOOD, HANGING = "nlb-mk", "stopanska-mk"
BODY = json.dumps({"tppMessages": [{"category": "ERROR", "code": "CONSENT_UNKNOWN", "text": "There is none."}]})


async def serve() -> None:
    """Two banks: the first answers after a moment, the second never. Prints their ports."""

    async def good(reader, writer) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(ANSWER_SECONDS)
                head = (
                    f"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
                )
                writer.write((head + BODY).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def hanging(reader, writer) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    servers = [await asyncio.start_server(handler, "127.0.0.1", 0) for handler in (good, hanging)]
    print(*[server.sockets[0].getsockname()[1] for server in servers], flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def measure(rounds: int, seconds: float) -> dict[str, float]:
    from benchmarks.stack import stack

    with stack(), subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as banks:
        try:
            assert banks.stdout is not None
            ports = banks.stdout.readline().split()
            return _measure(ports, rounds, seconds)
        finally:
            banks.terminate()


def _measure(ports: list[str], rounds: int, seconds: float) -> dict[str, float]:
    from django.db import connections

    from banks.clients.connector import ConnectorError
    from banks.domain.profiles import Operation
    from banks.models import Institution
    from banks.services import bank_calls
    from connect.kit import valkey

    rows = {}
    for slug, port in zip((GOOD, HANGING), ports, strict=True):
        Institution.objects.filter(slug=slug).update(interface={"base_url": f"http://127.0.0.1:{port}"})
        rows[slug] = Institution.objects.get(slug=slug)
    refused: list[str] = []

    def call(slug: str, due: float) -> float:
        while True:
            try:
                bank_calls.ask(
                    rows[slug], Operation.TRANSACTIONS,
                    lambda connector, bank: connector.probe(bank, deadline_seconds=DEADLINE_SECONDS),
                    deadline_seconds=DEADLINE_SECONDS, present=False,
                )  # fmt: skip
            except ConnectorError as error:
                if slug == GOOD and error.code == bank_calls.BUSY:  # a burst: its turn comes, and the wait counts
                    time.sleep(0.01)
                    continue
                if slug == GOOD:
                    raise
                refused.append(error.code or "")
            return time.monotonic() - due

    def one(pool: ThreadPoolExecutor, *, hang: bool) -> float:
        valkey.client().flushdb()
        begun, timed, others = time.monotonic(), [], []
        for number in range(int(seconds * PER_SECOND)):
            due = begun + number / PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            if hang:  # each connection becomes due again every five seconds
                others += [pool.submit(call, HANGING, due) for _ in range(CONNECTIONS // (5 * PER_SECOND))]
            timed.append(pool.submit(call, GOOD, due))
        for future in others:
            future.result()
        found = [future.result() for future in timed]
        return statistics.quantiles(found, n=100)[98]

    with ThreadPoolExecutor(WORKERS) as pool:
        one(pool, hang=False)  # opens connections
        pairs = [(one(pool, hang=False), one(pool, hang=True)) for _ in range(rounds)]
        list(pool.map(lambda _: connections.close_all(), range(WORKERS)))
    alone, beside = (statistics.median(side) for side in zip(*pairs, strict=True))
    return {
        "p99_alone_ms": alone * 1000, "p99_beside_ms": beside * 1000,
        "ratio": statistics.median(two / one for one, two in pairs),
        "sent_to_hanging": sum(code == "timeout" for code in refused) / rounds,
        "not_sent": sum(code != "timeout" for code in refused) / rounds,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    found = measure(options.rounds, options.seconds)
    if options.json:
        print(json.dumps(found))
        return
    print(f"p99 alone {found['p99_alone_ms']:.0f} ms, beside a hanging bank {found['p99_beside_ms']:.0f} ms:"
          f" ratio {found['ratio']:.2f} (goal <= {GOAL})")  # fmt: skip
    print(
        f"in each round {found['sent_to_hanging']:.0f} calls reached the hanging bank, {found['not_sent']:.0f} did not"
    )


if __name__ == "__main__":
    main()
