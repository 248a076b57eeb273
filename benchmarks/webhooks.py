"""Deliveries a second through the real dispatcher, against a bare aiohttp loop that sends the same bytes in the same run.

    python -m benchmarks.webhooks [--rounds 5] [--events 3000] [--endpoints 4] [--processes 2] [--profile]

Both send to the same sink, a process of its own that answers at once. The dispatchers are `manage.py dispatch_webhooks`,
one for each core as operations.md advises; their time runs from the commit of the events, with fan-out, claims,
signatures and attempts, until the last delivery has been recorded. The bare loop does nothing but send. The second row
compares the CPU time that the senders take for a delivery, which other work on the machine changes little. `--profile` shows where the dispatcher's own time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.report import Row, show
from benchmarks.stack import ROOT, Stack, stack

GOAL = 0.5
PLACES = 8  # at once to one endpoint, for both
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
TYPE = "payment_intent.succeeded"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Answering(asyncio.Protocol):
    """HTTP enough to answer whole requests and to count them."""

    def __init__(self, count: Any) -> None:
        self.count, self.rest = count, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.rest, 0, end)
            end += 4 + (int(length[1]) if length else 0)
            if len(self.rest) < end:
                return
            request, self.rest = self.rest[:end], self.rest[end:]
            self.requested(request)

    def requested(self, request: bytes) -> None:
        """A whole request has come."""
        self.count.value += 1
        self.transport.write(ANSWER)


def sink(port: int, count: Any) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Answering(count), "127.0.0.1", port, backlog=1000)
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


def bare(url: str, headers: dict[str, str], body: bytes, total: int, at_once: int, answers: Any) -> None:
    """Send `total` requests, `at_once` of them open; puts the seconds it took, and those of CPU."""
    import aiohttp

    async def work() -> tuple[float, float]:
        left = iter(range(total))

        async def worker() -> None:
            for _ in left:
                async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    assert response.status == 200
                    await response.read()

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            started, busy = time.perf_counter(), time.process_time()
            await asyncio.gather(*(worker() for _ in range(at_once)))
            return time.perf_counter() - started, time.process_time() - busy

    answers.put(asyncio.run(work()))


class Deliveries:
    """Endpoints of one environment, and events for them."""

    def __init__(self, parts: Stack, port: int, endpoints: int) -> None:
        from connect.kit.caller import Actor, Caller

        self.caller = Caller(environment=parts.environment, actor=Actor("system", "benchmark"))
        for _ in range(endpoints):
            self.add(port)

    def add(self, port: int) -> Any:
        """One more endpoint, on this port."""
        from connect.kit.tenancy import use_environment
        from connect.services import webhook_endpoints

        with use_environment(self.caller.environment):
            return webhook_endpoints.create(self.caller, url=f"http://127.0.0.1:{port}/hook", enabled_events=[TYPE])

    def publish(self, events: int) -> None:
        from connect.kit.tenancy import use_environment
        from connect.services.events import NewEvent, publish
        from payments.shapes.payment_intents import PaymentIntentOut

        payload = sample(PaymentIntentOut)
        with use_environment(self.caller.environment):
            for _ in range(events):
                publish(self.caller, NewEvent(TYPE, payload, object_id="pi_benchmark"))

    def example(self) -> Any:
        """A request as the dispatcher sends it; everything else that waits is forgotten."""
        from connect.kit.tenancy import use_environment
        from connect.models import WebhookDelivery
        from connect.services import webhook_deliveries

        self.publish(1)
        with use_environment(self.caller.environment):
            webhook_deliveries.fan_out(self.caller)
            outgoing = webhook_deliveries.claim(self.caller, limit=1)[0]
            WebhookDelivery.objects.all().delete()
        return outgoing

    def open(self) -> bool:
        from connect.kit.tenancy import use_environment
        from connect.models import Event, WebhookDelivery

        with use_environment(self.caller.environment):
            return (
                Event.objects.filter(fanned_out_at=None).exists()
                or WebhookDelivery.objects.filter(state="pending").exists()
            )


def sample(shape: Any) -> Any:
    from connect.kit import event_samples

    return event_samples.sample(shape)


@contextmanager
def dispatchers(count: int, *, profile: bool) -> Any:
    """That many processes, which share the work as they would in production."""
    with ExitStack() as stack:
        yield [stack.enter_context(dispatcher(profile=profile)) for _ in range(count)]


@contextmanager
def dispatcher(*, profile: bool) -> Any:
    command = [
        sys.executable,
        *(["-m", "cProfile", "-s", "tottime"] if profile else []),
        "manage.py",
        "dispatch_webhooks",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        words, _ = process.communicate(timeout=60)
        if profile:
            print("\n".join(words.splitlines()[:60]))


def measure(
    parts: Stack,
    *,
    rounds: int = 5,
    events: int = 3000,
    endpoints: int = 4,
    processes: int = 2,
    profile: bool = False,
) -> list[Row]:
    """The dispatcher and the bare loop by turns, after a round that does not count."""
    from demo.servers.postgres import free_port

    context = multiprocessing.get_context("spawn")
    port, count = free_port(), context.Value("q", 0, lock=False)
    answering = context.Process(target=sink, args=(port, count), daemon=True)
    answering.start()
    deliveries = Deliveries(parts, port, endpoints)
    outgoing = deliveries.example()
    total = events * endpoints
    ours: list[float] = []
    theirs: list[float] = []
    busy: list[tuple[float, float]] = []
    try:
        with dispatchers(processes, profile=profile) as running:
            deliveries.publish(1)  # it is there once this has arrived
            wait(lambda: not deliveries.open())
            for _ in range(rounds + 1):
                before = count.value
                deliveries.publish(events)
                started, used = time.perf_counter(), sum(cpu_seconds(one.pid) for one in running)
                wait(lambda before=before: count.value - before >= total and not deliveries.open())
                ours.append(total / (time.perf_counter() - started))
                used = sum(cpu_seconds(one.pid) for one in running) - used
                answers = context.Queue()
                loop = context.Process(
                    target=bare,
                    args=(outgoing.url, dict(outgoing.headers), outgoing.body, total, PLACES * endpoints, answers),
                )
                loop.start()
                seconds, bare_used = answers.get()
                theirs.append(total / seconds)
                busy.append((used / total * 1e6, bare_used / total * 1e6))
                loop.join()
    finally:
        answering.terminate()
        answering.join()
    name = f"webhooks, {processes} dispatcher(s), {endpoints} endpoints, {len(outgoing.body)} bytes"
    rates = list(zip(ours[1:], theirs[1:], strict=True))
    return [
        row(name, "/s", rates, [one / other for one, other in rates]),
        row(f"{name}: CPU of the sender", " us", busy[1:], [other / one for one, other in busy[1:]]),
    ]


def row(name: str, unit: str, pairs: list[tuple[float, float]], ratios: list[float]) -> Row:
    product, baseline = (f"{statistics.median(column):,.0f}{unit}" for column in zip(*pairs, strict=True))
    ratio = statistics.median(ratios)
    shown = f"{ratio:.2f} ({min(ratios):.2f}..{max(ratios):.2f})"
    return Row(name, product, baseline, shown, f">= {GOAL}", ratio >= GOAL)


def cpu_seconds(process_id: int) -> float:
    """What a process has used of the processors so far, all its threads. Linux tells it."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait(truth: Any) -> None:
    deadline = time.monotonic() + 120
    while not truth():
        if time.monotonic() > deadline:
            raise RuntimeError("the deliveries do not end")
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--endpoints", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with stack() as parts:
        show(measure(parts, **vars(options)))


if __name__ == "__main__":
    main()
