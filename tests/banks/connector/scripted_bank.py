"""A small HTTP server that says what a test tells it to, and the official description to hold requests against."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from banks.clients.berlin_group import client

DESCRIPTION = Path(__file__).resolve().parents[2] / "sandbox_bank/data/vendor/psd2-api_v1.3.12-2022-07-06.yaml"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    target: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Says:
    """An answer. `body` is JSON unless it is bytes; `raw` is sent instead of everything, and the connection closed;
    `drip` sends 20 bytes a second, `hang` nothing until the server stops.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drip: bool = False
    hang: bool = False


Answer = Says | Callable[[Seen], Says]


@dataclass
class ScriptedBank:
    """Answers with `script` in its order; `default` when it is empty."""

    url: str
    script: deque[Answer] = field(default_factory=deque)
    default: Answer | None = None
    seen: list[Seen] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def says(self, *answers: Answer) -> None:
        self.script.extend(answers)

    def refuses(self, status: int, code: str, **headers: str) -> None:
        self.says(
            Says(status, refusal(code), headers={name.replace("_", "-"): value for name, value in headers.items()})
        )


def refusal(code: str, text: str = "No.") -> dict[str, Any]:
    return {"tppMessages": [{"category": "ERROR", "code": code, "text": text}]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bank: ScriptedBank

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        seen = Seen(self.command, unquote(parts.path), dict(parse_qsl(parts.query)), self.headers,
                    self.rfile.read(length), self.path)  # fmt: skip
        self.bank.seen.append(seen)
        answer = self.bank.script.popleft() if self.bank.script else self.bank.default
        says = answer(seen) if callable(answer) else answer or Says(500, b"nothing was planned")
        try:
            self._answer(says)
        except OSError:
            self.close_connection = True

    do_POST = do_DELETE = do_GET  # noqa: N815 - the names http.server looks for

    def _answer(self, says: Says) -> None:
        self.close_connection = self.close_connection or says.raw is not None or says.hang
        if says.hang:
            self.bank.stopped.wait(30)
            return
        raw = says.raw if says.raw is not None else _written(says)
        if not says.drip:
            self.wfile.write(raw)
            return
        for place in range(len(raw)):
            self.wfile.write(raw[place : place + 1])
            if self.bank.stopped.wait(0.05):
                return

    def log_message(self, *_: Any) -> None:
        pass


def _written(says: Says) -> bytes:
    body = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
    headers = {"Content-Type": "application/json", **says.headers, "Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {says.status} Said", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 300

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[ScriptedBank]:
    """The server on a free port until the block ends."""
    bank = ScriptedBank("")
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"bank": bank}))
    bank.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield bank
    finally:
        bank.stopped.set()
        client.close_connections()
        server.shutdown()
        thread.join()
        server.server_close()


# --- the official description -----------------------------------------------------------------------------------------


@dataclass
class _Request:
    """What openapi-core wants to know of a request."""

    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str


@cache
def description() -> OpenAPI:
    return OpenAPI.from_file_path(str(DESCRIPTION))


def check(seen: Seen) -> None:
    """Raise when the request is not as the official description has it."""
    request = _Request(
        host_url="https://api.testbank.com", path=f"/psd2{urlsplit(seen.target).path or seen.path}", method=seen.method.lower(),
        parameters=RequestParameters(query=ImmutableMultiDict(seen.query), header=Headers(dict(seen.headers.items()))),
        body=seen.body or None, content_type=seen.headers.get("Content-Type") or "",
    )  # fmt: skip
    description().validate_request(request)
