"""Bank accounts that customers linked."""

from __future__ import annotations

from typing import Any

from django.db import models

from banks.models.base import DescribedModel


class BankAccount(DescribedModel):
    """One account of a connection. It is known by its IBAN or national number: the bank's `resource_id` may change.

    `balances` is a list of `{kind, amount, currency, as_of}` in minor units, true at `balances_at`. `booked_until` is
    the newest booking date read; the next sync begins some days before it. `entries_at` is the last complete read of
    entries, `error` why a later one failed.
    """

    connection_id = models.UUIDField()
    resource_id = models.CharField(max_length=100)
    identity_hash = models.BinaryField(max_length=32)
    iban = models.CharField(max_length=34, null=True)  # noqa: DJ001 - null and empty differ on the wire
    national_number = models.CharField(max_length=34, null=True)  # noqa: DJ001
    name = models.CharField(max_length=140, null=True)  # noqa: DJ001
    owner_name = models.CharField(max_length=140, null=True)  # noqa: DJ001
    product = models.CharField(max_length=70, null=True)  # noqa: DJ001
    cash_account_type = models.CharField(max_length=8, null=True)  # noqa: DJ001
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, default="open")
    balances: models.JSONField[Any, Any] = models.JSONField(default=list)
    balances_at = models.DateTimeField(null=True)
    booked_until = models.DateField(null=True)
    entries_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=24, null=True)  # noqa: DJ001
    error_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "banks_account"
        constraints = [
            models.UniqueConstraint(fields=["connection_id", "identity_hash"], name="banks_account_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "blocked", "closed"]), name="banks_account_statuses"
            ),
        ]
        indexes = [models.Index(fields=["account_id", "-id"], name="banks_account_newest")]

    def __str__(self) -> str:
        return f"{self.name or self.product or 'Account'} {self.currency.upper()}"
