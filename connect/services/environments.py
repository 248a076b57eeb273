"""Making environments: the row first, then its schema by replaying the template.

A schema is made by one transaction of the owner role: about 0.1 s, byte-identical to what the migrations would build
(they would take seconds, and more with every year of history). docs/adr/0001 says why a schema at all.
"""

from __future__ import annotations

import base64
import os
import re
from uuid import UUID

from django.db import connections, transaction

from connect.kit.caller import EnvironmentRef
from connect.models import Environment, SchemaTemplate
from connect.services import schemas

_PROVISIONING_LOCK = 0x46435F5052  # "FC_PR": one schema is made at a time, so that catalogue locks never cross


def request(*, organization_id: UUID, kind: str) -> Environment:
    """The row of a new environment, in state `pending`. Its schema follows by `provision`, in a job or a command."""
    short_id = base64.b32encode(os.urandom(8)).decode().lower()[:12]
    return Environment.objects.create(
        organization_id=organization_id, kind=kind, short_id=short_id, schema_name=f"{kind}_{short_id}"
    )


def provision(environment_id: UUID) -> EnvironmentRef:
    """Make the schema of a pending environment; schema and `ready` state commit together. Running it twice is harmless.

    Raises `RuntimeError` when there is no template yet, which `manage.py migrate` makes.
    """
    owner = schemas.OWNER
    with transaction.atomic(using=owner):
        with connections[owner].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PROVISIONING_LOCK])
        environment = (
            Environment.objects.using(owner)
            .select_for_update(of=["self"])
            .select_related("organization", "limit_override")
            .get(pk=environment_id)
        )
        if environment.status == Environment.Status.READY:
            return environment.ref()
        template = SchemaTemplate.objects.using(owner).order_by("-created_at").first()
        if template is None:
            raise RuntimeError("there is no schema template yet; run `manage.py migrate` first")
        sql = re.sub(rf"\b{schemas.TEMPLATE}\b", environment.schema_name, template.sql)
        with connections[owner].cursor() as cursor:
            # No parameters: the whole text goes as one query. The path is empty so that nothing resolves by accident.
            cursor.execute("SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off")
            cursor.connection.execute(sql.encode())
            cursor.execute("SET LOCAL search_path = public")
        environment.status = Environment.Status.READY
        environment.migrated_to = template.fingerprint
        Environment.objects.using(owner).filter(pk=environment.pk).update(
            status=environment.status, migrated_to=environment.migrated_to
        )
        return environment.ref()
