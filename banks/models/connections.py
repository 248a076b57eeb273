"""Connections: a customer's consent at one bank, and what is read under it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from banks.domain.connection_state import Status
from banks.models.base import DescribedModel


class Connection(DescribedModel):
    """The aggregate root of bank data: lock this row before its accounts and transactions.

    `handle_sealed` is the connector's handle of the consent. `position` is the length of the change log: it is drawn by
    `UPDATE … SET position = position + n RETURNING position`, so positions are gapless and in the order of commits.
    `sync_due_at` is when a job reads the bank next, `sync_lease_until` who does it now. `calls` counts today's
    unattended calls (`calls_day`). `synced_at` is the last complete sync; `error` is why a later one failed.
    """

    institution_id = models.UUIDField()
    connector = models.CharField(max_length=30)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in Status])
    client_reference_id = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null and empty differ on the wire
    permissions: models.JSONField[Any, Any] = models.JSONField(default=list)
    history_days = models.SmallIntegerField()
    handle_sealed = models.BinaryField(null=True)
    consent_until = models.DateField(null=True)
    consented_at = models.DateTimeField()
    expiry_announced_at = models.DateTimeField(null=True)
    position = models.BigIntegerField(default=0)
    sync_due_at = models.DateTimeField(null=True)
    sync_lease_until = models.DateTimeField(null=True)
    sync_failures = models.SmallIntegerField(default=0)
    synced_at = models.DateTimeField(null=True)
    history_complete = models.BooleanField(default=False)
    calls = models.SmallIntegerField(default=0)
    calls_day = models.DateField(null=True)
    error = models.CharField(max_length=24, null=True)  # noqa: DJ001
    error_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "banks_connection"
        indexes = [
            models.Index(fields=["account_id", "-id"], name="banks_connection_newest"),
            models.Index(
                fields=["sync_due_at"], condition=models.Q(sync_due_at__isnull=False), name="banks_connection_due"
            ),
            models.Index(
                fields=["consent_until"],
                condition=models.Q(status__in=["active", "login_required"]),
                name="banks_connection_expiring",
            ),
            models.Index(fields=["institution_id", "status"], name="banks_connection_at_bank"),
            models.Index(
                fields=["account_id", "client_reference_id", "-id"],
                condition=models.Q(client_reference_id__isnull=False),
                name="banks_connection_of_client",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connector} {self.status}"


class Change(models.Model):
    """One entry of a connection's change log: a transaction came, changed or went. The log is only appended to."""

    class Kind(models.TextChoices):
        ADDED = "added"
        MODIFIED = "modified"
        REMOVED = "removed"

    pk = models.CompositePrimaryKey("connection_id", "position")
    connection_id = models.UUIDField()
    position = models.BigIntegerField()
    transaction_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=Kind.choices)

    objects: ClassVar[models.Manager[Change]] = models.Manager()

    class Meta:
        db_table = "banks_change"

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"
