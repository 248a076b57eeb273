"""Events: the outbox. An event is frozen when it is written, in the transaction of its cause."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.models.base import ConnectTenantModel


class Event(ConnectTenantModel):
    """Something that happened. `payload` is the object as the API showed it at that moment.

    `fanned_out_at` is when its deliveries were made, null until then. `only_endpoint_id` names the one endpoint that a
    test send is for: such an event tells of nothing that happened and is in no list.
    """

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
    fanned_out_at = models.DateTimeField(null=True)
    only_endpoint_id = models.UUIDField(null=True)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_event"
        indexes = [
            models.Index(fields=["account_id", "-id"], name="connect_event_newest"),
            models.Index(fields=["object_id"], name="connect_event_object"),
            models.Index(fields=["type"], name="connect_event_type"),
            models.Index(fields=["id"], name="connect_event_waiting", condition=models.Q(fanned_out_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"
