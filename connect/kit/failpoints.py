"""Named places in money paths where a test can make the process die, stand still or fail.

`FC_FAILPOINTS="payments.attempt.called=kill@3,api.local.stored=stop@5"` arms them, with commas between:

- `kill` ends the process there with SIGKILL;
- `stop` halts it with SIGSTOP, so that a test can end what stands behind it and then let it go on with SIGCONT;
- `raise` raises `FailpointReached`.

A place that several kinds of work pass is armed for all of them, or for one: `payments.attempt.called:refund=kill`.
`@N` means every Nth passage of the process; without it every one. What is reached is named on standard error first.
Without the variable a failpoint costs one truth test; `manage.py check --deploy`
refuses it.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

ACTIONS: Final = frozenset({"kill", "stop", "raise"})


class FailpointReached(RuntimeError):
    """Raised by a failpoint armed with `raise`."""


@dataclass(slots=True)
class Trap:
    """What happens at one failpoint, at every `nth` passage."""

    action: str
    nth: int = 1
    passages: Iterator[int] = field(default_factory=lambda: itertools.count(1))  # `next` of it is safe in threads


def parse(text: str) -> dict[str, Trap]:
    """The traps that `FC_FAILPOINTS` describes, by name. Raises ValueError for what it cannot mean."""
    traps = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        name, _, rest = entry.partition("=")
        action, at, nth = rest.partition("@")
        if action not in ACTIONS or (at and not (nth.isdecimal() and int(nth) > 0)):
            raise ValueError(f"FC_FAILPOINTS has {entry!r}; write name=kill, name=stop@3 or name=raise")
        traps[name] = Trap(action, int(nth) if at else 1)
    return traps


_STOPPING: Final = threading.Lock()
_ARMED: Final[dict[str, Trap]] = parse(os.environ.get("FC_FAILPOINTS", ""))


def failpoint(name: str, kind: str = "") -> None:
    """Do what `FC_FAILPOINTS` says for `name:kind`, or else for `name`; nothing when it says nothing."""
    if not _ARMED:
        return
    if f"{name}:{kind}" in _ARMED:
        name = f"{name}:{kind}"
    trap = _ARMED.get(name)
    if trap is None:
        return
    passage = next(trap.passages)
    if passage % trap.nth == 0:
        _spring(trap.action, f"failpoint {name}: {trap.action} process {os.getpid()} at passage {passage}\n")


def _spring(action: str, text: str) -> None:
    """Say it past every buffer, since the next statement may be the process' last; then do it."""
    if action == "stop":
        # One thread at a time, and the signal to this very thread: each stop that is announced is a stop of its own.
        with _STOPPING:
            os.write(2, text.encode())
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        return
    os.write(2, text.encode())
    if action == "raise":
        raise FailpointReached(text.strip())
    os.kill(os.getpid(), signal.SIGKILL)
