"""Who is behind a process id, so that nobody is mistaken for a server of ours and ended.

A process id alone proves nothing: it is used again after a reboot, and a killed process keeps its own until its
parent asks for it (a zombie). The moment a process started tells two bearers of one id apart.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self" / "stat").exists()


def started(process_id: int) -> str | None:
    """A mark that only this bearer of the id has (its start as the system writes it); None when nothing runs there.

    A zombie counts as nothing: it holds no file, port or memory any more.
    """
    if process_id <= 0:
        return None
    if _HAS_PROC:
        try:
            # The second field is the program's name in brackets and may hold blanks: count from behind it.
            fields = (_PROC / str(process_id) / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, ticks = fields[0], fields[19]
        return None if state in "ZX" else ticks
    answer = _ps(process_id, "stat=,lstart=").split(maxsplit=1)
    return None if len(answer) < 2 or answer[0].startswith("Z") else answer[1]


def command_line(process_id: int) -> list[str]:
    """The arguments a process was started with, the program first; empty when it is gone or not ours to read."""
    if _HAS_PROC:
        try:
            raw = (_PROC / str(process_id) / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return []
        return [part.decode(errors="replace") for part in raw.rstrip(b"\0").split(b"\0")] if raw else []
    return _ps(process_id, "command=").split()


def end_group(process_id: int, mark: str, patience: float) -> None:
    """End the process group that `process_id` leads: SIGTERM for the leader, after `patience` seconds SIGKILL for all.

    Does nothing when the leader is not the bearer known by `mark` (see `started`).
    """
    if started(process_id) != mark:
        return
    with suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while started(process_id) == mark and time.monotonic() < deadline:
        time.sleep(0.05)
    kill_group(process_id)


def kill_group(group: int) -> None:
    """SIGKILL what is left of a group whose leader ended just now; nothing happens when nobody is left.

    A group's id is not given to others while one of its helpers lives, and not again for a long time after.
    """
    with suppress(ProcessLookupError, PermissionError):  # macOS does not permit it for a group of zombies
        os.killpg(group, signal.SIGKILL)


def carrying(name: str, value: str) -> list[int]:
    """Process ids whose environment at their start held `name=value`; empty where the system does not tell."""
    wanted, found = f"{name}={value}".encode(), []
    for folder in _PROC.glob("[0-9]*") if _HAS_PROC else ():
        with suppress(OSError):  # gone meanwhile, or not ours to read
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def working_in(folder: Path) -> list[int]:
    """Process ids whose working directory is `folder`; empty where the system does not tell."""
    found, wanted = [], folder.resolve()
    for entry in _PROC.glob("[0-9]*") if _HAS_PROC else ():
        with suppress(OSError):  # gone meanwhile, or not ours to read
            if (entry / "cwd").readlink() == wanted:
                found.append(int(entry.name))
    return found


def _ps(process_id: int, columns: str) -> str:
    answer = subprocess.run(["ps", "-o", columns, "-p", str(process_id)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()
