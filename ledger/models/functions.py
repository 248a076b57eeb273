"""The ledger's SQL functions, called: one statement each, refusals turned into domain errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DatabaseError, connection

from connect.kit import tenancy
from connect.kit.caller import Caller
from ledger.domain import errors


def call(caller: Caller, sql: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The only row of `sql`. Raises `DomainError` for a rule of the ledger, else the database's own error.

    Raises `EnvironmentRequired` outside of the caller's environment.
    """
    return rows(caller, sql, parameters)[0]


def rows(caller: Caller, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of `sql`; raises as `call` does."""
    environment = tenancy.current()
    if environment is None or environment.schema_name != caller.environment.schema_name:
        raise tenancy.EnvironmentRequired(
            f"the ledger of {caller.environment.schema_name} is written inside use_environment(caller.environment)"
        )
    try:
        if connection.queries_logged or connection.execute_wrappers:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall()
        return _lean(sql, parameters)
    except DatabaseError as error:
        cause: Any = error.__cause__
        detail = cause.diag.message_detail if isinstance(cause, psycopg.Error) else None
        refusal = errors.from_database(getattr(cause, "sqlstate", None), detail)
        if refusal is None:
            raise
        raise refusal from error


def _lean(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The same without the layers of Django's cursor, which nobody listens to: a tenth of a posting's time."""
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        return psycopg.ClientCursor(connection.connection).execute(sql, parameters).fetchall()
