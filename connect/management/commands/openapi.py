"""`manage.py openapi` writes docs/openapi.yaml; `--check` fails when the committed file is not what the code says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema


def generate(urlconf: str | None = None) -> dict[str, Any]:
    """The description of every route under /v1; raises CommandError when anything about it is unclear or invalid."""
    GENERATOR_STATS.reset()
    schema = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)
    if GENERATOR_STATS:
        raise CommandError("the description is not complete; see the warnings above")
    validate_schema(schema)
    return schema


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing, fail when the file is out of date")
        parser.add_argument("--file", type=Path, default=Path(settings.BASE_DIR) / "docs" / "openapi.yaml")
        parser.add_argument("--urlconf", help="describe another URL configuration")

    def handle(self, *_: Any, check: bool, file: Path, urlconf: str | None, **__: Any) -> None:
        text = OpenApiYamlRenderer().render(generate(urlconf), renderer_context={}).decode()
        if check:
            if not file.exists() or file.read_text() != text:
                raise CommandError(f"{file} is not what the code says; run `manage.py openapi` and commit the result")
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.stdout.write(f"wrote {file}")
