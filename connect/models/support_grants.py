"""Leave for staff to look into an environment, given by its organization and for a time."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connect.models.base import PublicModel
from connect.models.environments import Environment
from connect.models.organizations import Organization


class SupportGrant(PublicModel):
    """Staff may look into `environment` until `expires_at`, unless it was taken back before.

    `granted_by` is the member who gave it, to all staff. `taken_by` is the member of staff who took it unasked, for
    themselves alone. `notice_due_at` is set while the owners are still to be told of the row's last change.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="support_grants")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    notice_due_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "connect_support_grant"

    def __str__(self) -> str:
        return f"Support may look into {self.environment} until {self.expires_at:%Y-%m-%d %H:%M}"
