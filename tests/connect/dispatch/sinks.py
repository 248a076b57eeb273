"""Servers for endpoints: small, real, on this machine, in a thread with a loop of their own."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from demo.servers.postgres import free_port

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """A request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Sink:
    """A listener that counts what reaches it. `answer` is sent to every whole request, byte for byte."""

    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    handler: Handler | None = None
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    connections: int = 0
    requests: list[Received] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    loop: asyncio.AbstractEventLoop = field(init=False)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

    def wait_for(self, count: int, seconds: float = 30) -> None:
        """Until `count` requests have arrived; raises AssertionError when they do not."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, seconds), (
                f"{len(self.requests)} of {count} requests arrived"
            )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                request = await read_request(reader)
                with self.arrived:
                    self.requests.append(request)
                    self.arrived.notify_all()
                if self.handler:
                    await self.handler(reader, writer)
                    break
                writer.write(self.answer)
                await writer.drain()
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()


async def read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rows = head.rstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    return Received(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@contextmanager
def running(*sinks: Sink) -> Iterator[None]:
    """The sinks, listening."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    servers: list[asyncio.Server] = []

    async def start() -> None:
        for sink in sinks:
            sink.loop = loop
            family = socket.AF_INET6 if ":" in sink.host else socket.AF_INET
            server = await asyncio.start_server(
                sink.serve, sink.host, sink.port, family=family, ssl=sink.tls, backlog=1000
            )
            servers.append(server)
        started.set()

    async def stop() -> None:
        for server in servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(10):
            await asyncio.sleep(0)  # the loop closes sockets in its next turns

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(stop())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=work, name="sinks")
    thread.start()
    assert started.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
