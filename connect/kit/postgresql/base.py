"""Django's PostgreSQL backend, with the environment's schema chosen inside each transaction.

`BEGIN`, `SET LOCAL search_path` and, where asked for, a try-lock travel as one query. No session ever changes its own
path, so the connection can be shared through a transaction-pooling proxy: the stock way, a session `SET`, let 70 % of
reads reach another tenant there. Nothing but `connect.kit.tenancy` gives this backend a schema.
"""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base

from connect.kit import tenancy

SCHEMAS_PER_CONNECTION_MAX: Final = 100
"""A schema that a backend touches costs it about 1.5 MiB of catalogue cache: a connection is let go after this many."""


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module's text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schemas_seen: set[str] = set()

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        self.schemas_seen = set()
        return super().get_new_connection(conn_params)

    def close_if_unusable_or_obsolete(self) -> None:
        if len(self.schemas_seen) > SCHEMAS_PER_CONNECTION_MAX and not self.in_atomic_block:
            self.close()
            return
        super().close_if_unusable_or_obsolete()

    def _start_transaction_under_autocommit(self) -> None:
        """Django's hook for opening the outermost atomic block; psycopg itself stays in autocommit."""
        statement = "BEGIN"
        opening = tenancy.opening()
        if opening is not None:
            statement = "; ".join(["BEGIN", *opening.statements()])
            self.schemas_seen.add(opening.environment.schema_name)
        started = time.monotonic()
        try:
            cursor = self._begin(statement)
        except psycopg.OperationalError:
            # The server went away since the last transaction. Nothing of this one has happened yet, so once is safe.
            self.close()
            self.ensure_connection()
            with self.wrap_database_errors:  # as Django's own error, which entry points know
                cursor = self._begin(statement)
        if opening is not None:
            opening.read_answers(cursor)
        if self.queries_logged:
            self.queries_log.append({"sql": statement, "time": f"{time.monotonic() - started:.3f}"})

    def _begin(self, statement: str) -> psycopg.Cursor:
        with self.wrap_database_errors:
            self.errors_occurred = False
        connection = self.connection
        if connection is None or connection.closed:
            raise psycopg.OperationalError("the connection is closed")
        # Without parameters psycopg uses the simple protocol, which takes several statements at once.
        return psycopg.Cursor(connection).execute(statement.encode())
