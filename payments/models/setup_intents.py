"""Setup intents: the wish to keep a payment method for later payments, and how far it has come."""

from __future__ import annotations

from typing import Any

from django.db import models

from payments.domain.setup_intent_state import Status, Usage
from payments.models.base import TimedModel


class SetupIntent(TimedModel):
    """The aggregate root of a setup: lock this row before anything below it.

    `open_attempt_id` names the attempt that is with the processor; while it is set nothing else may be tried.
    `checkout_session_id` names the checkout session that owns the intent and alone may confirm it.
    """

    status = models.CharField(max_length=30, choices=[(status.value, status.value) for status in Status])
    usage = models.CharField(max_length=12, default=Usage.OFF_SESSION.value)
    customer_id = models.UUIDField(null=True)
    payment_method_id = models.UUIDField(null=True)
    open_attempt_id = models.UUIDField(null=True)
    payment_method_types: models.JSONField[Any, Any] = models.JSONField(default=list)
    payment_method_options: models.JSONField[Any, Any] = models.JSONField(null=True)
    description = models.CharField(max_length=1000, null=True)  # noqa: DJ001 - null and empty differ on the wire
    last_setup_error: models.JSONField[Any, Any] = models.JSONField(null=True)
    next_action: models.JSONField[Any, Any] = models.JSONField(null=True)
    cancellation_reason = models.CharField(max_length=30, null=True)  # noqa: DJ001
    canceled_at = models.DateTimeField(null=True)
    checkout_session_id = models.UUIDField(null=True)

    class Meta:
        db_table = "payments_setup_intent"
        indexes = [
            models.Index(fields=["account_id", "-id"], name="payments_setup_newest"),
            models.Index(fields=["account_id", "customer_id", "-id"], name="payments_setup_customer"),
            models.Index(fields=["account_id", "payment_method_id", "-id"], name="payments_setup_method"),
        ]

    def __str__(self) -> str:
        return f"{self.usage} {self.status}"
