"""Events: the outbox. An event is frozen when it is written, in the transaction of its cause."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.models.base import ConnectTenantModel


class Event(ConnectTenantModel):
    """Something that happened. `payload` is the object as the API showed it at that moment."""

    account_id = models.UUIDField()
    type = models.CharField(max_length=80)
    schema_version = models.SmallIntegerField(default=1)
    api_version = models.CharField(max_length=10)
    object_id = models.CharField(max_length=64)
    payload: models.JSONField[Any, Any] = models.JSONField()
    previous_attributes: models.JSONField[Any, Any] = models.JSONField(null=True)
    request_id = models.CharField(max_length=40, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_event"
        indexes = [
            models.Index(fields=["account_id", "-id"], name="connect_event_newest"),
            models.Index(fields=["object_id"], name="connect_event_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"
