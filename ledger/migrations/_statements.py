"""Reads `ledger/sql/<file>.sql` statement by statement. A file is history: once released, a new migration brings a new one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[1] / "sql"


def statements(name: str) -> list[str]:
    """The statements of `ledger/sql/<name>.sql`, in order."""
    return list(split((_FOLDER / f"{name}.sql").read_text(encoding="utf-8")))


def split(text: str) -> Iterator[str]:
    """Each statement ends with `;` at the end of a line outside a `$$` body."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.strip() or lines:
            lines.append(line)
        inside ^= line.count("$$") % 2 == 1
        if not inside and line.rstrip().endswith(";") and not line.lstrip().startswith("--"):
            yield "\n".join(lines).strip()
            lines = []
    if any(line.strip() and not line.lstrip().startswith("--") for line in lines):
        raise ValueError(f"a statement without end: {lines[0]}")
