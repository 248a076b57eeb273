"""PostgreSQL and Valkey from their wheels, for `make run` and `make test`. Production brings its own servers."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ServerError(RuntimeError):
    """A server would not start or stop. The text is one sentence for a person, with what to do next."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold `file` against every other process that starts or stops the same server; the system lets go of it
    when this process dies, however it dies.
    """
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
