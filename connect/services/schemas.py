"""The structure of schemas: who is behind, bringing them up to date, and the template new ones are made from.

All of it runs on the `owner` alias, never through a pooler and never in a web process.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from connect.clients import postgres_dump
from connect.models import Environment, SchemaTemplate

OWNER: Final = "owner"
APP_ROLE: Final = "fc_app"
TEMPLATE: Final = "fc_template"
_SCHEMAS_PER_QUERY: Final = 200
_NOISE: Final = re.compile(
    r"(?m)^(--.*|\\(un)?restrict.*|SET (default_|\w*timeout|client_|standard_conf|check_function|xmloption|row_sec).*|"
    r"SELECT pg_catalog\.set_config\('search_path'.*)$\n?"
)


@dataclass(frozen=True, slots=True)
class Migrated:
    """One schema brought up to date: how long it took in seconds, or the error that stopped it."""

    schema_name: str
    seconds: float
    error: str = ""


def wanted_migrations(labels: Sequence[str] | None = None) -> list[str]:
    """`app.name` of every migration on disk of the given apps; by default of those in every environment."""
    chosen = (
        set(labels)
        if labels is not None
        else {c.label for c in apps.get_app_configs() if c.name in settings.TENANT_APPS}
    )
    loader = MigrationLoader(None)
    return sorted(f"{app}.{name}" for app, name in loader.disk_migrations if app in chosen)


def fingerprint(wanted: Sequence[str]) -> str:
    """A short name for a set of migrations."""
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:32]


def behind(schema_names: Sequence[str], wanted: Sequence[str] | None = None, *, using: str = OWNER) -> list[str]:
    """Those of the schemas that lack one of the `wanted` migrations: one UNION query per 200 schemas.

    Raises the database's error when a schema does not exist.
    """
    wanted = wanted_migrations() if wanted is None else wanted
    late: list[str] = []
    with connections[using].cursor() as cursor:
        for start in range(0, len(schema_names), _SCHEMAS_PER_QUERY):
            names = schema_names[start : start + _SCHEMAS_PER_QUERY]
            counts = " UNION ALL ".join(
                f"""SELECT '{name}', count(*) FROM "{name}".django_migrations"""  # noqa: S608 - schemas are named by us
                " WHERE (app || '.' || name) = ANY(%s)"
                for name in names
            )
            cursor.execute(counts, [list(wanted)] * len(names))
            late += [name for name, count in cursor.fetchall() if count < len(wanted)]
    return late


def migrate_public(*, verbosity: int = 1) -> None:
    """Bring the public schema up to date and let the app role work on its rows."""
    _migrate("public", verbosity=verbosity)


def refresh_template(*, verbosity: int = 0) -> str:
    """Bring the template schema up to date and keep the SQL that makes one like it. Returns the fingerprint."""
    connection = connections[OWNER]
    wanted = fingerprint(wanted_migrations())
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{TEMPLATE}"')
    if behind_template() or not SchemaTemplate.objects.using(OWNER).filter(fingerprint=wanted).exists():
        _migrate(TEMPLATE, verbosity=verbosity)
        sql = template_sql()
        with transaction.atomic(using=OWNER):
            SchemaTemplate.objects.using(OWNER).all().delete()
            SchemaTemplate.objects.using(OWNER).create(fingerprint=wanted, sql=sql)
    return wanted


def behind_template() -> bool:
    """Whether the template schema lacks a migration."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f'"{TEMPLATE}".django_migrations'])
        if cursor.fetchone()[0] is None:
            return True
    return bool(behind([TEMPLATE]))


def behind_public(*, using: str = OWNER) -> bool:
    """Whether the public schema lacks a migration."""
    shared = [c.label for c in apps.get_app_configs() if c.name in settings.SHARED_APPS]
    return bool(behind(["public"], wanted_migrations(shared), using=using))


def environment_schemas(*, using: str = OWNER) -> list[str]:
    """Schema names of every environment that can be opened, oldest first."""
    ready = Environment.objects.using(using).filter(status=Environment.Status.READY).order_by("id")
    return list(ready.values_list("schema_name", flat=True))


def template_sql() -> str:
    """The template schema as SQL that can be replayed under another name, with its privileges and migration rows."""
    settings_dict = connections[OWNER].settings_dict
    structure = postgres_dump.run(settings_dict, "--schema-only", "--no-owner", "-n", TEMPLATE)
    history = postgres_dump.run(
        settings_dict,
        "--data-only",
        "--no-owner",
        "--inserts",
        "--rows-per-insert=1000",
        "-t",
        f"{TEMPLATE}.django_migrations",
    )
    return re.sub(r"\n\n+", "\n", _NOISE.sub("", structure + history))


def migrate_environments(*, progress: Callable[[int, int, str], None], verbosity: int = 0) -> Iterator[Migrated]:
    """Bring every environment that is behind up to date, one transaction per migration, and mark each as it is done.

    It can be stopped and started again at any point: what is done is recorded in each schema. An environment that fails
    is reported and the others go on. `progress(number, count, schema)` is called before each.
    """
    wanted = wanted_migrations()
    goal = fingerprint(wanted)
    late = behind(environment_schemas(), wanted)
    for number, name in enumerate(late, start=1):
        progress(number, len(late), name)
        started = time.monotonic()
        try:
            _migrate(name, verbosity=verbosity)
        except Exception as error:  # noqa: BLE001 - one environment's failure must not stop the others
            yield Migrated(name, time.monotonic() - started, f"{type(error).__name__}: {error}")
            continue
        Environment.objects.using(OWNER).filter(schema_name=name).update(migrated_to=goal)
        yield Migrated(name, time.monotonic() - started)


def _migrate(schema_name: str, *, verbosity: int) -> None:
    connection: Any = connections[OWNER]
    connection.set_schema(schema_name, include_public=False)
    try:
        MigrationRecorder(connection).ensure_schema()  # in this schema, or public's table would be found and trusted
        connection.set_schema(schema_name)
        command = DjangoMigrate()
        command.execute(
            app_label=None, migration_name=None, database=OWNER, interactive=False, verbosity=verbosity, fake=False,
            fake_initial=False, plan=False, run_syncdb=False, check_unapplied=False, prune=False, skip_checks=True,
            no_color=True, force_color=False, stdout=None, stderr=None, traceback=False,
        )  # fmt: skip
        _grant(schema_name)
    finally:
        connection.set_schema_to_public()


def _grant(schema_name: str) -> None:
    """Let the app role work on rows: on every table whose migration did not settle its own privileges."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute(f'GRANT USAGE ON SCHEMA "{schema_name}" TO {APP_ROLE}')
        cursor.execute(
            "SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relacl IS NULL"
            " AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)",
            [schema_name],
        )
        for name, kind in cursor.fetchall():
            rights = "USAGE, SELECT" if kind == "S" else "SELECT, INSERT, UPDATE, DELETE"
            noun = "SEQUENCE" if kind == "S" else "TABLE"
            cursor.execute(f'GRANT {rights} ON {noun} "{schema_name}"."{name}" TO {APP_ROLE}')
