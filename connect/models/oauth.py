"""OAuth2 and OpenID Connect: other companies' apps, and what members allowed them.

All models of django-oauth-toolkit are swapped, so that a grant and every token made from it
lead to the environment and the consent the member chose. docs/adr/0004 says why.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

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

from connect.domain import oauth, redirects
from connect.models.base import PublicModel
from connect.models.environments import Environment
from connect.models.organizations import Organization


class HashedField(models.CharField):
    """Holds the SHA-256 of what it is given, and is searched by that: for codes, which the library keeps in clear.

    A row that was read is not saved whole again: its hash would be hashed.
    """

    def get_prep_value(self, value: Any) -> Any:
        """The hash, for a write as for a look-up."""
        prepared = super().get_prep_value(value)
        return oauth.digest(prepared) if isinstance(prepared, str) else prepared

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """For migrations it is the column it is."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options


class ApiClient(AbstractApplication):
    """An app that other organizations can let in. It belongs to the organization that registered it, and to one of its
    environments: one of a test environment is let into test environments only.

    `client_secret` is a SHA-256 that we make; the library is told not to hash it again.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="api_clients"
    )
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    description = models.CharField(max_length=300, blank=True)
    homepage = models.URLField(blank=True)
    privacy_url = models.URLField(blank=True)
    terms_url = models.URLField(blank=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="what it may ask for")
    grant_types = ArrayField(models.CharField(max_length=44), default=list, blank=True, help_text="its ways in")
    previous_secret = models.CharField(max_length=255, blank=True, help_text="hash of the secret before the last roll")
    previous_secret_expires_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True, help_text="since when staff let it do nothing")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta(AbstractApplication.Meta):
        db_table = "connect_api_client"

    @property
    def livemode(self) -> bool:
        """Whether it was registered for live environments."""
        return bool(self.environment and self.environment.kind == Environment.Kind.LIVE)

    def allows_grant_type(self, *grant_types: str) -> bool:
        """Whether it has one of these ways in."""
        return bool(set(grant_types) & set(self.grant_types))

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Whether people may be sent there: character by character one that it registered, and still a place we allow.

        Unlike the library we let no loopback port vary.
        """
        local_hosts = settings.FC_PRIVATE_HOSTS_ALLOWED
        registered = uri in self.redirect_uris.split()
        return registered and redirects.is_allowed(uri, livemode=self.livemode, local_hosts=local_hosts)

    def get_allowed_schemes(self) -> list[str]:
        """What a redirect may begin with; where exactly it leads, `redirect_uri_allowed` has decided."""
        return ["https"] if self.livemode else ["https", "http"]

    def is_usable(self, request: Any) -> bool:  # noqa: ARG002 - the library's signature
        """Whether it may do anything at all."""
        return self.suspended_at is None and self.environment_id is not None

    def knows(self, secret: str, at: datetime) -> bool:
        """Whether `secret` is its secret, or the one before while that still works."""
        digest = oauth.digest(secret)
        if self.client_secret and hmac.compare_digest(digest, self.client_secret):
            return True
        overlaps = self.previous_secret_expires_at is not None and at < self.previous_secret_expires_at
        return overlaps and hmac.compare_digest(digest, self.previous_secret)


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
    """An authorization code; only its hash is stored."""

    code = HashedField(max_length=255, unique=True, verbose_name="code")

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
    """A device that waits for a person to let it in from another one. What it polls with is stored as a hash."""

    device_code = HashedField(max_length=100, verbose_name="device code")

    class Meta(AbstractDeviceGrant.Meta):
        db_table = "connect_oauth_device_grant"

    def __str__(self) -> str:
        return f"A device of {self.client_id}: {self.status}"
