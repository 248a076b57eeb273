"""Which environments have work of some kind: one question to many schemas, without opening any of them.

The connection is one of its own, closed afterwards: touching hundreds of schemas fills a backend's catalogue cache, and
that must not stay with a connection that serves requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Sum:
    """One amount of one environment; `label` is what the question grouped it by, empty where it did not."""

    environment: EnvironmentRef
    question: str
    label: str
    amount: int


def sums(questions: Mapping[str, str]) -> Iterator[Sum]:
    """What each question answers in every ready environment: one schema-qualified UNION ALL per 200 of them.

    A question is a SELECT of a text and a bigint in which `{schema}` stands for the quoted schema: the code's own text,
    never input.
    """
    found = list(environments.ready())
    if not found or not questions:
        return
    with psycopg.connect(**connections[DEFAULT_DB_ALIAS].get_connection_params() | {"autocommit": True}) as connection:
        for start in range(0, len(found), SCHEMAS_PER_QUERY):
            batch = {environment.schema_name: environment for environment in found[start : start + SCHEMAS_PER_QUERY]}
            union = " UNION ALL ".join(
                f"SELECT '{schema}', '{name}', t.* FROM ("  # noqa: S608 - schemas are ours, and so are the questions
                + question.replace("{schema}", f'"{schema}"')
                + ") AS t(label, amount)"
                for schema in batch
                for name, question in questions.items()
            )
            for schema, name, label, amount in connection.execute(union.encode()):
                yield Sum(batch[schema], name, label, int(amount))
