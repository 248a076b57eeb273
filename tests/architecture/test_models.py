"""What the tables promise: their direction, their keys, their number, and the SQL that makes them.

The rules are read off Django's registry of apps, and again off the database itself, where raw SQL has its say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.migrations import RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[2]
LINE = ["connect", "connect_tenant", "ledger", "banks_catalog", "banks", "payments", "billing", "dashboard", "demo"]
"""App labels from the floor up; a table refers to tables at or below its own place only."""
TABLES_MAX = 80
WORDS_FORBIDDEN = {
    r"set_config\s*\(": "context reaches the database by SET LOCAL only",
    r"\bSET\s+CONSTRAINTS\b": "no check is moved to another moment",
    r"\bNOTIFY\b": "a transaction pooler loses notifications; write a row",
    r"\bpg_notify\b": "a transaction pooler loses notifications; write a row",
    r"\bMERGE\s+INTO\b": "Citus does not route it; INSERT … ON CONFLICT does",
    r"\bconstraint_name\b": "branch on SQLSTATE: a constraint's name is not part of any contract",
    r"\bSET\s+SESSION\b": "a session is shared; SET LOCAL ends with its transaction",
    r"\bISOLATION\s+LEVEL\s+SERIALIZABLE\b": "locks are taken in order instead",
}


def is_ours(config: Any) -> bool:
    """Whether an app is part of this repository; `make test` keeps everybody else's below it, in .venv."""
    return Path(config.path).parent == ROOT or Path(config.path).parent.parent == ROOT


def our_models() -> list[type[models.Model]]:
    return [model for config in apps.get_app_configs() if is_ours(config) for model in config.get_models(True)]


def is_tenant(model: type[models.Model]) -> bool:
    return apps.get_app_config(model._meta.app_label).name in settings.TENANT_APPS


def relations(model: type[models.Model]) -> Iterator[Any]:
    return (field for field in model._meta.get_fields() if field.is_relation and field.concrete)


def wrong_way(model: type[models.Model]) -> list[str]:
    """Relations of `model` that point up the line, or from a tenant's table to public with a database constraint."""
    found = []
    for field in relations(model):
        target = field.related_model._meta.app_label
        own = model._meta.app_label
        if own in LINE and target in LINE and LINE.index(target) > LINE.index(own):
            found.append(f"{model._meta.label}.{field.name} points up to {target}")
        crosses = is_tenant(model) != is_tenant(field.related_model)
        if crosses and getattr(field, "db_constraint", True):
            found.append(f"{model._meta.label}.{field.name} ties an environment's table to a public one")
    return found


def test_every_app_has_its_place_in_the_line():
    assert {config.label for config in apps.get_app_configs() if is_ours(config)} <= set(LINE)


def test_foreign_keys_point_down_the_line_and_never_cross_into_public():
    assert [fault for model in our_models() for fault in wrong_way(model)] == []


def test_the_rule_sees_a_key_that_points_up_and_one_that_crosses():
    class Ledger(models.Model):
        intent = models.ForeignKey("payments.PaymentIntent", models.DO_NOTHING, related_name="+")
        person = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+")

        class Meta:
            app_label = "ledger"

        def __str__(self) -> str:
            return "never stored"

    try:
        assert wrong_way(Ledger) == [
            "ledger.Ledger.intent points up to payments",
            "ledger.Ledger.person ties an environment's table to a public one",
        ]
    finally:
        del apps.all_models["ledger"]["ledger"]
        apps.clear_cache()


def test_rows_of_an_environment_have_uuid_keys():
    tenant = [model for model in our_models() if is_tenant(model) and model._meta.managed]
    assert len(tenant) > 10
    assert [model._meta.label for model in tenant if not isinstance(model._meta.pk, models.UUIDField)
            and not isinstance(model._meta.pk, models.CompositePrimaryKey)] == []  # fmt: skip


def test_tables_are_named_after_their_app():
    wrong = [
        model._meta.db_table
        for model in our_models()
        if not model._meta.db_table.startswith(f"{model._meta.app_label.removesuffix('_tenant')}_")
    ]
    assert wrong == []


# --- the database as it is --------------------------------------------------------------------------------------------


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


@pytest.mark.django_db
def test_the_product_stays_within_its_budget_of_tables(environment, capsys):
    """Every table costs each environment megabytes; the count per app is printed so that it is seen to grow."""
    tables = rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace IN (%s::regnamespace,"
        " 'public'::regnamespace) AND relname <> 'django_migrations'",
        environment.schema_name,
    )
    count = Counter(name.partition("_")[0] for (name,) in tables)
    with capsys.disabled():
        print(f"\ntables by app: {dict(count.most_common())}; {count.total()} of {TABLES_MAX}")
    assert len(tables) > 30
    assert count.total() <= TABLES_MAX


@pytest.mark.django_db
def test_no_constraint_of_the_database_leaves_its_schema(environment):
    assert rows(
        "SELECT c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid"
        " WHERE c.contype = 'f' AND c.connamespace <> t.relnamespace"
    ) == []  # fmt: skip


@pytest.mark.django_db
def test_every_table_has_a_primary_key_and_those_of_environments_a_uuid_in_it(environment):
    keys = rows(
        "SELECT t.relname,"
        " coalesce(array_agg(a.atttypid::regtype::text) FILTER (WHERE a.attnum = ANY (i.indkey)), '{}')"
        " FROM pg_class t LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary"
        " LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0"
        " WHERE t.relkind = 'r' AND t.relnamespace = %s::regnamespace AND t.relname <> 'django_migrations'"
        " GROUP BY t.relname",
        environment.schema_name,
    )
    assert len(keys) > 10
    assert [name for name, types in keys if not types] == []
    assert [(name, types) for name, types in keys if types == ["bigint"] or types == ["integer"]] == []


@pytest.mark.django_db
def test_every_function_is_pinned_to_its_own_schema(environment):
    """A function without a path of its own would take the tables of whoever calls it."""
    functions = rows(
        "SELECT proname, coalesce(array_to_string(proconfig, ' '), '') FROM pg_proc"
        " WHERE pronamespace = %s::regnamespace",
        environment.schema_name,
    )
    assert functions
    # pg_dump and FROM CURRENT both write the environment's own schema first.
    pinned = re.compile(rf'search_path="?{environment.schema_name}"?')
    assert [name for name, config in functions if not pinned.search(config)] == []


@pytest.mark.django_db
def test_no_index_is_a_copy_of_another(environment):
    assert rows(
        "SELECT min(i.indexrelid::regclass::text), count(*) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid"
        " WHERE t.relnamespace = %s::regnamespace"
        " GROUP BY i.indrelid, i.indkey::text, i.indoption::text, i.indclass::text, pg_get_expr(i.indpred, i.indrelid),"
        " pg_get_expr(i.indexprs, i.indrelid) HAVING count(*) > 1",
        environment.schema_name,
    ) == []  # fmt: skip


# --- the SQL we write -------------------------------------------------------------------------------------------------


def raw_items() -> list[tuple[str, str]]:
    """Every item of every RunSQL of ours, with the migration it stands in."""

    def walk(operations: list[Any]) -> Iterator[str]:
        for operation in operations:
            if isinstance(operation, SeparateDatabaseAndState):
                yield from walk(operation.database_operations)
            if isinstance(operation, RunSQL):
                for part in (operation.sql, operation.reverse_sql):
                    items = [part] if isinstance(part, str) else part or []
                    yield from (item if isinstance(item, str) else item[0] for item in items)

    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = {config.label for config in apps.get_app_configs() if is_ours(config)}
    return [
        (f"{label}.{name}", text)
        for (label, name), migration in loader.disk_migrations.items()
        if label in ours
        for text in walk(migration.operations)
    ]


def bare(sql: str) -> str:
    """SQL without comments, quoted texts and function bodies."""
    sql = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", sql, flags=re.DOTALL)
    return re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", " ", sql, flags=re.DOTALL)


def faults(sql: str) -> list[str]:
    """What is wrong with one item of a RunSQL."""
    text = bare(sql)
    found = []
    if text.strip().rstrip(";").count(";"):
        found.append("more than one statement")
    if re.search(r"\bCREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE)\b", text, re.IGNORECASE) and not re.search(
        r"\bSET\s+search_path\b", text, re.IGNORECASE
    ):
        found.append("a function without SET search_path")
    if re.search(r"\b((BIG|SMALL)?SERIAL|AS\s+IDENTITY)\b[^,]*\bPRIMARY\s+KEY\b", text, re.IGNORECASE):
        found.append("a primary key drawn from a sequence")
    return found


def words(sql: str) -> list[str]:
    sql = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    return [why for pattern, why in WORDS_FORBIDDEN.items() if re.search(pattern, sql, re.IGNORECASE)]


def test_each_item_of_a_migration_is_one_pinned_statement():
    items = raw_items()
    assert len(items) > 30
    assert [(place, fault, text[:60]) for place, text in items for fault in faults(text)] == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1; SELECT 2;", ["more than one statement"]),
        ("SELECT ';' -- ; \n;", []),
        ("CREATE FUNCTION f() RETURNS void AS $$SELECT 1; SELECT 2;$$", ["a function without SET search_path"]),
        ("CREATE FUNCTION f() RETURNS void SET search_path FROM CURRENT LANGUAGE sql AS $x$SELECT 1;$x$;", []),
        ("CREATE TABLE t (id bigserial PRIMARY KEY)", ["a primary key drawn from a sequence"]),
        ("CREATE TABLE t (a bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)", ["a primary key drawn from a sequence"]),
        ("CREATE TABLE t (id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE)", []),
    ],
)  # fmt: skip
def test_the_rule_of_statements(sql, found):
    assert faults(sql) == found


def code() -> Iterator[Path]:
    """Our program: no tests, which name what they forbid, and no tools around it."""
    for folder in ("config", "connect", "ledger", "payments", "dashboard", "demo"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in {".py", ".sql"} and "__pycache__" not in file.parts:
                yield file


def test_no_code_uses_what_poolers_and_placement_forbid():
    """Also inside function bodies. Python is read without its comments and docstrings."""
    found = []
    for file in code():
        text = file.read_text()
        if file.suffix == ".py":
            text = re.sub(
                r'"""(.*?)"""|#[^\n]*', lambda match: match[1] if _is_sql(match[1]) else " ", text, flags=re.DOTALL
            )
        found += [(str(file.relative_to(ROOT)), why) for why in words(text)]
    assert found == []


def _is_sql(text: str | None) -> bool:
    return bool(text and re.search(r"\b(SELECT|INSERT INTO|UPDATE|CREATE|DELETE FROM|LISTEN|NOTIFY \w+[,;])\b", text))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT set_config('search_path', 'x', true)",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "NOTIFY work",
        "PERFORM pg_notify('work', '')",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
        "IF error.diag.constraint_name = 'once':",
        "SET SESSION statement_timeout = 0",
    ],
)
def test_the_rule_of_words(sql):
    assert len(words(sql)) == 1
    assert words(f"-- {sql}") == []
