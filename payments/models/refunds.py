"""Refunds: captured money on its way back to the payer."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.money import Money
from payments.domain.refund_state import Status
from payments.models.base import TimedModel


class Refund(TimedModel):
    """A part of a charge that goes back. The row is written once the processor was heard of.

    `check_at` is when the processor is to be asked again what became of it, by the refund's own clock.
    `cancel_attempt_id` names the attempt to stop it that is with the processor.
    """

    charge_id = models.UUIDField(db_index=True)
    payment_intent_id = models.UUIDField(db_index=True)
    customer_id = models.UUIDField(null=True)
    payment_method_id = models.UUIDField(null=True)
    attempt_id = models.UUIDField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, choices=[(status.value, status.value) for status in Status])
    reason = models.CharField(max_length=30, null=True)  # noqa: DJ001 - null and empty differ on the wire
    failure_reason = models.CharField(max_length=60, null=True)  # noqa: DJ001
    next_action: models.JSONField[Any, Any] = models.JSONField(null=True)
    processor_reference = models.CharField(max_length=100, null=True)  # noqa: DJ001
    balance_transaction_id = models.UUIDField(null=True)
    failure_balance_transaction_id = models.UUIDField(null=True)
    cancel_attempt_id = models.UUIDField(null=True)
    check_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_refund"
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_refund_positive"),
        ]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="payments_refund_newest"),
            models.Index(
                fields=["check_at"], condition=models.Q(check_at__isnull=False), name="payments_refund_to_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{Money(self.amount_minor, self.currency)} {self.status}"
