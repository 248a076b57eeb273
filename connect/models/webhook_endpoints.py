"""Webhook endpoints: where events go, and the secrets they are signed with."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connect.models.base import ConnectTenantModel


class WebhookEndpoint(ConnectTenantModel):
    """An address that wants events. A deleted one stays as a row without secrets, so that its log keeps its name.

    `enabled_after` is a UUIDv7 drawn whenever the endpoint begins to receive: events with greater ids are its own.
    `first_failure_at` and `failure_count` watch for the run of failures that starts the clock `failing_since`.
    Nothing is sent before `paused_until`: the endpoint asked for time. `notice_due_at` is when people are to be told by
    mail that it was disabled; null when they were, or need not be.
    """

    class Status(models.TextChoices):
        ENABLED = "enabled"
        DISABLED = "disabled"

    class DisabledReason(models.TextChoices):
        BY_CALLER = "by_caller"
        FAILING = "failing"
        GONE = "gone"

    account_id = models.UUIDField()
    url = models.CharField(max_length=2048)
    description = models.CharField(max_length=1000, blank=True)
    enabled_events: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=80))
    secret = models.BinaryField(null=True, help_text="sealed; null once the endpoint is deleted")
    previous_secret = models.BinaryField(null=True, help_text="sealed; signs too until `previous_secret_until`")
    previous_secret_until = models.DateTimeField(null=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ENABLED)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason.choices, blank=True)
    disabled_at = models.DateTimeField(null=True)
    enabled_after = models.UUIDField()
    api_version = models.CharField(max_length=10, blank=True)
    metadata: models.JSONField[Any, Any] = models.JSONField(default=dict)
    first_failure_at = models.DateTimeField(null=True)
    failure_count = models.IntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    notice_due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_webhook_endpoint"
        indexes = [models.Index(fields=["account_id", "-id"], name="connect_webhook_endpoint_new")]

    def __str__(self) -> str:
        return self.url
