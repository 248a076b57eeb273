"""What Django tells us: the public tables were migrated, so the catalogue has to be brought in line with its file."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models.signals import post_migrate

from banks.services import institutions


def connect() -> None:
    """Receive the signal; called once, when the apps are ready."""
    post_migrate.connect(_load_catalogue, sender=apps.get_app_config("banks_catalog"), dispatch_uid="banks.catalogue")


def _load_catalogue(using: str, **_: Any) -> None:
    if "banks_catalog_institution" in _tables(using):
        institutions.load_catalogue(using=using)


def _tables(using: str) -> list[str]:
    from django.db import connections

    with connections[using].cursor() as cursor:
        return list(connections[using].introspection.table_names(cursor))
