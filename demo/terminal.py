"""What a person sees of `make run`: calm lines, colour only on a terminal, and never an error from a closed one."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Writes to `out`; remembers whether somebody watches it."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out if out is not None else sys.stdout
        self.colour = self.out.isatty() and "NO_COLOR" not in os.environ
        self._open_step = False

    def say(self, text: str = "") -> None:
        """One line, or several."""
        self._write(("\n" if self._open_step else "") + text + "\n")
        self._open_step = False

    def bold(self, text: str) -> str:
        """The text, stressed where that is possible."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def relay(self, name: str, line: str) -> None:
        """A line of a child's log, with the child's name before it; an empty one says nothing."""
        if not line.strip():
            return
        prefix = f"{name:<10} | "
        if self.colour:
            self.say(f"\x1b[2m{prefix}\x1b[0m{line}")
        else:
            self.say(prefix + _ESCAPES.sub("", line))

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what begins, then on the same line how long it took; nothing more when it fails."""
        begun = time.monotonic()
        self._write(f"  {text} …")
        self._open_step = True
        yield
        took = f"{time.monotonic() - begun:.1f} s"
        self._write(f" {took}\n" if self._open_step else f"  {text}: {took}\n")
        self._open_step = False

    def close(self) -> None:
        """End an unfinished line."""
        if self._open_step:
            self.say()

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # the terminal was closed: there is nobody left to tell
            self.out.write(text)
            self.out.flush()
