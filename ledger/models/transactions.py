"""Transactions and their entries. Both are append-only; the SQL function `ledger_post` writes them."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.rows import TenantModel


class Transaction(TenantModel):
    """`reference` is the public id of the business object; `hold_minor` is what it took out of the hold `hold_id`."""

    seq = models.BigIntegerField(unique=True)
    kind = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=255, unique=True)
    reverses = models.UUIDField(null=True, unique=True)
    hold_id = models.UUIDField(null=True)
    hold_minor = models.BigIntegerField(null=True)
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()
    description = models.TextField(default="")
    reference = models.CharField(max_length=255, default="")
    metadata: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        db_table = "ledger_transaction"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Entry(models.Model):
    """One line: `amount_minor` is signed, credit + and debit -."""

    pk = models.CompositePrimaryKey("transaction_id", "line")
    transaction_id = models.UUIDField()
    line = models.IntegerField()
    account_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_entry"

    def __str__(self) -> str:
        return f"{self.transaction_id}/{self.line}"
