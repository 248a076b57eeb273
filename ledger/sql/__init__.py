"""The ledger's SQL, one folder per migration that runs it; a folder is history and does not change once released."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent


def statements(migration: str, name: str) -> list[str]:
    """The statements of `ledger/sql/<migration>/<name>.sql`, in order: `statements("0001", "tables")`."""
    return list(split((_FOLDER / migration / f"{name}.sql").read_text(encoding="utf-8")))


def split(text: str) -> Iterator[str]:
    """Statements of our own files: each ends with `;` at the end of a line outside a `$$` body."""
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
