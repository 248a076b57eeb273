"""Transactions of linked accounts, as the bank has them now."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from banks.models.base import BanksModel


class BankTransaction(BanksModel):
    """One entry of an account. Its id stays while the bank renumbers it, rewords it or books what was pending.

    `amount_minor` is negative for money out. `fingerprint` and `occurrence` tell it from others where the bank's ids do
    not (`banks.domain.matching`); `content_hash` says whether anything changed. `version` counts changes. A removed
    one keeps its row: `status` is `removed`.
    """

    bank_account_id = models.UUIDField()
    connection_id = models.UUIDField()
    status = models.CharField(max_length=8)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    booking_date = models.DateField(null=True)
    value_date = models.DateField(null=True)
    sort_date = models.DateField()
    counterparty_name = models.CharField(max_length=140, null=True)  # noqa: DJ001 - null and empty differ on the wire
    counterparty_account = models.CharField(max_length=34, null=True)  # noqa: DJ001
    counterparty_bic = models.CharField(max_length=11, null=True)  # noqa: DJ001
    remittance = models.TextField(null=True)  # noqa: DJ001
    reference_scheme = models.CharField(max_length=8, null=True)  # noqa: DJ001
    reference_value = models.CharField(max_length=60, null=True)  # noqa: DJ001
    end_to_end_id = models.CharField(max_length=35, null=True)  # noqa: DJ001
    purpose_code = models.CharField(max_length=35, null=True)  # noqa: DJ001
    bank_transaction_code = models.CharField(max_length=70, null=True)  # noqa: DJ001
    exchange: models.JSONField[Any, Any] = models.JSONField(null=True)
    balance_after_minor = models.BigIntegerField(null=True)
    institution_transaction_id = models.CharField(max_length=100, null=True)  # noqa: DJ001
    entry_reference = models.CharField(max_length=100, null=True)  # noqa: DJ001
    pending_transaction_id = models.CharField(max_length=100, null=True)  # noqa: DJ001
    fingerprint = models.BinaryField(max_length=16)
    occurrence = models.SmallIntegerField(default=0)
    content_hash = models.BinaryField(max_length=16)
    search_text = models.TextField()
    version = models.IntegerField(default=1)
    fetched_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "banks_transaction"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["booked", "pending", "removed"]), name="banks_transaction_statuses"
            ),
        ]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="banks_transaction_newest"),
            models.Index(fields=["account_id", "-sort_date", "-id"], name="banks_transaction_by_day"),
            models.Index(fields=["account_id", "amount_minor"], name="banks_transaction_amount"),
            models.Index(fields=["bank_account_id", "-id"], name="banks_transaction_of_account"),
            models.Index(fields=["connection_id", "-id"], name="banks_transaction_of_conn"),
            models.Index(fields=["bank_account_id", "sort_date"], name="banks_transaction_window"),
            GinIndex(fields=["search_text"], opclasses=["public.gin_trgm_ops"], name="banks_transaction_words"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} {self.status}"
