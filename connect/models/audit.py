"""Who changed what. The organization's log stands in public, an environment's in its schema; a page merges the two."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from connect.models.base import ConnectTenantModel, PublicModel


class OrganizationAuditEntry(PublicModel):
    """A change to an organization: members, keys, environments, settings; and every look by staff."""

    organization_id = models.UUIDField(db_index=True)
    environment_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=64, blank=True)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        db_table = "connect_organization_audit_entry"
        indexes = [models.Index(fields=["organization_id", "-id"], name="connect_org_audit_newest")]

    def __str__(self) -> str:
        return f"{self.actor_id} {self.action} {self.target}"


class AuditEntry(ConnectTenantModel):
    """A change inside an environment that is not an event of its own."""

    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64)
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_audit_entry"

    def __str__(self) -> str:
        return f"{self.actor_id} {self.action} {self.target}"
