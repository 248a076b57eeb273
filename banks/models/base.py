"""What every row of banks shares."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.rows import TenantModel


class BanksModel(TenantModel):
    """`account_id` is the connected account the row belongs to, the platform's own being all zeros.

    It is a plain id in every unique key and list index, so that accounts never meet.
    """

    account_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        abstract = True


class DescribedModel(BanksModel):
    """A row that carries an app's own metadata."""

    metadata: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        abstract = True


class CatalogModel(models.Model):
    """A row of the public schema; its migrations stand in `banks/catalog/migrations`."""

    class Meta:
        abstract = True
        app_label = "banks_catalog"
