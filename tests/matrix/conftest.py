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


@pytest.fixture
def state(environments: dict[str, Any]) -> Callable[[], dict[str, tuple[int, str]]]:
    """Rows and a digest of every table of every environment: objects, ledger, events, stored answers and all."""
    schemas = [environment.schema_name for environment in environments.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY (%s) ORDER BY 1, 2", [schemas]
        )
        tables = cursor.fetchall()
    assert len(tables) > 40
    question = " UNION ALL ".join(
        f"SELECT '{schema}.{table}', count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        f' FROM "{schema}"."{table}" t'
        for schema, table in tables
    )

    def read() -> dict[str, tuple[int, str]]:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return {name: (rows, digest) for name, rows, digest in cursor.fetchall()}

    return read


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
