"""The whole product and the sandbox bank as processes, with a database each, for tests that meet it as its users do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import sandbox_bank
from tests.live_server import Answered, LiveServer, database_copy
from tests.sandbox_bank.live import SandboxBank, bank_database
from tests.stack import ROOT, Stack


@dataclass(frozen=True)
class App:
    """A developer's program: an address and a key are all it knows."""

    server: LiveServer
    key: str

    def get(self, path: str) -> Any:
        return self._content(self.server.request("GET", path, key=self.key))

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self._content(self.answer(path, body, **headers))

    def answer(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Answered:
        """The whole answer of a POST, whatever it says."""
        return self.server.request("POST", path, body or {}, key=self.key, **headers)

    def everything(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        while True:
            after = {"starting_after": found[-1]["id"]} if found else {}
            pairs = "&".join(f"{name}={value}" for name, value in {"limit": "100", **query, **after}.items())
            page = self.get(f"{path}?{pairs}")
            found += page["data"]
            if not page["has_more"]:
                return found

    @staticmethod
    def _content(answer: Answered) -> Any:
        assert answer.status == 200, answer.body
        return answer.json()


@dataclass(frozen=True)
class Product:
    """A running product with its bank. `acme` is a developer's program in Acme's test environment."""

    stack: Stack
    server: LiveServer
    bank: SandboxBank

    def app(self, key: str) -> App:
        return App(self.server, key)

    @property
    def acme(self) -> App:
        return self.app(self.server.secrets["acme"]["test"])


@contextmanager
def running(*, workers: int, threads: int) -> Iterator[Product]:
    """Start it all, wait until it answers, and end it with everything it has written."""
    name = f"story_{os.getpid()}_{workers}_{threads}"
    stack = Stack(ROOT / ".local" / "test" / name, workers=workers, threads=threads)
    with database_copy(f"test_fc_{name}") as app_url, bank_database(f"test_bank_{name}") as bank_url:
        bank = sandbox_bank.of_this_checkout(stack.home / "bank.env", stack.port, bank_url, os.environ)
        try:
            stack.start_servers()
            stack.start_bank(bank)
            owner_url = os.environ["DATABASE_OWNER_URL"].rsplit("/", 1)[0] + f"/test_fc_{name}"
            stack.tell(app_url, owner_url)
            stack.start_programs()
            secrets = json.loads(Path(os.environ["FC_TEST_FACTS"]).read_text())
            yield Product(stack, LiveServer(stack.address, app_url, secrets), SandboxBank(bank.url, bank_url))
        finally:
            stack.close()
