"""What every test database holds: two organizations, each with a test and a live environment and keys.

Run as a program by `conftest.py` on a freshly migrated database; prints what the fixtures need as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"

PASSWORD = "correct horse battery staple"


def build() -> dict[str, dict[str, str]]:
    from connect.kit import ids
    from connect.kit.caller import Actor, Caller
    from connect.models import Environment, User
    from connect.services import api_keys, environments, organizations

    secrets: dict[str, dict[str, str]] = {}
    for slug in ("acme", "other"):
        owner = User.objects.create_user(f"owner@{slug}.example", PASSWORD, name=f"Owner of {slug}")
        organization = organizations.create(owner_id=owner.id, name=slug.title(), slug=slug, tier="enterprise")
        environments.request(organization_id=organization.id, kind=Environment.Kind.LIVE)
        secrets[slug] = {}
        for row in Environment.objects.filter(organization_id=organization.id):
            environment = environments.provision(row.id)
            caller = Caller(environment=environment, actor=Actor("user", ids.encode("usr", owner.id)))
            _, secrets[slug][environment.kind] = api_keys.create(caller, name="Tests", scopes=["*"])
    return secrets


if __name__ == "__main__":
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(json.dumps(build()))
