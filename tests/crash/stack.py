"""The product as processes that may be killed: web, worker, beat, dispatcher, PostgreSQL with its data safe on disk, and Valkey.

They run under the supervisor of `make run`, with its process table, so what brings them back is what is shipped. The
supervisor looks after them in a thread of its own; `Stack` arms failpoints and tells who stands still at which.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from demo import processes, run
from demo.servers.postgres import EmbeddedPostgres, free_port
from demo.servers.valkey import EmbeddedValkey
from demo.supervisor import Program, Supervisor
from demo.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "crash"
PATIENCE_SECONDS = 60
LEASE_SECONDS = 1
_REACHED = re.compile(r"failpoint (\S+): (\w+) process (\d+) at passage (\d+)")


@dataclass(frozen=True)
class Reached:
    """A process that came to an armed failpoint."""

    point: str
    action: str
    process_id: int


class Stack:
    """One product in `home`, on a port of its own. `start` it, and `close` it whatever happens."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.postgres = EmbeddedPostgres(home / "postgres", durable=True)
        self.valkey = EmbeddedValkey(home / "valkey")
        self.words = io.StringIO()
        # Dying is what these programs are here for.
        self.supervisor = Supervisor(ROOT, home, Terminal(self.words), restarts=1_000)
        self.secrets: dict[str, dict[str, str]] = {}
        self.reached: list[Reached] = []  # in the order they were reached; cleared by `arm`
        self._lock = threading.RLock()  # the supervisor is not made for two threads
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._failure: BaseException | None = None
        self._read: dict[str, int] = {}
        self._armed: dict[str, str] = {}

    # -- life ---

    def start(self) -> None:
        self.postgres.start()
        self.postgres.ensure_database(DATABASE)
        self.valkey.start()
        self.supervisor.servers.update({"PostgreSQL": self.postgres, "Valkey": self.valkey})
        common = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "DATABASE_URL": self.postgres.app_url(DATABASE),
            "REDIS_URL": self.valkey.url(0),
            "FC_PUBLIC_URL": self.address,
            "FC_LEASE_SECONDS": str(LEASE_SECONDS),
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": run.QUIET,
        }
        self.supervisor.environment = common | {"DATABASE_OWNER_URL": common["DATABASE_URL"]}
        self.supervisor.owner_environment = common | {"DATABASE_OWNER_URL": self.postgres.owner_url(DATABASE)}
        built = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "base_data.py")], env=self.supervisor.owner_environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert built.returncode == 0, built.stderr
        self.secrets = json.loads(built.stdout)
        for program in run.PROGRAMS:
            self.supervisor.start(self._filled(program))
        self._thread.start()
        self.await_ready()

    def close(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for child in self.supervisor.children.values():
            processes.kill_group(child.process.pid)
        self.supervisor.stop()
        self.postgres.destroy()
        self.valkey.destroy()
        shutil.rmtree(self.home, ignore_errors=True)

    def await_ready(self) -> None:
        self.until(lambda: run.answers(f"{self.address}/readyz"), "is ready")

    def until(self, truth: Callable[[], Any], what: str) -> None:
        """Wait for a fact; the limit only turns a hang into a failure."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not truth():
            self.check()
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s, but never: {what}\n{self.report()}"
            self._over.wait(0.05)

    def check(self) -> None:
        """Raise what ended the supervisor, if something did."""
        if self._failure is not None:
            raise AssertionError(f"the supervisor gave up\n{self.report()}") from self._failure

    def report(self) -> str:
        """What the supervisor said, and the ends of the logs."""
        tails = [f"--- {name}\n{log.tail()}" for name, log in self.supervisor.logs.items()]
        return "\n".join([self.words.getvalue()[-2000:], *tails])

    # -- failpoints ---

    def arm(self, *, web: str = "", dispatcher: str = "", worker: str = "") -> None:
        """Start these programs again with these failpoints, where that is a change; `""` disarms one."""
        wanted = {"web": web, "dispatcher": dispatcher, "worker": worker}
        with self._lock:
            ours, owners = self.supervisor.environment, self.supervisor.owner_environment
            ours["FC_FAILPOINTS"], owners["FC_FAILPOINTS"] = ",".join(filter(None, (web, dispatcher))), worker
            for name in [name for name, points in wanted.items() if points != self._armed.get(name, "")]:
                child = self.supervisor.children[name]
                processes.kill_group(child.process.pid)  # some of it may stand still and would not hear a question
                self.supervisor._end(child)
                self.supervisor.start(child.program)
            self._armed = wanted
            self._new_reached()
            self.reached.clear()
        self.await_ready()

    def next_reached(self, known: int) -> Reached | None:
        """Who stands still at a failpoint, after `known` others; None when nobody does, for now."""
        if len(self.reached) <= known:
            return None
        reached = self.reached[known]
        # It says so first: one that is told to go on before it stands still would stand still for ever.
        self.until(lambda: _state(reached.process_id) != "running", f"{reached} stands still")
        return reached

    def go_on(self, process_id: int) -> None:
        """Let a process go on that stands still at a failpoint."""
        _signal(process_id, signal.SIGCONT)

    def pause(self, program: str) -> int:
        """Let a program stand still, all of it, until `go_on` with its process."""
        process_id = self.supervisor.children[program].process.pid
        _signal(process_id, signal.SIGSTOP)
        self.until(lambda: _state(process_id) == "stopped", f"{program} stands still")
        return process_id

    # -- death ---

    def kill_program(self, program: str) -> None:
        """SIGKILL a program and its children; the supervisor starts it again."""
        with self._lock:
            processes.kill_group(self.supervisor.children[program].process.pid)

    def kill_process(self, process_id: int) -> None:
        _signal(process_id, signal.SIGKILL)

    def kill_postgres(self) -> None:
        """SIGKILL the server as a whole, and wait until it is back."""
        self._replace(self.postgres.process_id, signal.SIGKILL, self.postgres.running, "PostgreSQL is back")

    def stop_postgres_immediately(self) -> None:
        """SIGQUIT: connections are cut and nothing is written, so the next start recovers from the log."""
        self._replace(self.postgres.process_id, signal.SIGQUIT, self.postgres.running, "PostgreSQL is back")

    def kill_backend(self) -> None:
        """SIGKILL one backend of the product: PostgreSQL throws all connections out and recovers by itself."""
        with psycopg.connect(self.postgres.admin_url()) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'fc_app' ORDER BY state_change DESC LIMIT 1"
            ).fetchone()
        if row:
            _signal(row[0], signal.SIGKILL)
        self.until(self.postgres.running, "PostgreSQL has recovered")

    def kill_valkey(self) -> None:
        self._replace(self.valkey.process_id, signal.SIGKILL, self.valkey.running, "Valkey is back")

    def flush_valkey(self) -> None:
        with self.valkey._client() as client:
            client.flushall()

    def kill_everything(self) -> None:
        """As a power cut does, except that the supervisor lives: every process of the product, at once."""
        with self._lock:
            for child in self.supervisor.children.values():
                processes.kill_group(child.process.pid)
            for server in self.supervisor.servers.values():
                _signal(server.process_id() or 0, signal.SIGKILL)
        self.await_ready()

    # -- how ---

    def _replace(self, identify: Callable[[], int | None], number: int, back: Callable[[], bool], what: str) -> None:
        before = identify()
        assert before is not None, "it was dead already"
        mark = processes.started(before)
        _signal(before, number)
        self.until(lambda: processes.started(before) != mark, f"{before} has ended")
        self.until(back, what)

    def _supervise(self) -> None:
        try:
            while not self._over.wait(0.05):
                with self._lock:
                    self.supervisor.look()
                    self._new_reached()
        except BaseException as error:
            self._failure = error

    def _new_reached(self) -> None:
        for name, log in self.supervisor.logs.items():
            with log.path.open("rb") as file:
                file.seek(self._read.get(name, 0))
                *lines, rest = file.read().split(b"\n")
                self._read[name] = file.tell() - len(rest)
            for match in filter(None, map(_REACHED.search, (line.decode(errors="replace") for line in lines))):
                self.reached.append(Reached(match[1], match[2], int(match[3])))

    def _filled(self, program: Program) -> Program:
        command = tuple(word.format(port=self.port, log_level="warning") for word in program.command)
        return Program(program.name, command, program.owner, program.patience)


def _signal(process_id: int, number: int) -> None:
    """Send a signal; a process that is gone already is fine."""
    if process_id > 0 and processes.started(process_id) is not None:
        try:
            os.kill(process_id, number)
        except ProcessLookupError:
            return


def _state(process_id: int) -> str:
    """`running`, `stopped` or `gone`."""
    if processes.started(process_id) is None:
        return "gone"
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return "stopped" if shown.stdout.startswith("T") else "running"
