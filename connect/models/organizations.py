"""Organizations and who belongs to them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connect.domain.permissions import Role
from connect.models.base import PublicModel


class Organization(PublicModel):
    """A company that installed or signed up: it owns environments and has members."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    tier = models.CharField(max_length=20, default="free")
    requires_mfa = models.BooleanField(default=False)
    legal_name = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    registration_number = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)
    support_email = models.EmailField(blank=True)
    activated_at = models.DateTimeField(null=True, help_text="when live mode was opened")

    class Meta:
        db_table = "connect_organization"

    def __str__(self) -> str:
        return self.name


class Membership(PublicModel):
    """A person's place in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.value.title()) for role in Role])

    class Meta:
        db_table = "connect_membership"
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="connect_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.role}"


class Invitation(PublicModel):
    """An offer to join, sent by mail; only the hash of its secret is kept."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=[(role.value, role.value.title()) for role in Role])
    secret_hash = models.BinaryField(unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "connect_invitation"

    def __str__(self) -> str:
        return f"{self.email} to {self.organization}"
