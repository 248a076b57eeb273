"""Checkout sessions: one visit to the hosted page, and what is bought on it."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.money import Money
from payments.domain.checkout_state import PaymentStatus, Status
from payments.models.base import PaymentsModel


class CheckoutSession(PaymentsModel):
    """What a payer is asked for, and how far they came.

    The page is found by `secret_hash`, the SHA-256 of what its address carries; `secret_sealed` holds the same secret
    so that the address can be shown again while the session is open. `customer_details` is what the payer typed.
    `intent_data` is what the payment or setup intent gets that is made when the payer submits the page.
    `receipt_due_at` is when a receipt may be mailed next; None when there is none to mail.
    """

    secret_hash = models.BinaryField()
    secret_sealed = models.BinaryField()
    mode = models.CharField(max_length=12)
    status = models.CharField(max_length=10, default=Status.OPEN.value)
    payment_status = models.CharField(max_length=20, default=PaymentStatus.UNPAID.value)
    currency = models.CharField(max_length=3, null=True)  # noqa: DJ001 - null and empty differ on the wire
    amount_subtotal_minor = models.BigIntegerField(null=True)
    amount_total_minor = models.BigIntegerField(null=True)
    payment_intent_id = models.UUIDField(null=True)
    setup_intent_id = models.UUIDField(null=True)
    customer_id = models.UUIDField(null=True)
    customer_email = models.CharField(max_length=512, null=True)  # noqa: DJ001
    customer_creation = models.CharField(max_length=12, null=True)  # noqa: DJ001
    customer_details: models.JSONField[Any, Any] = models.JSONField(null=True)
    client_reference_id = models.CharField(max_length=200, null=True)  # noqa: DJ001
    success_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001
    cancel_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001
    locale = models.CharField(max_length=10, null=True)  # noqa: DJ001
    submit_type = models.CharField(max_length=10, null=True)  # noqa: DJ001
    billing_address_collection = models.CharField(max_length=10, null=True)  # noqa: DJ001
    phone_number_collection = models.BooleanField(default=False)
    payment_method_types: models.JSONField[Any, Any] = models.JSONField(default=list)
    intent_data: models.JSONField[Any, Any] = models.JSONField(default=dict)
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    receipt_due_at = models.DateTimeField(null=True)
    receipt_language = models.CharField(max_length=10, null=True)  # noqa: DJ001

    class Meta:
        db_table = "payments_checkout_session"
        constraints = [
            models.UniqueConstraint(fields=["secret_hash"], name="payments_checkout_secret"),
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in Status])
                & models.Q(payment_status__in=[status.value for status in PaymentStatus]),
                name="payments_checkout_statuses",
            ),
        ]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="payments_checkout_newest"),
            models.Index(
                fields=["payment_intent_id"],
                condition=models.Q(payment_intent_id__isnull=False),
                name="payments_checkout_intent",
            ),
            models.Index(fields=["expires_at"], condition=models.Q(status="open"), name="payments_checkout_open"),
            models.Index(
                fields=["receipt_due_at"],
                condition=models.Q(receipt_due_at__isnull=False),
                name="payments_checkout_receipt",
            ),
        ]

    def __str__(self) -> str:
        if self.amount_total_minor is None or self.currency is None:
            return f"{self.mode} {self.status}"
        return f"{Money(self.amount_total_minor, self.currency)} {self.status}"


class CheckoutLineItem(PaymentsModel):
    """One line of a session, with the amounts as they were when the session was made."""

    session_id = models.UUIDField()
    price_id = models.UUIDField()
    position = models.SmallIntegerField()
    description = models.CharField(max_length=250)
    quantity = models.IntegerField()
    amount_total_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "payments_checkout_line_item"
        constraints = [
            models.UniqueConstraint(fields=["session_id", "position"], name="payments_checkout_line_position"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0) & models.Q(amount_total_minor__gte=0),
                name="payments_checkout_line_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.description}"
