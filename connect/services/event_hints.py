"""Telling the dispatcher that an environment has new events, off the hot path.

`note` costs a request a microsecond: it adds to a set in memory. A thread sends what gathered within `GATHER_SECONDS`.
A hint that is lost, with its process or because Valkey is away, costs time and no event: the dispatcher also sweeps.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Final
from uuid import UUID

from connect.clients import event_hints
from connect.kit import valkey

GATHER_SECONDS: Final = 0.05


class Hints:
    """The set and its thread. One per process: a forked child begins with an empty one."""

    def __init__(self) -> None:
        self._waiting: set[UUID] = set()
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, environment_id: UUID) -> None:
        """Take an environment; never waits, never raises."""
        self._waiting.add(environment_id)
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._start()

    def flush(self) -> bool:
        """Send what waits; False when Valkey did not take it. It is forgotten either way."""
        taken = []
        while self._waiting:  # one by one: others may add meanwhile
            taken.append(self._waiting.pop())
        if not taken:
            return True
        try:
            event_hints.send(taken)
        except valkey.ValkeyError:
            return False
        return True

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="event-hints", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(GATHER_SECONDS)
            self._wake.clear()
            self.flush()


hints = Hints()


def _after_fork() -> None:
    """The parent's thread does not live in the child."""
    global hints
    hints = Hints()


os.register_at_fork(after_in_child=_after_fork)


def note(environment_id: UUID) -> None:
    """Hint that this environment has events to fan out. Call it after they were committed."""
    hints.note(environment_id)
