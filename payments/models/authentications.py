"""Authentications: a payer who was sent to the issuer's page, and how that ended."""

from __future__ import annotations

from django.db import models

from payments.domain.three_d_secure import State
from payments.models.base import PaymentsModel


class Authentication(PaymentsModel):
    """One visit to the issuer's page. It holds for the intent, payment method and amount it was asked for, no others.

    `secret_hash` is the SHA-256 of the secret in the page's address, which is stored nowhere. `seen_at` is the payer's
    last step on the page, `failures` counts wrong codes.
    """

    payment_intent_id = models.UUIDField(null=True)
    setup_intent_id = models.UUIDField(null=True)
    payment_method_id = models.UUIDField()
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, null=True)  # noqa: DJ001 - a setup intent has none
    return_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001
    secret_hash = models.BinaryField(max_length=32, unique=True)
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in State], default=State.PENDING
    )
    failures = models.SmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_authentication"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(payment_intent_id__isnull=False, setup_intent_id=None, amount_minor__gt=0)
                | models.Q(payment_intent_id=None, setup_intent_id__isnull=False, amount_minor=None),
                name="payments_authentication_of_one_intent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"
