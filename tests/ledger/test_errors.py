"""One SQLSTATE per rule, and a class with a readable text for each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ledger.domain import errors
from ledger.migrations._statements import split

SQL = sorted((Path(errors.__file__).parents[1] / "sql").glob("*.sql"))


def test_every_state_the_sql_raises_has_its_class_and_no_class_is_idle():
    raised = {state for file in SQL for state in re.findall(r"ERRCODE = '(\w+)'", file.read_text())}
    assert raised == set(errors.SQLSTATES)


@pytest.mark.parametrize("state", sorted(errors.SQLSTATES))
def test_a_refusal_without_facts_is_still_readable(state):
    error = errors.from_database(
        state, None if state != "LD004" else '{"floor":0,"currency":"eur","available_after":-5}'
    )
    assert type(error) is errors.SQLSTATES[state]
    assert "{" not in error.text


def test_facts_fill_the_text():
    detail = json.dumps({"path": "customers:1", "currency": "rsd", "floor": 0, "available_after": -150})
    error = errors.from_database("LD004", detail)
    assert error.text.startswith(
        "The ledger account 'customers:1' does not have enough available: it would fall to -1.50 RSD"
    )


@pytest.mark.parametrize("state", [None, "40P01", "23505", "08006"])
def test_what_is_not_a_rule_stays_a_database_error(state):
    assert errors.from_database(state, None) is None


def test_sql_files_are_split_at_statements_not_inside_bodies():
    assert list(split("-- note;\nSELECT 1;\n\nDO $$\nBEGIN\n  x;\nEND $$;\n-- end\n")) == [
        "-- note;\nSELECT 1;",
        "DO $$\nBEGIN\n  x;\nEND $$;",
    ]
    with pytest.raises(ValueError, match="without end"):
        list(split("SELECT 1"))


@pytest.mark.parametrize("file", SQL, ids=lambda file: file.stem)
def test_every_function_is_pinned_to_its_schema(file):
    for statement in split(file.read_text()):
        if "CREATE FUNCTION" in statement:
            assert "SET search_path FROM CURRENT" in statement, statement.splitlines()[0]
