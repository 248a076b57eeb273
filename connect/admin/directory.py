"""The environments as staff look for them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from connect.kit import ids
from connect.models import Environment

SHOWN = 25


def matching(query: str) -> Sequence[Environment]:
    """The newest environments, at most 25; with a query those whose organization or short id contains it.

    A public id (`org_…`, `env_…`) is looked up.
    """
    rows = Environment.objects.select_related("organization").order_by("-id")
    if query:
        rows = rows.filter(
            Q(organization__name__icontains=query)
            | Q(organization__slug__icontains=query)
            | Q(short_id__startswith=query.lower().rpartition("_")[2])
            | Q(organization_id=ids.decode("org", query))
            | Q(pk=ids.decode("env", query))
        )
    return rows[:SHOWN]


def openable(short_id: str) -> Environment | None:
    """The environment with this short id, its organization read along, when its schema exists."""
    rows = Environment.objects.select_related("organization", "limit_override")
    return rows.filter(short_id=short_id, status=Environment.Status.READY).first()
