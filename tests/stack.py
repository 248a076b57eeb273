"""The product as processes: web, worker, beat, dispatcher, Valkey and, where it is wanted, the sandbox bank.

They run under the supervisor of `make run`, with its process table, so what a test sees is what is shipped. The
supervisor looks after them in a thread of its own.
"""

from __future__ import annotations

import io
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from demo import processes, run
from demo.sandbox_bank import Bank
from demo.servers.postgres import free_port
from demo.servers.valkey import EmbeddedValkey
from demo.supervisor import Program, Supervisor
from demo.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 60


class Stack:
    """One product in `home`, on a port of its own. Start it, and `close` it whatever happens.

    `restarts`: how many deaths of a program within a minute are no failure.
    """

    def __init__(
        self, home: Path, *, workers: int = run.WORKERS, threads: int = run.THREADS, restarts: int = 0
    ) -> None:
        self.home, self.port = home, free_port()
        self.workers, self.threads = workers, threads
        self.address = f"http://127.0.0.1:{self.port}"
        self.valkey = EmbeddedValkey(home / "valkey")
        self._own: list[Any] = [self.valkey]  # servers that end with us, data and all
        self.bank: Bank | None = None
        self.words = io.StringIO()
        self.supervisor = Supervisor(ROOT, home, Terminal(self.words), restarts=restarts)
        self.secrets: dict[str, dict[str, str]] = {}
        self._lock = threading.RLock()  # the supervisor is not made for two threads
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._failure: BaseException | None = None

    # -- life ---

    def start_servers(self) -> None:
        """Valkey; PostgreSQL is somebody else's business."""
        self.valkey.start()
        self.supervisor.servers["Valkey"] = self.valkey

    def start_bank(self, bank: Bank) -> None:
        """The sandbox bank, before the product that is told of it."""
        self.bank = bank
        self.supervisor.environments["bank"] = dict(bank.environment)
        *before, serve = run.BANK
        for program in before:
            self.supervisor.run_to_end(self._filled(program))
        self.supervisor.start(self._filled(serve))
        self.until(lambda: run.answers(f"{bank.url}/healthz"), "the bank answers")

    def tell(self, app_url: str, owner_url: str, **environment: str) -> None:
        """What the programs are told."""
        common = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "DATABASE_URL": app_url,
            "REDIS_URL": self.valkey.url(0),
            "FC_PUBLIC_URL": self.address,
            "FC_SANDBOX_BANK_URL": self.bank.url if self.bank else "",
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": run.QUIET,
            **environment,
        }
        self.supervisor.environments["app"] = common | {"DATABASE_OWNER_URL": app_url}
        self.supervisor.environments["owner"] = common | {"DATABASE_OWNER_URL": owner_url}

    def start_programs(self) -> None:
        """The programs of `make run`; returns when they are ready."""
        for program in run.PROGRAMS:
            self.supervisor.start(self._filled(program))
        self._thread.start()
        self.await_ready()

    def close(self) -> None:
        """End everything, and forget it."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for child in self.supervisor.children.values():
            processes.kill_group(child.process.pid)
        self.supervisor.stop()
        for server in self._own:
            server.destroy()
        shutil.rmtree(self.home, ignore_errors=True)

    def await_ready(self) -> None:
        self.until(lambda: run.answers(f"{self.address}/readyz"), "is ready")

    def until(self, truth: Callable[[], Any], what: str) -> Any:
        """Wait for a fact, and return it; the limit only turns a hang into a failure."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (fact := truth()):
            self.check()
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s, but never: {what}\n{self.report()}"
            self._over.wait(0.05)
        return fact

    def rest(self, seconds: float) -> None:
        """Let time pass that somebody asked to wait for."""
        self._over.wait(seconds)

    def check(self) -> None:
        """Raise what ended the supervisor, if something did."""
        if self._failure is not None:
            raise AssertionError(f"the supervisor gave up\n{self.report()}") from self._failure

    def report(self) -> str:
        """What the supervisor said, and the ends of the logs."""
        tails = [f"--- {name}\n{log.tail()}" for name, log in self.supervisor.logs.items()]
        for name, server in self.supervisor.servers.items():
            with suppress(OSError):
                tails.append(f"--- {name}\n{server.log.read_text(errors='replace')[-3000:]}")  # type: ignore[attr-defined]
        return "\n".join([self.words.getvalue()[-2000:], *tails])

    # -- how ---

    def _looked(self) -> None:
        """After each look of the supervisor, while nobody else may touch it."""

    def _supervise(self) -> None:
        try:
            while not self._over.wait(0.05):
                with self._lock:
                    self.supervisor.look()
                    self._looked()
        except BaseException as error:
            self._failure = error

    def _filled(self, program: Program) -> Program:
        return program.filled({
            "port": str(self.port),
            "workers": str(self.workers),
            "threads": str(self.threads),
            "bank_port": self.bank.url.rpartition(":")[2] if self.bank else "",
            "log_level": "warning",
        })  # fmt: skip
