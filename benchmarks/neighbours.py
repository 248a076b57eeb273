"""How long a tenant's requests take alone, beside a tenant that keeps to its limits, and beside one that floods.

    python -m benchmarks.neighbours [--rounds 5] [--seconds 10] [--flood 300]

The web server has the flags of `make run`. The tenant that is measured makes and lists payment intents at a fixed rate;
each request is timed from the moment it was due, so that waiting for a thread counts. The other one, of the tier Free
(50 requests a second), is a process of its own and makes payment intents: at nearly its limit, and at six times as much
as it may, so that five of six are refused. Rounds of the three alternate. Ends with an error if the measured tenant gets
any answer but 200, if nobody was refused in a flood, or if a refusal does not say how long to wait.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import multiprocessing
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks.bank_lists import other
from benchmarks.report import Row, show
from benchmarks.stack import Stack, granian, stack

GOAL: Final = 1.1
TIER: Final = "free"
PER_SECOND: Final = 40
NEARLY: Final = 0.9
"""How much of its limit the other tenant uses when it keeps to it: as much work as a flood may make."""
CONNECTIONS: Final = 32
SETTLE_SECONDS: Final = 2.5
"""After which a flood has used up its burst, and after which a round has left nothing under way for the next."""
PATH: Final = "/v1/payment_intents"
PAYMENT: Final = "amount=2000&currency=eur"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


def flooding(port: int, key: str, orders: Any) -> None:
    """The process of the other tenant: takes `(requests a second, seconds)`, answers with what it got, until None."""
    while (order := orders.recv()) is not None:
        orders.send(asyncio.run(_flood(port, key, *order)))


async def _flood(port: int, key: str, rate: float, seconds: float) -> Counter[str]:
    request = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(PAYMENT)}\r\n\r\n{PAYMENT}"
    ).encode()
    began, numbers, got = time.monotonic(), iter(range(int(rate * seconds))), Counter[str]()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            await asyncio.sleep(began + number / rate - time.monotonic())
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
            status = head.split()[1].decode()
            got[status if status != "429" or b"\r\nretry-after: " in head else "429 without a word when"] += 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return got


class Tenant:
    """The one that is measured: eight connections, opened anew for each round."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.headers = port, {"Authorization": f"Bearer {key}"}

    def latencies(self, seconds: float) -> list[float]:
        """Milliseconds from when each request was due to its answer."""
        own = threading.local()

        def connect() -> None:
            own.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            own.connection.connect()

        def ask(due: float, method: str) -> float:
            if method == "POST":
                own.connection.request("POST", PATH, PAYMENT, self.headers | FORM)
            else:
                own.connection.request("GET", f"{PATH}?limit=10", headers=self.headers)
            answer = own.connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"the neighbour was answered {answer.status}: {body[:500]!r}")
            return (time.monotonic() - due) * 1000

        began, asked = time.monotonic(), []
        with ThreadPoolExecutor(8, initializer=connect) as pool:
            for number in range(int(seconds * PER_SECOND)):
                due = began + number / PER_SECOND
                time.sleep(max(0.0, due - time.monotonic()))
                asked.append(pool.submit(ask, due, "POST" if number % 2 else "GET"))
            return [future.result() for future in asked]


def measure(parts: Stack, *, rounds: int, seconds: float, flood: float) -> list[Row]:
    """Rounds of the three in turn, after one that does not count."""
    from connect.domain import tiers
    from demo.servers.postgres import free_port

    port, noisy, allowed = free_port(), other(parts, tier=TIER), tiers.TIERS[TIER].key.per_second
    rates = {"alone": 0.0, "within": allowed * NEARLY, "flood": flood}
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=flooding, args=(port, noisy.key, there), daemon=True)
    taken: dict[str, list[list[float]]] = {kind: [] for kind in rates}
    got: Counter[str] = Counter()
    with granian("config.wsgi:application", port=port, variables=parts.variables, path="/readyz"):
        process.start()
        tenant = Tenant(port, parts.key)
        tenant.latencies(2)
        for number in range(rounds):
            turns = list(rates) if number % 2 else list(reversed(rates))
            for kind in turns:
                if rates[kind]:
                    here.send((rates[kind], seconds + 2 * SETTLE_SECONDS))
                time.sleep(SETTLE_SECONDS)
                taken[kind].append(tenant.latencies(seconds))
                if rates[kind]:
                    answers = here.recv()
                    got.update({f"{kind} {status}": count for status, count in answers.items()})
                time.sleep(SETTLE_SECONDS)
        here.send(None)
        process.join()
    if not got["flood 429"] or not got.keys() <= {"within 200", "flood 200", "flood 429"}:
        raise RuntimeError(f"the other tenant was answered otherwise than it should: {dict(got)}")
    print(
        f"the flood: {flood:g} requests a second, {got['flood 429']} of {got['flood 200'] + got['flood 429']} refused;"
        f" the neighbour: {PER_SECOND} a second, all answered 200"
    )
    return [_row(taken, "flood", "alone"), _row(taken, "flood", "within"), _row(taken, "within", "alone")]


def _row(taken: dict[str, list[list[float]]], kind: str, beside: str) -> Row:
    def told(rounds: list[list[float]]) -> str:
        every = [one for part in rounds for one in part]
        return f"p99 {p99(every):.1f} ms, median {statistics.median(every):.1f} ms"

    ratios = [p99(one) / p99(base) for one, base in zip(taken[kind], taken[beside], strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        f"the neighbour, {kind} against {beside}",
        told(taken[kind]),
        told(taken[beside]),
        f"{ratio:.2f} ({min(ratios):.2f}..{max(ratios):.2f})",
        f"<= {GOAL}",
        ratio <= GOAL,
    )


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--flood", type=float, default=300, help="requests a second of the noisy tenant")
    options = parser.parse_args()
    with stack() as parts:
        show(measure(parts, **vars(options)))


if __name__ == "__main__":
    main()
