"""A load generator: keep-alive connections in one thread, about 20 µs of its own per request, the same for everybody.

Each connection sends its next request when the answer to the last one is complete. An answer other than 200 ends the
run: a refusal must never pass for a fast answer.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ANSWER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Load:
    """How a run went: answers per second, and milliseconds an answer took at the median and the 95th percentile."""

    per_second: float
    p50: float
    p95: float


def run(port: int, next_request: Callable[[], bytes], *, connections: int, seconds: float) -> Load:
    """Ask for `seconds`. Only answers that came within that time are counted."""
    took: list[float] = []
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(connections):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client, selectors.EVENT_READ, _Exchange(client))
        started = time.perf_counter()
        end = started + seconds
        for key in list(selector.get_map().values()):
            key.data.send(next_request())
        while time.perf_counter() < end:
            ready = selector.select(ANSWER_SECONDS)
            if not ready:
                raise RuntimeError(f"port {port} gives no answer")
            for key, _ in ready:
                if key.data.receive():
                    took.append(time.perf_counter() - key.data.sent)
                    key.data.send(next_request())
        elapsed = time.perf_counter() - started
        for key in list(selector.get_map().values()):  # let the last ones end, so that the next round is alone
            while not key.data.receive():
                pass
    took.sort()
    return Load(len(took) / elapsed, took[len(took) // 2] * 1000, took[len(took) * 95 // 100] * 1000)


def once(port: int, request: bytes) -> bytes:
    """The body of one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as client:
        exchange = _Exchange(client)
        exchange.send(request)
        while not exchange.receive():
            pass
        return exchange.body


def requests(method: str, path: str, key: str, body: str = "") -> Iterator[bytes]:
    """The same request for ever; a POST each time under an idempotency key of its own, as a form like official SDKs."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    if method == "GET":
        while True:
            yield f"{head}\r\n".encode()
    head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\nIdempotency-Key: "
    before, after = head.encode() + str(time.time_ns()).encode() + b"-", f"\r\n\r\n{body}".encode()
    number = 0
    while True:
        number += 1
        yield before + b"%d" % number + after


class _Exchange:
    """One connection: a request that was sent and what came back so far."""

    __slots__ = ("_buffer", "_end", "client", "sent")

    def __init__(self, client: socket.socket) -> None:
        self.client, self.sent = client, 0.0
        self._buffer, self._end = b"", 0

    def send(self, request: bytes) -> None:
        self._buffer, self._end = b"", 0
        self.sent = time.perf_counter()
        self.client.sendall(request)

    def receive(self) -> bool:
        """Read what is there; True when the answer is complete."""
        received = self.client.recv(262144)
        if not received:
            raise RuntimeError("the server closed the connection")
        self._buffer += received
        if not self._end:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return False
            length = _LENGTH.search(self._buffer, 0, head)
            if not self._buffer.startswith(b"HTTP/1.1 200") or length is None:
                raise RuntimeError(f"not the answer that is measured: {self._buffer[:1000]!r}")
            self._end = head + 4 + int(length[1])
        return len(self._buffer) >= self._end

    @property
    def body(self) -> bytes:
        return self._buffer.partition(b"\r\n\r\n")[2]
