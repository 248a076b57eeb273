"""Somebody's endpoint, which remembers which events arrived."""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode
from uuid import UUID

from connect.kit import ids
from demo.servers.postgres import free_port
from tests.crash.stack import CrashStack


class Inbox:
    """Listens on this machine inside the block; `events` counts arrivals by event id. It answers after `seconds`."""

    def __init__(self, seconds: float = 0) -> None:
        self.events: Counter[str] = Counter()
        self._counting = threading.Lock()
        inbox = self

        class Page(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with inbox._counting:
                    inbox.events[event["id"]] += 1
                time.sleep(seconds)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Page)
        self.address = "http://{}:{}/".format(*self._server.server_address)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Inbox:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def arrivals(self) -> int:
        """How many requests came, those of one event counted one by one."""
        with self._counting:
            return sum(self.events.values())

    def duplicates(self) -> str:
        """A line for the report: events, and how many of the requests were not the first of their event."""
        twice = self.arrivals - len(self.events)
        return f"{len(self.events)} events arrived, {twice} requests were duplicates ({twice / self.arrivals:.1%})"


def register(stack: CrashStack, address: str) -> UUID:
    """Have every event of Acme's test environment sent to `address`. The endpoint's key in the tables."""
    key = stack.secrets["acme"]["test"]
    request = urllib.request.Request(
        f"{stack.address}/v1/webhook_endpoints",
        urlencode({"url": address, "enabled_events[]": "*"}).encode(),
        {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        identifier = ids.decode("we", json.loads(answer.read())["id"])
    assert identifier is not None
    return identifier
