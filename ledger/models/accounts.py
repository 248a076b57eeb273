"""Accounts of the ledger. SQL functions open and close them; only `name` and `metadata` are written otherwise."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.rows import TenantModel


class Account(TenantModel):
    """`path` names it (`acct_…:available:eur`); `account_id` is the connected account that owns it, or zero."""

    path = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255, default="")
    currency = models.CharField(max_length=3)
    normal_side = models.CharField(max_length=6)
    floor_minor = models.BigIntegerField(null=True)
    stripes = models.SmallIntegerField(default=1)
    account_id = models.UUIDField()
    metadata: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_account"

    def __str__(self) -> str:
        return self.path
