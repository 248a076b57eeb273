"""Environments, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db.models import QuerySet

from connect.kit.caller import EnvironmentRef
from connect.models import Environment


def for_organization(organization_id: UUID) -> list[EnvironmentRef]:
    """The organization's environments that can be opened, live first; one still being made is not among them."""
    return [row.ref() for row in _openable().filter(organization_id=organization_id).order_by("kind")]


def get(slug: str, kind: str) -> EnvironmentRef | None:
    """The environment at `<organization slug>/<test|live>`, or None; one still being made counts as None."""
    row = _openable().filter(organization__slug=slug, kind=kind).first()
    return row.ref() if row else None


def by_short_id(short_id: str) -> EnvironmentRef | None:
    """The environment whose schema ends in `short_id`: for pages and callbacks that carry `<short id>.<secret>`."""
    row = _openable().filter(short_id=short_id).first()
    return row.ref() if row else None


def by_id(environment_id: UUID) -> EnvironmentRef | None:
    """The environment with this id, or None."""
    row = _openable().filter(pk=environment_id).first()
    return row.ref() if row else None


def ready() -> Iterator[EnvironmentRef]:
    """Every environment that can be opened, oldest first: what a job that visits all of them walks over."""
    for row in _openable().order_by("id").iterator(chunk_size=500):
        yield row.ref()


def status(organization_id: UUID, kind: str) -> str:
    """How far the organization's environment is made: `pending`, `ready`, `failed`; empty when there is none."""
    row = Environment.objects.filter(organization_id=organization_id, kind=kind).first()
    return row.status if row else ""


def _openable() -> QuerySet[Environment]:
    return Environment.objects.select_related("organization", "limit_override").filter(status=Environment.Status.READY)


def pending() -> list[UUID]:
    """Environments whose schema is still to be made, oldest first."""
    rows = Environment.objects.filter(status=Environment.Status.PENDING).order_by("id")
    return list(rows.values_list("id", flat=True))
