"""Holds: money set aside from a source account for a destination account. SQL functions write them."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.rows import TenantModel


class Hold(TenantModel):
    """What is open is `amount_minor - posted_minor - voided_minor`; a settled hold has nothing open."""

    source_account = models.UUIDField()
    destination_account = models.UUIDField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    posted_minor = models.BigIntegerField(default=0)
    voided_minor = models.BigIntegerField(default=0)
    state = models.CharField(max_length=7, default="pending")
    void_reason = models.CharField(max_length=64, default="")
    expires_at = models.DateTimeField(null=True)
    description = models.TextField(default="")
    reference = models.CharField(max_length=255, default="")
    idempotency_key = models.CharField(max_length=255, unique=True)
    metadata: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_hold"

    def __str__(self) -> str:
        return f"{self.state} {self.id}"
