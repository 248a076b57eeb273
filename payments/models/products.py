"""Products: what is sold."""

from __future__ import annotations

from typing import Any

from django.db import models

from payments.models.base import PaymentsModel


class Product(PaymentsModel):
    """A good or a service. What it costs stands in its prices; a deleted one stays as a row without any."""

    name = models.CharField(max_length=250)
    active = models.BooleanField(default=True)
    description = models.CharField(max_length=1000, null=True)  # noqa: DJ001 - null and empty differ on the wire
    default_price_id = models.UUIDField(null=True)
    images: models.JSONField[Any, Any] = models.JSONField(default=list)
    shippable = models.BooleanField(null=True)
    statement_descriptor = models.CharField(max_length=22, null=True)  # noqa: DJ001
    unit_label = models.CharField(max_length=12, null=True)  # noqa: DJ001
    url = models.CharField(max_length=2048, null=True)  # noqa: DJ001
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_product"
        indexes = [models.Index(fields=["account_id", "-id"], name="payments_product_newest")]

    def __str__(self) -> str:
        return self.name
