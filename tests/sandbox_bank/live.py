"""The sandbox bank as a process: `sandbox_bank` is a running bank, as new for every test that asks for it.

    def test_something(sandbox_bank):
        sandbox_bank.control("transactions", {"account": iban, "amount": "-12.30"})
        sandbox_bank.control("misbehave", {"kind": "down", "times": 2})
        sandbox_bank.authorise(consent=consent_id, accounts=[iban])
        assert len(sandbox_bank.log("transactions")) == 1

It is started once per worker, by the first test that asks, with a database of its own on the test server; the product's
setting FC_SANDBOX_BANK_URL names it while the test runs. A fixture of a wider scope takes `sandbox_bank_server` and
calls `reset()` itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
STOP_SECONDS = 15


@dataclass(frozen=True)
class SandboxBank:
    """A running bank. `url` is its address; the interface stands below `{url}/v1`."""

    url: str
    database_url: str

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST to the control: `control("misbehave", {"kind": "down"})`. A refusal of the control is an error here."""
        return self._ask(f"/control/{path}", json.dumps(body or {}).encode())

    def state(self) -> Any:
        """Customers with their accounts, consents, orders, faults."""
        return self._ask("/control/state")

    def accounts(self, user: str = "user_good") -> list[dict[str, Any]]:
        """A customer's accounts: `resource`, `iban`, `currency`, `booked`, `available`, …"""
        return next(one["accounts"] for one in self.state()["users"] if one["user"] == user)

    def iban(self, currency: str = "MKD", user: str = "user_good") -> str:
        """The IBAN of a customer's first account in a currency."""
        return next(one["iban"] for one in self.accounts(user) if one["currency"] == currency)

    def authorise(
        self,
        *,
        consent: str = "",
        payment: str = "",
        user: str = "user_good",
        accounts: list[str] | None = None,
        outcome: str = "agree",
    ) -> Any:
        """What the customer does on the bank's pages, in one call: `agree`, `refuse` or `fail`.

        A payment may be named by its end-to-end id. Answers with `status` and `redirect`, the customer's way back.
        """
        chosen = {} if accounts is None else {"accounts": accounts}
        body = {"consent": consent, "payment": payment, "user": user, "outcome": outcome, **chosen}
        return self.control("authorise", body)

    def log(self, endpoint: str = "") -> list[dict[str, Any]]:
        """Calls of the interface since the last reset, oldest first: `endpoint`, `status`, `attended`, `path`, …"""
        return self._ask(f"/control/log?endpoint={endpoint}")["calls"]

    def reset(self) -> None:
        """The bank as it was when nothing had happened."""
        self.control("reset")

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self.url}{path}", body, {"Content-Type": "application/json"})
        try:
            with _opener.open(request, timeout=30) as answered:
                return json.load(answered)
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"the bank's control refused {path}: {refused.read().decode()}") from None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def running_bank(**environment: str) -> Iterator[SandboxBank]:
    """Start a bank with a database of its own; end both afterwards."""
    from demo.servers.postgres import free_port

    port = free_port()
    name = f"test_sandbox_bank_{os.getpid()}_{port}"
    url = f"http://127.0.0.1:{port}"
    with _database(name) as database_url, tempfile.TemporaryFile() as log:
        variables = {
            **os.environ,
            "SANDBOX_BANK_DATABASE_URL": database_url,
            "SANDBOX_BANK_URL": url,
            "SANDBOX_BANK_SECRET_KEY": "tests-only",
            **environment,
        }
        for command in ("migrate", "seed"):
            subprocess.run(
                [sys.executable, "-m", "sandbox_bank.manage", command], cwd=ROOT, env=variables, check=True, stdout=log,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        process = subprocess.Popen(
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "sandbox_bank.wsgi:application",
                "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", "8",
                "--no-ws", "--log-level", "warning",
            ],
            cwd=ROOT, env=variables, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _await(process, f"{url}/healthz", log)
            yield SandboxBank(url, database_url)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def sandbox_bank_server() -> Iterator[SandboxBank]:
    """The process, for fixtures of a wider scope; whoever takes it resets it."""
    with running_bank() as bank:
        yield bank


@pytest.fixture
def sandbox_bank(sandbox_bank_server: SandboxBank, settings: Any) -> SandboxBank:
    """A running bank as new."""
    sandbox_bank_server.reset()
    settings.FC_SANDBOX_BANK_URL = sandbox_bank_server.url
    return sandbox_bank_server


@contextmanager
def _database(name: str) -> Iterator[str]:
    with psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" OWNER fc_owner')
    try:
        yield os.environ["DATABASE_OWNER_URL"].rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _await(process: subprocess.Popen[bytes], url: str, log: Any) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with _opener.open(url, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f"the bank did not answer at {url}; it wrote:\n{log.read().decode(errors='replace')}")
