"""Deliveries: an event on its way to an endpoint, the attempts made, and what arrived in the built-in inbox."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.models.base import ConnectTenantModel


class WebhookDelivery(ConnectTenantModel):
    """One event for one endpoint. `attempts` counts those begun; `failures` those of the present series of retries.

    While `lease_until` is ahead somebody is sending it. Only deliveries in state `pending` are ever sent.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELED = "canceled"

    event_id = models.UUIDField()
    endpoint_id = models.UUIDField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    attempts = models.IntegerField(default=0)
    failures = models.SmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_webhook_delivery"
        constraints = [
            models.UniqueConstraint(fields=["event_id", "endpoint_id"], name="connect_webhook_delivery_once")
        ]
        indexes = [
            # An endpoint's queue. Taking a lease changes none of these columns, so it leaves the indexes alone.
            models.Index(
                fields=["endpoint_id", "next_attempt_at"],
                name="connect_webhook_delivery_due",
                condition=models.Q(state="pending"),
            ),
            models.Index(fields=["endpoint_id", "-id"], name="connect_webhook_delivery_new"),
            # What went wrong is looked for among all that did not, which pay nothing for this.
            models.Index(
                fields=["endpoint_id", "-id"],
                name="connect_webhook_delivery_ended",
                condition=models.Q(state__in=["failed", "canceled"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}: {self.state}"


class WebhookDeliveryCount(ConnectTenantModel):
    """How many deliveries to an account's endpoints were made in a quarter of an hour and are in a state now.

    A trigger on deliveries writes what each statement changed, in its transaction: rows that are no total, may be
    negative and lock nobody out. `webhook_counts.add_up` adds them to the totals. All rows together are always right.
    """

    account_id = models.UUIDField()
    quarter = models.DateTimeField(help_text="its beginning")
    state = models.CharField(max_length=9)
    deliveries = models.BigIntegerField()
    is_total = models.BooleanField(default=False)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_webhook_delivery_count"
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "quarter", "state"],
                name="connect_webhook_delivery_count_once",
                condition=models.Q(is_total=True),
            )
        ]
        indexes = [
            models.Index(fields=["account_id", "quarter"], name="connect_webhook_count_time"),
            models.Index(fields=["id"], name="connect_webhook_count_loose", condition=models.Q(is_total=False)),
        ]

    def __str__(self) -> str:
        return f"{self.quarter:%Y-%m-%d %H:%M} {self.state}: {self.deliveries:+}"


class WebhookAttempt(ConnectTenantModel):
    """One request to an endpoint. The row commits before the request is sent, and is completed afterwards."""

    delivery_id = models.UUIDField()
    number = models.IntegerField()
    requested_at = models.DateTimeField()
    url = models.CharField(max_length=2048)
    request_headers: models.JSONField[Any, Any] = models.JSONField()
    body_sha256 = models.BinaryField(max_length=32)
    body_bytes = models.IntegerField()
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.IntegerField(null=True)
    response_status = models.SmallIntegerField(null=True)
    response_headers: models.JSONField[Any, Any] = models.JSONField(null=True)
    response_body = models.TextField(blank=True)
    error_kind = models.CharField(max_length=20, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_webhook_attempt"
        constraints = [models.UniqueConstraint(fields=["delivery_id", "number"], name="connect_webhook_attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"


class InboxMessage(ConnectTenantModel):
    """A request that reached the environment's webhook inbox. Only the newest are kept."""

    received_at = models.DateTimeField()
    headers: models.JSONField[Any, Any] = models.JSONField()
    body = models.TextField(blank=True)
    event_id = models.CharField(max_length=64, blank=True)
    event_type = models.CharField(max_length=80, blank=True)
    verdict = models.CharField(max_length=10, help_text="valid, invalid, or unsigned")
    answered_status = models.SmallIntegerField(default=200)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_inbox_message"

    def __str__(self) -> str:
        return f"{self.event_type} {self.verdict}"
