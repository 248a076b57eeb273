"""Payment intents: the wish to collect an amount, and how far it has come."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from connect.kit.money import Money
from payments.domain.payment_intent_state import CaptureMethod, ConfirmationMethod, Status
from payments.models.base import TimedModel


class PaymentIntent(TimedModel):
    """The aggregate root of a payment: lock this row before anything below it.

    `open_attempt_id` names the attempt that is with the processor; while it is set nothing else may be tried.
    `checkout_session_id` names the checkout session that owns the intent and alone may confirm it.
    """

    amount_minor = models.BigIntegerField()
    amount_capturable_minor = models.BigIntegerField(default=0)
    amount_received_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=30, choices=[(status.value, status.value) for status in Status])
    capture_method = models.CharField(max_length=20, default=CaptureMethod.AUTOMATIC.value)
    confirmation_method = models.CharField(max_length=20, default=ConfirmationMethod.AUTOMATIC.value)
    customer_id = models.UUIDField(null=True)
    payment_method_id = models.UUIDField(null=True)
    latest_charge_id = models.UUIDField(null=True)
    open_attempt_id = models.UUIDField(null=True)
    payment_method_types: models.JSONField[Any, Any] = models.JSONField(default=list)
    payment_method_options: models.JSONField[Any, Any] = models.JSONField(null=True)
    description = models.CharField(max_length=1000, null=True)  # noqa: DJ001 - null and empty differ on the wire
    receipt_email = models.CharField(max_length=512, null=True)  # noqa: DJ001
    statement_descriptor = models.CharField(max_length=22, null=True)  # noqa: DJ001
    statement_descriptor_suffix = models.CharField(max_length=22, null=True)  # noqa: DJ001
    setup_future_usage = models.CharField(max_length=20, null=True)  # noqa: DJ001
    transfer_group = models.CharField(max_length=255, null=True)  # noqa: DJ001
    shipping: models.JSONField[Any, Any] = models.JSONField(null=True)
    last_payment_error: models.JSONField[Any, Any] = models.JSONField(null=True)
    next_action: models.JSONField[Any, Any] = models.JSONField(null=True)
    cancellation_reason = models.CharField(max_length=30, null=True)  # noqa: DJ001
    canceled_at = models.DateTimeField(null=True)
    checkout_session_id = models.UUIDField(null=True)

    class Meta:
        db_table = "payments_payment_intent"
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_intent_positive"),
            models.CheckConstraint(
                condition=models.Q(amount_received_minor__gte=0)
                & models.Q(amount_capturable_minor__gte=0)
                & models.Q(amount_received_minor__lte=models.F("amount_minor") - models.F("amount_capturable_minor")),
                name="payments_intent_amounts",
            ),
        ]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="payments_intent_newest"),
            models.Index(fields=["account_id", "customer_id", "-id"], name="payments_intent_customer"),
            GinIndex(fields=["metadata"], opclasses=["jsonb_path_ops"], name="payments_intent_metadata"),
        ]

    def __str__(self) -> str:
        return f"{Money(self.amount_minor, self.currency)} {self.status}"
