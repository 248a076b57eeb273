"""What time does: holds run out, money becomes available. Apps say it here, and test clocks make it happen in order.

The scheduler does the same work by the machine's clock. A test clock is moved by somebody, and then everything that
became due meanwhile has to happen, each thing at its own moment, before anybody looks. Apps fill the register in
`ready()`, so that the floor can reach their work without importing them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connect.kit.caller import Caller


@dataclass(frozen=True, slots=True)
class TimedWork:
    """One kind of work. `clock_id` is a customer's test clock; None stands for what follows the environment's.

    `next_at(caller, clock_id, after)` is the moment of the first work due later than `after`, or None; it runs inside
    the environment. `run(caller, clock_id)` does all that is due by the caller's business clock, in transactions of its
    own, and may be called again at any time. `clock_deleted(caller, clock_id)` runs in the transaction that deletes a
    customers' clock.
    """

    name: str
    next_at: Callable[[Caller, UUID | None, datetime], datetime | None]
    run: Callable[[Caller, UUID | None], object]
    clock_deleted: Callable[[Caller, UUID], None] | None = None


_works: dict[str, TimedWork] = {}


def register(work: TimedWork) -> None:
    """Add a kind of work, or replace the one of this name. At one moment, kinds are done in the order of adding."""
    _works[work.name] = work


def unregister(name: str) -> None:
    """Take a kind of work out again: for tests that bring their own."""
    _works.pop(name, None)


def every() -> Iterator[TimedWork]:
    """All kinds, in the order they were added."""
    yield from tuple(_works.values())
