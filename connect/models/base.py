"""What our own rows share, public and tenant."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from connect.kit import ids
from connect.kit.rows import TenantModel


class PublicModel(models.Model):
    """A row of the public schema. UUIDv7 primary keys here too, so that a table can move to another cluster."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class ConnectTenantModel(TenantModel):
    """A tenant row of `connect` itself; its migrations stand in `connect/tenant/migrations`."""

    class Meta:
        abstract = True
        app_label = "connect_tenant"
