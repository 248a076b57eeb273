"""Prices: what one unit of a product costs."""

from __future__ import annotations

from typing import Any

from django.db import models

from payments.models.base import PaymentsModel


class Price(PaymentsModel):
    """An amount that never changes once it is made: another amount is another price.

    `unit_amount_decimal` is in minor units and may have parts of one (up to 12 decimals). `recurring` is None for a
    one-time price. A `lookup_key` belongs to one price of an account at a time.
    """

    product_id = models.UUIDField(db_index=True)
    active = models.BooleanField(default=True)
    currency = models.CharField(max_length=3)
    unit_amount_decimal = models.DecimalField(max_digits=24, decimal_places=12)
    recurring: models.JSONField[Any, Any] = models.JSONField(null=True)
    lookup_key = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null and empty differ on the wire
    nickname = models.CharField(max_length=250, null=True)  # noqa: DJ001
    tax_behavior = models.CharField(max_length=12, default="unspecified")

    class Meta:
        db_table = "payments_price"
        constraints = [
            models.CheckConstraint(condition=models.Q(unit_amount_decimal__gte=0), name="payments_price_not_negative"),
            models.UniqueConstraint(fields=["account_id", "lookup_key"], name="payments_price_lookup_key"),
        ]
        indexes = [models.Index(fields=["account_id", "-id"], name="payments_price_newest")]

    def __str__(self) -> str:
        return f"{self.unit_amount_decimal} {self.currency}"
