"""`manage.py migrate`: public, then the template, then every environment that is behind."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.migrations.autodetector import MigrationAutodetector

from connect.services import schemas


class Command(BaseCommand):
    """Replaces Django's: a plain `migrate` would know only one schema."""

    help = (
        "Brings the public schema, the template and every environment up to date. Stop it and start it again at will."
    )
    requires_system_checks: list[str] = []
    autodetector = MigrationAutodetector  # Django checks that `migrate` and `makemigrations` agree on it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say who is behind; exit 1 if anyone is")

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = int(options["verbosity"])
        if options["check"]:
            self._check()
            return
        schemas.migrate_public(verbosity=max(verbosity - 1, 0))
        self._say(verbosity, "public is up to date")
        schemas.refresh_template()
        self._say(verbosity, "the template for new environments is up to date")
        done, failed = 0, []
        for result in schemas.migrate_environments(
            progress=lambda number, count, name: self._say(verbosity, f"{number}/{count} {name}")
        ):
            done += not result.error
            if result.error:
                failed.append(result)
                self.stderr.write(f"{result.schema_name}: {result.error}")
        self._say(verbosity, f"{done} environments migrated, {len(failed)} failed")
        if failed:
            raise CommandError("Some environments are still behind. Mend the cause and run `manage.py migrate` again.")

    def _check(self) -> None:
        names = schemas.environment_schemas()
        late = schemas.behind(names) if names else []
        if schemas.behind_public() or schemas.behind_template() or late:
            raise CommandError(
                f"behind: public={schemas.behind_public()} environments={len(late)}; run `manage.py migrate`"
            )
        self.stdout.write(f"public and {len(names)} environments are up to date")

    def _say(self, verbosity: int, text: str) -> None:
        if verbosity:
            self.stdout.write(text)
