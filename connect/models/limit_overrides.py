"""Limits that staff set for one environment instead of its tier's."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connect.models.base import PublicModel
from connect.models.environments import Environment


class LimitOverride(PublicModel):
    """What is None stays as the tier has it. `per_second` and `burst` count requests, the quota those of a month."""

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="limit_override")
    per_second = models.FloatField(null=True, blank=True)
    burst = models.IntegerField(null=True, blank=True)
    monthly_quota = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_limit_override"

    def __str__(self) -> str:
        return f"Limits of {self.environment}"
