"""Leave for staff to look into an environment, as its organization and the staff's pages see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from connect.kit import clock, ids
from connect.models import SupportGrant

PREFIX = "sgr"
SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class SupportGrantInfo:
    """One leave. `given_by` is the address of the member who gave it, empty when that person is gone; `taken_by` that
    of the member of staff who took it unasked, empty for all others.
    """

    id: str
    given_by: str
    taken_by: str
    reason: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def state(self, at: datetime) -> str:
        """`active`, `ended` or `revoked` at a moment."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return "revoked"
        return "ended" if self.expires_at <= at else "active"


def for_environment(environment_id: UUID) -> list[SupportGrantInfo]:
    """The newest `SHOWN_MAX`, newest first."""
    rows = SupportGrant.objects.select_related("granted_by", "taken_by").filter(environment_id=environment_id)
    return [info(row) for row in rows.order_by("-id")[:SHOWN_MAX]]


def get(environment_id: UUID, grant_id: str) -> SupportGrantInfo | None:
    """One of the environment's, or None."""
    rows = SupportGrant.objects.select_related("granted_by", "taken_by").filter(environment_id=environment_id)
    row = rows.filter(pk=ids.lookup(PREFIX, grant_id)).first()
    return info(row) if row else None


def in_force(environment_id: UUID, staff_id: UUID) -> SupportGrantInfo | None:
    """The leave by which this member of staff may look into the environment now, that which lasts longest; or None.

    One that was taken unasked is for whoever took it, and gave their reason, alone.
    """
    rows = _in_force(staff_id).select_related("granted_by", "taken_by").filter(environment_id=environment_id)
    row = rows.order_by("-expires_at").first()
    return info(row) if row else None


def open_to(staff_id: UUID) -> dict[UUID, datetime]:
    """The environments that this member of staff may look into now, each with the moment at which that ends."""
    rows = _in_force(staff_id).order_by("expires_at")
    return dict(rows.values_list("environment_id", "expires_at"))


def _in_force(staff_id: UUID) -> QuerySet[SupportGrant]:
    theirs = Q(taken_by=None) | Q(taken_by_id=staff_id)
    return SupportGrant.objects.filter(theirs, revoked_at=None, expires_at__gt=clock.wall())


def info(row: SupportGrant) -> SupportGrantInfo:
    """Plain values of a row."""
    return SupportGrantInfo(
        id=ids.encode(PREFIX, row.pk),
        given_by=row.granted_by.email if row.granted_by else "",
        taken_by=row.taken_by.email if row.taken_by else "",
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
