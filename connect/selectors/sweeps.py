"""Which environments have work of some kind: one question to many schemas, without opening any of them.

The connection is one of its own, closed afterwards: touching hundreds of schemas fills a backend's catalogue cache, and
that must not stay with a connection that serves requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from connect.kit.caller import EnvironmentRef
from connect.selectors import environments

SCHEMAS_PER_QUERY = 200


def environments_where(table: str, condition: str | Callable[[EnvironmentRef], str]) -> Iterator[EnvironmentRef]:
    """The ready environments whose `table` has a row that meets `condition`: both the code's own text, never input.

    A condition that is not the same for all of them, or reads a second table, is a function of the environment. One
    schema-qualified UNION ALL per 200 environments.
    """
    found = list(environments.ready())
    if not found:
        return
    with psycopg.connect(**connections[DEFAULT_DB_ALIAS].get_connection_params() | {"autocommit": True}) as connection:
        for start in range(0, len(found), SCHEMAS_PER_QUERY):
            batch = {environment.schema_name: environment for environment in found[start : start + SCHEMAS_PER_QUERY]}
            question = " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\".{table} WHERE "  # noqa: S608
                f"{condition if isinstance(condition, str) else condition(environment)})"
                for name, environment in batch.items()
            )
            for (name,) in connection.execute(question.encode()):
                yield batch[name]
