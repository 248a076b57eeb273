"""Environments: the tenants. Each is a PostgreSQL schema, test or live."""

from __future__ import annotations

from django.db import models
from django_tenants.models import TenantMixin

from connect.kit import ids
from connect.kit.caller import API_VERSION, EnvironmentRef, OwnLimits
from connect.models.organizations import Organization


class Environment(TenantMixin):
    """One schema. `schema_name` is `<kind>_` and the short id, never anything a person chose."""

    class Status(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    class Kind(models.TextChoices):
        TEST = "test"
        LIVE = "live"

    auto_create_schema = False  # provisioning is a service of its own, by replay
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="environments")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    short_id = models.CharField(max_length=12, unique=True)
    cluster = models.CharField(max_length=40, default="default")
    api_version = models.CharField(max_length=10, default=API_VERSION)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    migrated_to = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    quota_alert_month = models.CharField(max_length=7, blank=True, help_text="year and month of the last alert")
    quota_alert_share = models.SmallIntegerField(default=0, help_text="the highest share told in it, in percent")

    class Meta:
        db_table = "connect_environment"
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind"], name="connect_environment_once_per_kind"),
            models.CheckConstraint(
                condition=models.Q(schema_name__regex=r"^(live|test)_[a-z2-7]{12}$"), name="connect_environment_schema"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization.slug}/{self.kind}"

    def ref(self) -> EnvironmentRef:
        """Plain values for everything outside this app. Reads the organization's tier and the limits of its own: select
        `organization` and `limit_override` along.
        """
        own = getattr(self, "limit_override", None)
        return EnvironmentRef(
            id=self.id,
            organization_id=self.organization_id,
            kind="live" if self.kind == self.Kind.LIVE else "test",
            schema_name=self.schema_name,
            short_id=self.short_id,
            cluster=self.cluster,
            tier=self.organization.tier,
            api_version=self.api_version,
            own_limits=OwnLimits(own.per_second, own.burst, own.monthly_quota, own.expires_at) if own else None,
        )


class SchemaTemplate(models.Model):
    """The SQL that makes an empty environment, and which migrations it stands for. One row, refreshed by `migrate`."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    sql = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "connect_schema_template"

    def __str__(self) -> str:
        return self.fingerprint
