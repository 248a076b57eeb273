"""How late webhooks arrive at two endpoints that are well, while three beside them misbehave, against three that are well.

    python -m benchmarks.webhook_neighbours [--rounds 3] [--seconds 8] [--rate 40]

All five belong to one environment, the worst case: they share a circle of the dispatcher. The three drip one byte a
second, write headers without end and answer with ten gigabytes; in the rounds of the baseline they answer at once. An
event is as late as its arrival is after the moment in its own id, which is when it was written.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import queue
import re
import statistics
import time
from contextlib import suppress
from typing import Any

from benchmarks.report import Row, show
from benchmarks.stack import Stack, stack
from benchmarks.webhooks import ANSWER, Answering, Deliveries, dispatcher, wait

GOAL = 1.2
WELL = 2
_ID = re.compile(rb"\r\nwebhook-id: *(\S+)", re.IGNORECASE)
PIECE = bytes(16 * 1024)
BEGINNINGS = {
    "drip": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    "headers": b"HTTP/1.1 200 OK\r\n",
    "flood": b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n",
}
PIECES = {"drip": (b"x", 1.0), "headers": (b"X-Again: and again\r\n", 0.001), "flood": (PIECE, 0.0)}


class Noting(Answering):
    """Answers at once, and tells which event arrived when."""

    def __init__(self, arrivals: Any) -> None:
        super().__init__(count=None)
        self.arrivals = arrivals

    def requested(self, request: bytes) -> None:
        found = _ID.search(request)
        assert found is not None, request
        self.arrivals.put((found[1].decode(), time.time()))
        self.transport.write(ANSWER)


class Misbehaving(Answering):
    """Answers at once while `ill` is 0; otherwise begins an answer that never ends."""

    def __init__(self, kind: str, ill: Any, begun: Any) -> None:
        super().__init__(begun)
        self.kind, self.ill = kind, ill
        self.task: asyncio.Task[None] | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def requested(self, request: bytes) -> None:
        if not self.ill.value:
            self.transport.write(ANSWER)
            return
        self.count.value += 1
        self.task = asyncio.get_running_loop().create_task(self.go_on())

    async def go_on(self) -> None:
        self.transport.set_write_buffer_limits(high=len(PIECE))
        self.transport.write(BEGINNINGS[self.kind])
        piece, pause = PIECES[self.kind]
        while not self.transport.is_closing():
            self.transport.write(piece)
            await asyncio.sleep(pause)
            await self.writable.wait()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        if self.task is not None:
            self.task.cancel()


def serve(protocols: dict[int, Any]) -> None:
    async def forever() -> None:
        loop = asyncio.get_running_loop()
        for port, protocol in protocols.items():
            await loop.create_server(protocol, "127.0.0.1", port, backlog=1000)
        await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(forever())


def serve_well(ports: list[int], arrivals: Any) -> None:
    serve({port: lambda: Noting(arrivals) for port in ports})


def serve_ill(ports: dict[str, int], ill: Any, begun: Any) -> None:
    serve({port: lambda kind=kind: Misbehaving(kind, ill, begun) for kind, port in ports.items()})


class Round:
    """Publishes at a steady rate and gathers how late the well endpoints got each event."""

    def __init__(self, deliveries: Deliveries, arrivals: Any, *, seconds: float, rate: float) -> None:
        self.deliveries, self.arrivals = deliveries, arrivals
        self.events, self.pause = int(seconds * rate), 1 / rate

    def latenesses(self) -> list[float]:
        """Milliseconds, in order of arrival."""
        from connect.kit import ids

        begun = time.monotonic()
        for number in range(self.events):
            time.sleep(max(0.0, begun + number * self.pause - time.monotonic()))
            self.deliveries.publish(1)
        found = []
        for _ in range(self.events * WELL):
            try:
                name, moment = self.arrivals.get(timeout=30)
            except queue.Empty:
                raise RuntimeError("an event did not arrive at an endpoint that is well") from None
            identifier = ids.decode("evt", name)
            assert identifier is not None, name
            found.append(moment * 1000 - (identifier.int >> 80))
        return found


def measure(parts: Stack, *, rounds: int = 3, seconds: float = 8, rate: float = 40) -> list[Row]:
    """Rounds of both kinds by turns, after one that does not count."""
    from connect.kit.tenancy import use_environment
    from connect.services import webhook_endpoints
    from demo.servers.postgres import free_port

    context = multiprocessing.get_context("spawn")
    arrivals = context.Queue()
    ill, begun = context.Value("b", 0, lock=False), context.Value("q", 0, lock=False)
    well_ports, ill_ports = [free_port() for _ in range(WELL)], {kind: free_port() for kind in PIECES}
    servers = [
        context.Process(target=serve_well, args=(well_ports, arrivals), daemon=True),
        context.Process(target=serve_ill, args=(ill_ports, ill, begun), daemon=True),
    ]
    for server in servers:
        server.start()
    deliveries = Deliveries(parts, well_ports[0], 1)
    for port in well_ports[1:]:
        deliveries.add(port)
    others = [deliveries.add(port) for port in ill_ports.values()]

    def enable(is_enabled: bool) -> None:
        with use_environment(parts.environment):
            for endpoint in others:
                webhook_endpoints.update(deliveries.caller, endpoint_id=endpoint.id, disabled=not is_enabled)

    def work(is_ill: bool, part: Round) -> list[float]:
        ill.value = is_ill
        enable(True)
        found = part.latenesses()
        if not is_ill:
            wait(lambda: not deliveries.open())
        enable(False)  # cancels what the ill ones left
        return found

    quiet: list[list[float]] = []
    loud: list[list[float]] = []
    try:
        with dispatcher(profile=False):
            work(False, Round(deliveries, arrivals, seconds=2, rate=rate))
            for _ in range(rounds):
                quiet.append(work(False, Round(deliveries, arrivals, seconds=seconds, rate=rate)))
                loud.append(work(True, Round(deliveries, arrivals, seconds=seconds, rate=rate)))
    finally:
        for server in servers:
            server.terminate()
            server.join()
    if not begun.value:
        raise RuntimeError("nobody misbehaved")
    baseline, product = p99([one for part in quiet for one in part]), p99([one for part in loud for one in part])
    ratios = [p99(one) / p99(other) for one, other in zip(loud, quiet, strict=True)]
    return [
        Row(
            f"webhooks beside three ill endpoints ({begun.value} endless answers), p99",
            f"{product:,.0f} ms",
            f"{baseline:,.0f} ms",
            f"{product / baseline:.2f} ({min(ratios):.2f}..{max(ratios):.2f})",
            f"<= {GOAL}",
            product / baseline <= GOAL,
        )
    ]


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rate", type=float, default=40)
    options = parser.parse_args()
    with stack() as parts:
        show(measure(parts, **vars(options)))


if __name__ == "__main__":
    main()
