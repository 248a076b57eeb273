"""Customers: the payers an app knows."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Upper

from payments.models.base import TimedModel


class Customer(TimedModel):
    """A payer. Deleted ones stay as a row, so that what they paid keeps its reference."""

    email = models.CharField(max_length=512, null=True)  # noqa: DJ001 - null and empty differ on the wire
    name = models.CharField(max_length=256, null=True)  # noqa: DJ001
    phone = models.CharField(max_length=40, null=True)  # noqa: DJ001
    description = models.CharField(max_length=1000, null=True)  # noqa: DJ001
    address: models.JSONField[Any, Any] = models.JSONField(null=True)
    shipping: models.JSONField[Any, Any] = models.JSONField(null=True)
    preferred_locales: models.JSONField[Any, Any] = models.JSONField(default=list)
    default_payment_method_id = models.UUIDField(null=True)
    balance_minor = models.BigIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_customer"
        indexes = [
            models.Index(fields=["account_id", "-id"], name="payments_customer_newest"),
            models.Index(fields=["account_id", "email"], name="payments_customer_email"),
            models.Index("account_id", Upper("email"), name="payments_customer_email_upper"),
            GinIndex(fields=["metadata"], opclasses=["jsonb_path_ops"], name="payments_customer_metadata"),
            models.Index(
                fields=["test_clock_id"],
                condition=models.Q(test_clock_id__isnull=False),
                name="payments_customer_clock",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or str(self.id)
