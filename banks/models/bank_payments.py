"""Payments that a customer's bank makes at our request."""

from __future__ import annotations

from django.db import models

from banks.domain.bank_payment_state import Status
from banks.models.base import BanksModel


class BankPayment(BanksModel):
    """One order at a bank. `attempt` is the id of whoever asked for it, once only: it is the order's idempotency key.

    `state_hash` is that of the secret in the address the bank sends the customer back to; `secret_hash` that of our own
    page on which they choose their bank. `bank_url` is where the bank waits for them. `bank_status` is the bank's last
    word, `check_at` when somebody has to look again: the bank is asked, or the time to choose one is over.
    """

    attempt = models.CharField(max_length=60, unique=True)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in Status])
    bank_status = models.CharField(max_length=4, null=True)  # noqa: DJ001 - null until the bank spoke
    institution_id = models.UUIDField(null=True)
    connection_id = models.UUIDField(null=True)
    bank_account_id = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    creditor_name = models.CharField(max_length=70)
    creditor_iban = models.CharField(max_length=34)
    debtor_iban = models.CharField(max_length=34, null=True)  # noqa: DJ001
    remittance = models.CharField(max_length=140)
    end_to_end_id = models.CharField(max_length=35, unique=True)
    secret_hash = models.BinaryField(max_length=32, unique=True)
    state_hash = models.BinaryField(max_length=32, null=True, unique=True)
    handle_sealed = models.BinaryField(null=True)
    bank_url = models.TextField(null=True)  # noqa: DJ001
    begun_at = models.DateTimeField(null=True)
    return_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001
    psu_address = models.GenericIPAddressField(null=True)
    failure = models.CharField(max_length=24, null=True)  # noqa: DJ001
    failure_reason = models.CharField(max_length=140, null=True)  # noqa: DJ001
    lease_until = models.DateTimeField(null=True)
    check_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "banks_payment"
        constraints = [models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="banks_payment_positive")]
        indexes = [
            models.Index(fields=["account_id", "-id"], name="banks_payment_newest"),
            models.Index(
                fields=["check_at"], condition=models.Q(check_at__isnull=False), name="banks_payment_to_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} {self.status}"
