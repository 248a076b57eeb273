"""OAuth2 and OpenID Connect: other companies' apps, and what members allowed them.

All models of django-oauth-toolkit are swapped, so that a grant and every token made from it
lead to the environment and the consent the member chose. docs/adr/0004 says why.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from connect.models.base import PublicModel
from connect.models.environments import Environment
from connect.models.organizations import Organization


class ApiClient(AbstractApplication):
    """An app that other organizations can let in. It belongs to the organization that registered it."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="api_clients"
    )
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    description = models.CharField(max_length=300, blank=True)
    homepage = models.URLField(blank=True)
    privacy_url = models.URLField(blank=True)
    terms_url = models.URLField(blank=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="what it may ask for")
    previous_secret = models.CharField(max_length=255, blank=True, help_text="hash of the secret before the last roll")
    previous_secret_expires_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True, help_text="since when staff let it do nothing")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta(AbstractApplication.Meta):
        db_table = "connect_api_client"


class UserConsent(PublicModel):
    """A member's decision: this app may do this in that environment. Withdrawn, every token from it is dead."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consents")
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="consents")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="consents")
    scopes = ArrayField(models.CharField(max_length=40))
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "connect_user_consent"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "client", "environment"],
                condition=models.Q(revoked_at__isnull=True),
                name="connect_user_consent_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} lets {self.client} into {self.environment}"


class Consented(models.Model):
    """The environment and the consent that a grant or token stands for."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, null=True, related_name="+")
    consent = models.ForeignKey(UserConsent, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        abstract = True


class OAuthGrant(Consented, AbstractGrant):
    """An authorization code."""

    class Meta(AbstractGrant.Meta):
        db_table = "connect_oauth_grant"

    def __str__(self) -> str:
        return f"A code for {self.application}"


class OAuthIdToken(Consented, AbstractIDToken):
    """An OpenID Connect identity token."""

    class Meta(AbstractIDToken.Meta):
        db_table = "connect_oauth_id_token"

    def __str__(self) -> str:
        return f"An identity token for {self.application}"


class OAuthAccessToken(Consented, AbstractAccessToken):
    """An access token; only its checksum is stored."""

    class Meta(AbstractAccessToken.Meta):
        db_table = "connect_oauth_access_token"

    def __str__(self) -> str:
        return f"An access token for {self.application}"


class OAuthRefreshToken(Consented, AbstractRefreshToken):
    """A refresh token; used twice, its whole family dies."""

    class Meta(AbstractRefreshToken.Meta):
        db_table = "connect_oauth_refresh_token"

    def __str__(self) -> str:
        return f"A refresh token for {self.application}"


class OAuthDeviceGrant(Consented, AbstractDeviceGrant):
    """A device that waits for a person to let it in from another one."""

    class Meta(AbstractDeviceGrant.Meta):
        db_table = "connect_oauth_device_grant"

    def __str__(self) -> str:
        return f"A device of {self.client_id}: {self.status}"
