"""An app's webhook endpoint: it keeps what arrives, and answers what it is told to."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.servers.postgres import free_port


@dataclass(frozen=True)
class Arrived:
    """One request. Header names are lower case."""

    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Sink:
    """Listens on this machine inside the block. `failures` is how many requests get a 500 before the others get 200."""

    def __init__(self, failures: int = 0) -> None:
        self.arrived: list[Arrived] = []
        self.failures = failures
        self._lock = threading.Lock()
        sink = self

        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with sink._lock:
                    status = 500 if sink.failures > 0 else 200
                    sink.failures -= 1
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    sink.arrived.append(Arrived(headers, body, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Endpoint)
        self.address = "http://{}:{}/hook".format(*self._server.server_address)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Sink:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of(self, event_type: str, object_id: str = "") -> list[Arrived]:
        """What arrived of one type, and of one object if it is named, in order."""
        with self._lock:
            known = list(self.arrived)
        return [
            one for one in known
            if one.event["type"] == event_type and object_id in ("", one.event["data"]["object"]["id"])
        ]  # fmt: skip

    def again(self, first: Arrived) -> list[Arrived]:
        """Every request that told of the same event, itself included, in order."""
        with self._lock:
            return [one for one in self.arrived if one.event["id"] == first.event["id"]]
