"""What the rows of every environment share, whichever app they belong to."""

from __future__ import annotations

from django.db import models

from connect.kit import ids


class TenantModel(models.Model):
    """A row of an environment's schema, reachable only inside `use_environment`. Its key is a UUIDv7 made by us."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)

    class Meta:
        abstract = True
