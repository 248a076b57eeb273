"""Balance transactions: what each movement did to the balance, gross, fee and net."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.money import Money
from payments.models.base import TimedModel


class BalanceTransaction(TimedModel):
    """A readable line of the balance. The truth is the ledger; `available_on` says when net leaves pending."""

    class Status(models.TextChoices):
        PENDING = "pending"
        AVAILABLE = "available"

    type = models.CharField(max_length=40)
    reporting_category = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status.choices)
    available_on = models.DateTimeField()
    source_id = models.CharField(max_length=64)
    description = models.CharField(max_length=1000, null=True)  # noqa: DJ001 - null and empty differ on the wire
    exchange_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    fee_details: models.JSONField[Any, Any] = models.JSONField(default=list)

    class Meta:
        db_table = "payments_balance_transaction"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(net_minor=models.F("amount_minor") - models.F("fee_minor")),
                name="payments_balance_transaction_net",
            )
        ]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="payments_balance_newest"),
            models.Index(fields=["source_id"], name="payments_balance_source"),
            models.Index(
                fields=["available_on"], condition=models.Q(status="pending"), name="payments_balance_pending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {Money(self.net_minor, self.currency)}"
