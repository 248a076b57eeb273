"""The ledger's SQL functions, called: one statement each, refusals turned into domain errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, connection

from connect.kit import tenancy
from connect.kit.caller import Caller
from ledger.domain import errors


def call(caller: Caller, sql: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The first row of `sql`. Raises `DomainError` for a rule of the ledger, else the database's own error.

    Raises `EnvironmentRequired` outside of the caller's environment.
    """
    row = rows(caller, sql, parameters, one=True)[0]
    return row


def rows(caller: Caller, sql: str, parameters: Sequence[Any], *, one: bool = False) -> list[tuple[Any, ...]]:
    """All rows of `sql` (with `one`, the first); raises as `call` does."""
    environment = tenancy.current()
    if environment is None or environment.schema_name != caller.environment.schema_name:
        raise tenancy.EnvironmentRequired(
            f"the ledger of {caller.environment.schema_name} is written inside use_environment(caller.environment)"
        )
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [cursor.fetchone()] if one else cursor.fetchall()
    except DatabaseError as error:
        cause: Any = error.__cause__
        refusal = errors.from_database(getattr(cause, "sqlstate", None), cause.diag.message_detail if cause else None)
        if refusal is None:
            raise
        raise refusal from error
