"""Institutions: the banks there are, the same for every environment, and how they have been doing."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from banks.domain.profiles import Operation
from banks.models.base import CatalogModel


class Institution(CatalogModel):
    """A bank. Its id is derived from its slug, so that it is the same on every installation.

    `search_text` holds its names folded to plain Latin (`banks.domain.names`). `interface` overrides what the profile
    file says of the bank's interface. `is_enabled` takes it off the link page; existing connections go on.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    slug = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    native_name = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2)
    bic = models.CharField(max_length=11, blank=True)
    bank_code = models.CharField(max_length=8, blank=True)
    connector = models.CharField(max_length=30, blank=True)
    website = models.CharField(max_length=200, blank=True)
    identity_confidence = models.CharField(max_length=10)
    integration_confidence = models.CharField(max_length=10)
    note = models.TextField(blank=True)
    search_text = models.CharField(max_length=400)
    interface: models.JSONField[Any, Any] = models.JSONField(default=dict)
    is_enabled = models.BooleanField(default=True)

    objects: ClassVar[models.Manager[Institution]] = models.Manager()

    class Meta(CatalogModel.Meta):
        db_table = "banks_catalog_institution"
        indexes = [
            models.Index(fields=["name", "id"], name="banks_institution_by_name"),
            models.Index(fields=["country", "bank_code"], name="banks_institution_by_code"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def confidence(self) -> str:
        """How sure we are of its interface: what staff say of it, else what the file says."""
        return self.interface.get("confidence") or self.integration_confidence


class InstitutionHealth(CatalogModel):
    """What became of the calls to a bank in one five-minute window, for one operation.

    `latency_counts` are calls by bucket of `banks.domain.health.LATENCY_MS`.
    """

    id = models.UUIDField(primary_key=True)
    institution_id = models.UUIDField()
    operation = models.CharField(max_length=16, choices=[(op.value, op.value) for op in Operation])
    window_start = models.DateTimeField()
    successes = models.IntegerField(default=0)
    bank_errors = models.IntegerField(default=0)
    own_errors = models.IntegerField(default=0)
    latency_counts = ArrayField(models.IntegerField(), default=list)

    objects: ClassVar[models.Manager[InstitutionHealth]] = models.Manager()

    class Meta(CatalogModel.Meta):
        db_table = "banks_catalog_institution_health"
        constraints = [
            models.UniqueConstraint(
                fields=["institution_id", "operation", "window_start"], name="banks_health_once_per_window"
            )
        ]
        indexes = [models.Index(fields=["window_start"], name="banks_health_by_age")]

    def __str__(self) -> str:
        return f"{self.operation} {self.window_start:%Y-%m-%d %H:%M}"


class InstitutionIncident(CatalogModel):
    """A time in which a bank was not healthy, for the status page. `ended_at` None is still going on.

    `note` is what staff tell readers of the page. One that is `by_staff` was opened by them and ends when they say so:
    no figure changes it.
    """

    id = models.UUIDField(primary_key=True)
    institution_id = models.UUIDField()
    status = models.CharField(max_length=10)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    announced_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    by_staff = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[InstitutionIncident]] = models.Manager()

    class Meta(CatalogModel.Meta):
        db_table = "banks_catalog_institution_incident"
        constraints = [
            models.UniqueConstraint(
                fields=["institution_id"], condition=models.Q(ended_at=None), name="banks_incident_one_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["-began_at"], name="banks_incident_newest")]

    def __str__(self) -> str:
        return f"{self.status} since {self.began_at:%Y-%m-%d %H:%M}"
