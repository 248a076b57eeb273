"""API keys. The secret itself is never stored."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from connect.models.base import PublicModel
from connect.models.environments import Environment


class ApiKey(PublicModel):
    """A credential of one environment: SHA-256 of the secret, and what a person needs to recognise it."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    secret_hash = models.BinaryField(unique=True, editable=False)
    prefix = models.CharField(max_length=8)
    last4 = models.CharField(max_length=4)
    scopes = ArrayField(models.CharField(max_length=40))
    ip_allowlist = ArrayField(models.CharField(max_length=43), default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    rolled_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        db_table = "connect_api_key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last4})"
