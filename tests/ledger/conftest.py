"""The ledger's own fixtures: accounts to post to, and bare connections to attack the database with."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from connect.kit.money import Money
from ledger.domain.accounts import AccountSpec
from ledger.domain.postings import Posting, credit, debit

_number = itertools.count(1)


def fresh(name: str) -> str:
    """A text nothing else in this run uses."""
    return f"{name}-{next(_number)}"


def spec(
    path: str, side: str = "credit", *, floor: int | None = None, currency: str = "eur", stripes: int = 1
) -> AccountSpec:
    return AccountSpec(path, currency, side, floor, stripes)


WORLD = spec("world", "debit")
"""Where money comes from in these tests: no floor, debit-normal."""


def transfer(source: Any, destination: Any, minor: int, key: str | None = None, **more: Any) -> Posting:
    """`minor` EUR cents from `source` (debited) to `destination` (credited)."""
    money = Money(minor, "eur")
    return Posting("test", key or fresh("key"), (debit(source, money), credit(destination, money)), **more)


class Database:
    """Bare connections to one environment's schema, in a copy of the base database of their own."""

    def __init__(self, name: str) -> None:
        self.name = name
        with self.owner("public") as connection:
            rows = connection.execute("SELECT schema_name FROM connect_environment ORDER BY schema_name").fetchall()
        self.schemas = [row[0] for row in rows if row[0].startswith("test_")]

    def app(self, schema: str | None = None) -> psycopg.Connection:
        return self._connect("DATABASE_URL", schema)

    def owner(self, schema: str | None = None) -> psycopg.Connection:
        return self._connect("DATABASE_OWNER_URL", schema)

    def _connect(self, variable: str, schema: str | None) -> psycopg.Connection:
        url = os.environ[variable].rsplit("/", 1)[0] + f"/{self.name}"
        return psycopg.connect(url, options=f"-c search_path={schema or self.schemas[0]}")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """A database that only this module's tests write to."""
    name = f"test_fc_ledger_{os.getpid()}_{next(_number)}"
    with psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{os.environ["FC_TEST_BASE"]}" OWNER fc_owner')
        yield Database(name)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def refused() -> Callable[..., str]:
    """`refused(connection, sql, *parameters)` is the SQLSTATE with which the statement, or its commit, was refused."""

    def attempt(connection: psycopg.Connection, sql: str, *parameters: Any) -> str:
        try:
            connection.execute(sql, parameters)
            connection.commit()
        except psycopg.Error as error:
            connection.rollback()
            return error.sqlstate or ""
        return "accepted"

    return attempt
