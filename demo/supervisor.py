"""Keeps a few programs alive: starts them, relays their logs, starts again what was killed, stops all in order.

Every program runs in a session of its own, so that Ctrl-C reaches only the supervisor, and writes to its own log
file, so that it outlives a supervisor that was killed. The next one ends it by what `state.json` says.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from demo import processes
from demo.servers import ServerError
from demo.terminal import Terminal

RESTARTS, WITHIN_SECONDS = 5, 60.0
_RUN_VARIABLE = "FC_RUN"  # every descendant of a run carries its number in the environment
_LOOK_SECONDS = 0.2
_LARGEST_LOG = 20 * 1024 * 1024

Rights = Literal["app", "owner", "bank"]
"""What a program is told: `app` the database role for rows, `owner` also the one that may change structure, `bank`
nothing of the product: neither its databases nor its secrets."""


class Failed(Exception):  # named after the fact, like every refusal of the product
    """What cannot go on. The text is for a person: what happened, and what to do."""


class Stopped(Exception):
    """Somebody asked us to stop, and we are at a point where that leaves nothing half done."""


class AlreadyRunning(Failed):
    """Another supervisor holds this folder."""


class Server(Protocol):
    """What the supervisor needs of PostgreSQL and Valkey."""

    def start(self) -> None:
        """Make it run, or find it running."""

    def stop(self) -> None:
        """Stop it if it runs."""

    def process_id(self) -> int | None:
        """Its process id, None when it does not run. Cheap."""


@dataclass(frozen=True)
class Program:
    """One row of the process table. `patience`: seconds between asking it to stop and ending it."""

    name: str
    command: tuple[str, ...]
    rights: Rights = "app"
    patience: float = 20.0

    def filled(self, values: Mapping[str, str]) -> Program:
        """The same with `{name}` in its command replaced."""
        return replace(self, command=tuple(word.format(**values) for word in self.command))


class Log:
    """A program's log file: the program appends, we read on from where we were."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)
        self._position = path.stat().st_size
        self._rest = b""
        self.last: deque[str] = deque(maxlen=20)

    def new_lines(self) -> list[str]:
        """Whole lines written since the last call."""
        with self.path.open("rb") as file:
            file.seek(self._position)
            fresh = file.read()
        self._position += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        texts = [line.decode(errors="replace") for line in lines]
        self.last.extend(texts)
        if self._position > _LARGEST_LOG:  # writers append, so they go on at the new end
            os.truncate(self.path, 0)
            self._position = 0
        return texts

    def tail(self) -> str:
        """The last lines, indented, for an error text."""
        self.new_lines()
        lines = [*self.last, *([self._rest.decode(errors="replace")] if self._rest else [])]
        return "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    mark: str | None


@dataclass
class Supervisor:
    """Runs programs in `root`, with logs in `<local>/logs` and its memory in `<local>/run`."""

    root: Path
    local: Path
    terminal: Terminal
    servers: dict[str, Server] = field(default_factory=dict)
    environments: dict[Rights, dict[str, str]] = field(default_factory=dict)
    restarts: int = RESTARTS

    def __post_init__(self) -> None:
        self.stop_requested = False
        self._address = ""
        self.run_id = secrets.token_hex(8)
        self.children: dict[str, _Child] = {}
        self.logs: dict[str, Log] = {}
        self._deaths: dict[str, deque[float]] = {}
        for name in ("logs", "run"):
            (self.local / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    # -- one supervisor per folder ---

    @contextmanager
    def alone(self, address: str) -> Iterator[None]:
        """Hold the folder for this process. Raises `AlreadyRunning`; ends what a killed predecessor left behind."""
        with (self.local / "run" / "lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                state = self._state()
                raise AlreadyRunning(
                    f"`make run` is already running in this folder (process {state.get('supervisor', '?')}, "
                    f"{state.get('address', 'still starting')}); stop it with Ctrl-C there first."
                ) from None
            self.end_leftovers()
            self._save_state(address)
            try:
                yield
            finally:
                self._state_file.unlink(missing_ok=True)

    def held(self) -> bool:
        """Whether a supervisor, this one or another, holds the folder now."""
        with (self.local / "run" / "lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def end_leftovers(self) -> None:
        """End the programs of a supervisor that was killed. Only call it while holding the folder."""
        state = self._state()
        children: dict[str, tuple[int, str]] = state.get("children", {})
        alive = [name for name, (process_id, mark) in children.items() if processes.started(process_id) == mark]
        for process_id, mark in children.values():
            processes.end_group(process_id, mark, patience=10)
        if run_id := state.get("run"):  # helpers whose leader had died before
            for process_id in processes.carrying(_RUN_VARIABLE, run_id):
                with suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
        if alive:
            self.terminal.say(f"  ended what an earlier run had left behind: {', '.join(alive)}")

    # -- programs ---

    def run_to_end(self, program: Program) -> None:
        """Run a program that ends by itself. Raises `Failed` with its last lines when it does not end well."""
        child = self._launch(program)
        try:
            while (code := child.process.poll()) is None:
                self.pause(0.05)
        finally:
            self._end(child)
        if code:
            raise Failed(f"{program.name} {_ending(code)}. Its last lines:\n{self.logs[program.name].tail()}")

    def start(self, program: Program) -> None:
        """Start a program that is to stay."""
        self.children[program.name] = self._launch(program)
        self._save_state()

    def look(self, *, forgiving: bool = True) -> None:
        """Relay new log lines and start again what died. Raises `Failed` when something died too often.

        `forgiving=False` while starting: a program that dies then will not live the second time either, and its last
        lines say more than the stream of all of them, which goes to the files only.
        """
        # Servers first: a program that died for want of one would only die again.
        for name, server in self.servers.items():
            if server.process_id() is None:
                self._count_death(name, "is gone", f"Its log: {getattr(server, 'log', '')}")
                try:
                    server.start()
                except ServerError as error:
                    raise Failed(f"{name} was lost and does not come back. {error}") from None
                self.terminal.say(f"{name} is back.")
        for name, child in list(self.children.items()):
            lines = self.logs[name].new_lines()
            for line in lines if forgiving else ():
                self.terminal.relay(name, line)
            code = child.process.poll()
            if code is None:
                continue
            self._end(child)
            if not forgiving:
                raise Failed(f"{name} {_ending(code)} while starting. Its last lines:\n{self.logs[name].tail()}")
            self._count_death(name, _ending(code), f"Its last lines:\n{self.logs[name].tail()}")
            self.start(child.program)
            self.terminal.say(f"{name} is back.")

    def watch(self) -> None:
        """Look until `Stopped` or `Failed`."""
        while True:
            self.look()
            self.pause(_LOOK_SECONDS)

    def pause(self, seconds: float) -> None:
        """Sleep, then raise `Stopped` if that was requested. Signals only leave a request: raised in the middle of
        a start, they would leave a process nobody knows.
        """
        time.sleep(seconds)
        if self.stop_requested:
            raise Stopped

    def stop(self) -> None:
        """End the programs in the order of their start, then the servers in the opposite order of theirs."""
        for name, child in list(self.children.items()):
            self._end(child)
            for line in self.logs[name].new_lines():
                self.terminal.relay(name, line)
            del self.children[name]
        for server in reversed(self.servers.values()):
            try:
                server.stop()
            except ServerError as error:
                self.terminal.say(str(error))

    # -- how ---

    def _launch(self, program: Program) -> _Child:
        log = self.logs.get(program.name)
        if log is None:
            path = self.local / "logs" / f"{program.name}.log"
            if path.exists():
                path.replace(path.with_suffix(".previous.log"))
            log = self.logs[program.name] = Log(path)
        environment: Mapping[str, str] = self.environments.get(program.rights, {})
        with log.path.open("ab") as output:
            process = subprocess.Popen(
                program.command, cwd=self.root, env={**environment, _RUN_VARIABLE: self.run_id}, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return _Child(program, process, processes.started(process.pid))

    def _end(self, child: _Child) -> None:
        """Ask once (a second SIGTERM can hang granian), wait, then end the whole group."""
        process = child.process
        if process.poll() is None:
            with suppress(ProcessLookupError):
                process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(child.program.patience)
        # Also when it ended by itself: helpers of a killed leader keep the group, and the port, alive.
        processes.kill_group(process.pid)
        process.wait()

    def _count_death(self, name: str, how: str, more: str) -> None:
        deaths, now = self._deaths.setdefault(name, deque()), time.monotonic()
        while deaths and now - deaths[0] > WITHIN_SECONDS:
            deaths.popleft()
        deaths.append(now)
        if len(deaths) > self.restarts:
            raise Failed(f"{name} {how}, {len(deaths)} times within a minute; everything is stopped. {more}")
        self.terminal.say(
            f"{name} {how}; starting it again ({len(deaths)} of {self.restarts} allowed within a minute)."
        )

    @property
    def _state_file(self) -> Path:
        return self.local / "run" / "state.json"

    def _state(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._state_file.read_text()))
        except (FileNotFoundError, ValueError):
            return {}

    def _save_state(self, address: str | None = None) -> None:
        if address is not None:
            self._address = address
        state = {
            "supervisor": os.getpid(), "run": self.run_id, "address": self._address,
            "children": {name: (child.process.pid, child.mark) for name, child in self.children.items()},
        }  # fmt: skip
        fresh = self._state_file.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self._state_file)


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
