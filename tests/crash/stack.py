"""The product as processes that may be killed, PostgreSQL with data that outlives it among them.

What brings them back is what is shipped. `CrashStack` arms failpoints and tells who stands still at which.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from demo import processes
from demo.servers.postgres import EmbeddedPostgres
from tests.stack import ROOT, Stack

DATABASE = "crash"
LEASE_SECONDS = 1
_REACHED = re.compile(r"failpoint (\S+): (\w+) process (\d+) at passage (\d+)")


@dataclass(frozen=True)
class Reached:
    """A process that came to an armed failpoint."""

    point: str
    action: str
    process_id: int


class CrashStack(Stack):
    """One product that may die, with a PostgreSQL of its own that survives death, not the end of the machine. `start` it, and `close` it whatever happens."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, restarts=1_000)  # dying is what these programs are here for
        self.postgres = EmbeddedPostgres(home / "postgres", durability="process")
        self._own.append(self.postgres)
        self.reached: list[Reached] = []  # in the order they were reached; cleared by `arm`
        self._read: dict[str, int] = {}
        self._armed: dict[str, str] = {}

    # -- life ---

    def start(self) -> None:
        self.postgres.start()
        self.postgres.ensure_database(DATABASE)
        self.supervisor.servers["PostgreSQL"] = self.postgres
        self.start_servers()
        urls = self.postgres.app_url(DATABASE), self.postgres.owner_url(DATABASE)
        self.tell(*urls, FC_LEASE_SECONDS=str(LEASE_SECONDS))
        built = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "base_data.py")], env=self.supervisor.environments["owner"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert built.returncode == 0, built.stderr
        self.secrets = json.loads(built.stdout)
        self.start_programs()

    # -- failpoints ---

    def arm(self, *, web: str = "", dispatcher: str = "", worker: str = "") -> None:
        """Start these programs again with these failpoints, where that is a change; `""` disarms one."""
        wanted = {"web": web, "dispatcher": dispatcher, "worker": worker}
        with self._lock:
            ours, owners = self.supervisor.environments["app"], self.supervisor.environments["owner"]
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

    def _looked(self) -> None:
        self._new_reached()

    def _new_reached(self) -> None:
        for name, log in self.supervisor.logs.items():
            with log.path.open("rb") as file:
                file.seek(self._read.get(name, 0))
                *lines, rest = file.read().split(b"\n")
                self._read[name] = file.tell() - len(rest)
            for match in filter(None, map(_REACHED.search, (line.decode(errors="replace") for line in lines))):
                self.reached.append(Reached(match[1], match[2], int(match[3])))


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
