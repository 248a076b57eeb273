"""Charges: one try to take money, approved or not."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.money import Money
from payments.models.base import TimedModel


class Charge(TimedModel):
    """What a processor answered. The sum of what is refunded never passes what was captured, by constraint.

    `amount_refunding_minor` is what is on its way to the processor: reserved, and not shown before it was heard of.
    """

    payment_intent_id = models.UUIDField(db_index=True)
    customer_id = models.UUIDField(null=True)
    payment_method_id = models.UUIDField(null=True, db_index=True)
    amount_minor = models.BigIntegerField()
    amount_captured_minor = models.BigIntegerField(default=0)
    amount_refunded_minor = models.BigIntegerField(default=0)
    amount_refunding_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10)
    captured = models.BooleanField(default=False)
    paid = models.BooleanField(default=False)
    refunded = models.BooleanField(default=False)
    disputed = models.BooleanField(default=False)
    failure_code = models.CharField(max_length=60, null=True)  # noqa: DJ001 - null and empty differ on the wire
    failure_message = models.CharField(max_length=500, null=True)  # noqa: DJ001
    outcome: models.JSONField[Any, Any] = models.JSONField(null=True)
    payment_method_details: models.JSONField[Any, Any] = models.JSONField(null=True)
    billing_details: models.JSONField[Any, Any] = models.JSONField(default=dict)
    balance_transaction_id = models.UUIDField(null=True)
    processor = models.CharField(max_length=30)
    processor_reference = models.CharField(max_length=100, null=True)  # noqa: DJ001
    hold_id = models.UUIDField(null=True)
    receipt_email = models.CharField(max_length=512, null=True)  # noqa: DJ001
    statement_descriptor = models.CharField(max_length=22, null=True)  # noqa: DJ001
    statement_descriptor_suffix = models.CharField(max_length=22, null=True)  # noqa: DJ001
    description = models.CharField(max_length=1000, null=True)  # noqa: DJ001
    transfer_group = models.CharField(max_length=255, null=True)  # noqa: DJ001
    shipping: models.JSONField[Any, Any] = models.JSONField(null=True)
    capture_before = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_charge"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_captured_minor__lte=models.F("amount_minor"))
                & models.Q(
                    amount_refunded_minor__lte=models.F("amount_captured_minor") - models.F("amount_refunding_minor")
                )
                & models.Q(amount_refunded_minor__gte=0, amount_refunding_minor__gte=0),
                name="payments_charge_amounts",
            )
        ]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="payments_charge_newest"),
            models.Index(fields=["account_id", "customer_id", "-id"], name="payments_charge_customer"),
            models.Index(
                fields=["capture_before"],
                condition=models.Q(capture_before__isnull=False, captured=False, refunded=False),
                name="payments_charge_held",
            ),
        ]

    def __str__(self) -> str:
        return f"{Money(self.amount_minor, self.currency)} {self.status}"
