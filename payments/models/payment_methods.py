"""Payment methods: what a payer pays with. A card number is never among what is kept."""

from __future__ import annotations

from typing import Any

from django.db import models

from payments.models.base import PaymentsModel


class PaymentMethod(PaymentsModel):
    """`card` holds `payments.domain.cards.CardDetails`; `pay_by_bank` the `institution` or linked `account` to
    pay with, public ids that are null where the payer chooses. `used_up` methods were used or detached without a
    customer.

    `set_up_for` is how a payer who was asked agreed to it being charged later: off_session, on_session, or not at all.
    """

    type = models.CharField(max_length=30)
    customer_id = models.UUIDField(null=True, db_index=True)
    card: models.JSONField[Any, Any] = models.JSONField(null=True)
    pay_by_bank: models.JSONField[Any, Any] = models.JSONField(null=True)
    billing_details: models.JSONField[Any, Any] = models.JSONField(default=dict)
    used_up = models.BooleanField(default=False)
    set_up_for = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: nobody was asked

    class Meta:
        db_table = "payments_payment_method"
        indexes = [models.Index(fields=["account_id", "-id"], name="payments_method_newest")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
