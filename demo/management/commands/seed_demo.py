"""`manage.py seed_demo`: a demo organization, and a file with what is needed to use it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from demo.seed import seed


class Command(BaseCommand):
    """Run it as often as you like: it adds only what is missing."""

    help = "Makes a demo organization with payments, and writes its key and login to a file of mode 0600."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, required=True, help="where to write the JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        before = json.loads(output.read_text()) if output.exists() else {}
        known = {name: before.get(name) for name in ("password", "secret_key", "webhook_secret")}
        seeded = seed(**known, say=self.stdout.write)
        url = settings.FC_PUBLIC_URL
        facts = {
            "api_base": url,
            "secret_key": seeded.secret_key,
            "dashboard_url": f"{url}/o/{seeded.organization}/test/",
            "email": seeded.email,
            "password": seeded.password,
            "mailbox_url": f"{url}/mailbox",
            **({"sandbox_bank_url": settings.FC_SANDBOX_BANK_URL} if settings.FC_SANDBOX_BANK_URL else {}),
            **({"webhook_secret": seeded.webhook_secret} if seeded.webhook_secret else {}),
        }
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(facts, file, indent=2)
