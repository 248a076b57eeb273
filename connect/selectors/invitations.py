"""Invitations: never their secret, never its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from connect.domain import invitations as rules
from connect.kit import clock, ids
from connect.models import Invitation, Membership

PREFIX: Final = "inv"


@dataclass(frozen=True, slots=True)
class InvitationInfo:
    """One invitation; `invited_by` is an address, empty when that person's account is gone."""

    id: str
    organization_id: UUID
    organization_name: str
    organization_slug: str
    email: str
    role: str
    invited_by: str
    sent_at: datetime
    expires_at: datetime
    is_accepted: bool
    is_withdrawn: bool
    is_expired: bool

    @property
    def is_open(self) -> bool:
        """Whether it can still be accepted."""
        return not (self.is_accepted or self.is_withdrawn or self.is_expired)


def waiting(organization_id: UUID) -> list[InvitationInfo]:
    """Those nobody answered, newest first; expired ones too, since they can be sent again."""
    rows = Invitation.objects.select_related("organization", "invited_by").filter(
        organization_id=organization_id, accepted_at=None, withdrawn_at=None
    )
    return [info(row) for row in rows.order_by("-id")]


def get(organization_id: UUID, invitation_id: str) -> InvitationInfo | None:
    """One of those that wait, by public id, or None."""
    return next((found for found in waiting(organization_id) if found.id == invitation_id), None)


def by_secret(secret: str) -> InvitationInfo | None:
    """The invitation behind a mailed link, whatever became of it, or None."""
    row = (
        Invitation.objects.select_related("organization", "invited_by").filter(secret_hash=rules.digest(secret)).first()
    )
    return info(row) if row else None


def is_member(organization_id: UUID, user_id: UUID) -> bool:
    """Whether the person belongs to the organization."""
    return Membership.objects.filter(organization_id=organization_id, user_id=user_id).exists()


def info(row: Invitation) -> InvitationInfo:
    """Plain values of a row read with its organization and whoever invited."""
    return InvitationInfo(
        id=ids.encode(PREFIX, row.id),
        organization_id=row.organization_id,
        organization_name=row.organization.name,
        organization_slug=row.organization.slug,
        email=row.email,
        role=row.role,
        invited_by=row.invited_by.email if row.invited_by else "",
        sent_at=row.expires_at - rules.LIFE,
        expires_at=row.expires_at,
        is_accepted=row.accepted_at is not None,
        is_withdrawn=row.withdrawn_at is not None,
        is_expired=row.expires_at <= clock.wall(),
    )
