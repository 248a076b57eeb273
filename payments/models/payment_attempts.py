"""Attempts: every call to a processor, written before it is made."""

from __future__ import annotations

from typing import Any

from django.db import models

from payments.models.base import PaymentsModel


class PaymentAttempt(PaymentsModel):
    """One call. Its public id is the processor's idempotency key, so the row is never deleted and never re-used.

    `request` holds the call's plain values, so that it can be asked about again unchanged; `plan` what else is wanted
    once it succeeds. `open` until an outcome is known; `waiting` when the processor has it and will know later.
    `lease_until` is when somebody else may take the attempt over. It belongs to a payment intent, with the charge it
    makes or works on, or to a setup intent, which moves no money and has none.
    """

    class Kind(models.TextChoices):
        AUTHORIZE = "authorize"
        CAPTURE = "capture"
        VOID = "void"
        INCREMENT = "increment"
        REFUND = "refund"
        CANCEL_REFUND = "cancel_refund"
        SET_UP = "set_up"

    class State(models.TextChoices):
        OPEN = "open"
        WAITING = "waiting"
        APPROVED = "approved"
        DECLINED = "declined"
        ACTION_REQUIRED = "action_required"
        ABANDONED = "abandoned"  # the processor never heard of it, so no money moved
        CANCELED = "canceled"  # the processor stopped it, so no money moved

    payment_intent_id = models.UUIDField(null=True, db_index=True)
    setup_intent_id = models.UUIDField(null=True)
    charge_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    processor = models.CharField(max_length=30)
    request: models.JSONField[Any, Any] = models.JSONField()
    plan: models.JSONField[Any, Any] = models.JSONField(default=dict)
    status_before = models.CharField(max_length=30)
    outcome: models.JSONField[Any, Any] = models.JSONField(null=True)
    tries = models.SmallIntegerField(default=1)
    lease_until = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_payment_attempt"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(payment_intent_id__isnull=False, charge_id__isnull=False, setup_intent_id=None)
                | models.Q(payment_intent_id=None, charge_id=None, setup_intent_id__isnull=False),
                name="payments_attempt_of_one_intent",
            ),
        ]
        indexes = [
            models.Index(fields=["lease_until"], condition=models.Q(state="open"), name="payments_attempt_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
