"""What the matrices measure with: the bytes of every environment, and answers with their own names taken out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

CELLS: Counter[str] = Counter()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How large the matrices were, when any of them ran."""
    if CELLS:
        sizes = ", ".join(f"{name} {count}" for name, count in sorted(CELLS.items()))
        terminalreporter.write_line(f"matrix cells: {sizes}; {CELLS.total()} in all")


@pytest.fixture
def cell() -> Callable[[str], None]:
    """`cell("isolation")` counts one."""

    def count(name: str) -> None:
        CELLS[name] += 1

    return count


_OF_THE_BASE: dict[str, tuple[int, str]] = {}
"""What a table holds before any test writes to it; tests roll back, so it holds for all of them."""
_WRITTEN_TO = """
    SELECT schemaname || '.' || relname FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
"""


@pytest.fixture
def state(environments: dict[str, Any]) -> Callable[[], dict[str, tuple[int, str]]]:
    """Rows and a digest of every table of every environment: objects, ledger, events, stored answers and all.

    PostgreSQL knows which tables this transaction has written to; only those are read anew.
    """
    schemas = [environment.schema_name for environment in environments.values()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = ANY (%s)", [schemas])
        tables = {name for (name,) in cursor.fetchall()}
    assert len(tables) > 40

    def read() -> dict[str, tuple[int, str]]:
        assert connection.in_atomic_block, "what other transactions have written would not be seen"
        with connection.cursor() as cursor:
            cursor.execute(_WRITTEN_TO)
            written = tables & {name for (name,) in cursor.fetchall()}
            if unknown := tables - written - _OF_THE_BASE.keys():
                _OF_THE_BASE.update(_read(cursor, unknown))
            return {name: _OF_THE_BASE[name] for name in tables - written} | _read(cursor, written)

    return read


def _read(cursor: Any, tables: set[str]) -> dict[str, tuple[int, str]]:
    if not tables:
        return {}
    cursor.execute(" UNION ALL ".join(
        f"SELECT '{name}', count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        f' FROM "{schema}"."{table}" t'
        for name, (schema, _, table) in ((name, name.partition(".")) for name in sorted(tables))
    ))  # fmt: skip
    return {name: (rows, digest) for name, rows, digest in cursor.fetchall()}


def seen(answer: Any, *own: str) -> tuple[int, Any, list[str]]:
    """What an answer lets a caller see: status, body and header names; `own` texts and the request id are taken out."""
    text = answer.content.decode()
    for name in sorted({*own, answer.headers["Request-Id"]}, key=len, reverse=True):
        text = text.replace(json.dumps(name)[1:-1], "…")
    names = sorted(name for name in answer.headers if not name.startswith("RateLimit-"))
    return answer.status_code, json.loads(text), names


def send(
    api: Any, operation: Any, identifier: str = "", parameters: dict[str, Any] | None = None, **headers: str
) -> Any:
    """One call of an operation; `identifier` goes into the path as it is."""
    path = operation.path(identifier)
    if operation.method == "GET":
        return api.get(path, parameters, **headers)
    if operation.method == "DELETE":
        return api.delete(path, **headers)
    return api.post(path, parameters or {}, **headers)
