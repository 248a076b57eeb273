"""Usage: how much each endpoint was called by whom, hour by hour."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connect.models.base import ConnectTenantModel


class UsageHour(ConnectTenantModel):
    """Requests of one actor to one route in one hour (UTC) that ended in one class of status (2 for 2xx).

    `latency` counts them by time: one number for each bound of `connect.kit.metrics.LATENCY_BUCKETS` and a last one for
    all that took longer.
    """

    hour = models.DateTimeField()
    method = models.CharField(max_length=10)
    route = models.CharField(max_length=200, blank=True)
    actor_id = models.CharField(max_length=64)
    status_class = models.SmallIntegerField()
    requests = models.BigIntegerField()
    limited = models.BigIntegerField(help_text="those of them that a limit refused (429); they use up no quota")
    duration_us = models.BigIntegerField(help_text="sum over the requests, in microseconds")
    latency: ArrayField[Any, Any] = ArrayField(models.BigIntegerField(), size=11)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_usage_hour"
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "method", "route", "actor_id", "status_class"], name="connect_usage_hour_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.method} {self.route} {self.status_class}xx: {self.requests}"
