"""What was answered to a request that carried an idempotency key."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from connect.models.base import ConnectTenantModel


class IdempotencyKey(ConnectTenantModel):
    """One key of one account. `claimed` means its request waits for the outside world under a lease.

    `reply` is the answer's body, sealed, because answers hold client secrets. `resume` names what a resumed request has
    to settle (the public id of an attempt). Rows are kept at least 24 hours.
    """

    class State(models.TextChoices):
        CLAIMED = "claimed"
        DONE = "done"

    account_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    state = models.CharField(max_length=8, choices=State.choices)
    request_id = models.CharField(max_length=40)
    resume = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    status = models.SmallIntegerField(null=True)
    reply = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_idempotency_key"
        constraints = [models.UniqueConstraint(fields=["account_id", "key"], name="connect_idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="connect_idempotency_age")]

    def __str__(self) -> str:
        return self.key
