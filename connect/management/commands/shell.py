"""`manage.py shell --env demo/test`: Django's shell, with that environment opened."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.shell import Command as DjangoShell

from connect.kit.tenancy import use_environment
from connect.selectors import environments


class Command(DjangoShell):
    """What is done inside commits when the shell ends; leave it with an exception to roll back."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--env", metavar="ORGANIZATION/MODE", help="open this environment, such as demo/test")

    def handle(self, **options: Any) -> Any:
        chosen = options.pop("env", None)
        if not chosen:
            return super().handle(**options)
        slug, _, kind = chosen.partition("/")
        environment = environments.get(slug, kind)
        if environment is None:
            raise CommandError(
                f"There is no environment {chosen!r}. Write it as organization/test or organization/live."
            )
        with use_environment(environment):
            return super().handle(**options)
