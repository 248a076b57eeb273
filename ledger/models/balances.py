"""The projection of entries and pending holds; triggers write it, nothing else can."""

from __future__ import annotations

from django.db import models


class Balance(models.Model):
    """One stripe of an account's balance: `posted` is signed (credit +), the held amounts are not negative in sum."""

    pk = models.CompositePrimaryKey("account_id", "stripe")
    account_id = models.UUIDField()
    stripe = models.SmallIntegerField(default=0)
    posted = models.BigIntegerField(default=0)
    held_in = models.BigIntegerField(default=0)
    held_out = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_balance"

    def __str__(self) -> str:
        return f"{self.account_id}/{self.stripe}"
