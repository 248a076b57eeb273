"""Filters of lists that a person gave a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connect.models.base import PublicModel
from connect.models.organizations import Organization


class SavedFilter(PublicModel):
    """The query string of a list, under a name. `page` is the URL name of the list."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)

    class Meta:
        db_table = "connect_saved_filter"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user", "page", "name"], name="connect_saved_filter_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.page})"
