"""The members of an organization, as its team page shows them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from connect.domain.permissions import Role
from connect.kit import ids
from connect.models import Membership

PREFIX: Final = "mem"
_RANKS: Final = {role.value: rank for rank, role in enumerate(Role)}
SECOND_FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as one: recovery codes only stand in for it."""


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """One member. `id` names the place in the organization (`mem_…`), `user_id` the person (`usr_…`)."""

    id: str
    user_id: str
    email: str
    name: str
    role: str
    joined_at: datetime
    last_sign_in_at: datetime | None
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who gets a mail, and the language they read."""

    email: str
    locale: str


def for_organization(organization_id: UUID) -> list[MemberInfo]:
    """All members, the most powerful first, then by address."""
    rows = [info(row) for row in _with_factors().filter(organization_id=organization_id)]
    return sorted(rows, key=lambda member: (_RANKS[member.role], member.email))


def get(organization_id: UUID, member_id: str) -> MemberInfo | None:
    """One member of the organization by public id, or None."""
    row = _with_factors().filter(organization_id=organization_id, pk=ids.lookup(PREFIX, member_id)).first()
    return info(row) if row else None


def of_user(organization_id: UUID, user_id: UUID) -> MemberInfo | None:
    """A person's place in the organization, or None."""
    row = _with_factors().filter(organization_id=organization_id, user_id=user_id).first()
    return info(row) if row else None


def recipients(organization_id: UUID, roles: Collection[Role]) -> list[Recipient]:
    """The members with one of these roles who can sign in, by address."""
    rows = Membership.objects.filter(
        organization_id=organization_id, role__in=[role.value for role in roles], user__is_active=True
    )
    return [Recipient(*row) for row in rows.order_by("user__email").values_list("user__email", "user__locale")]


def has_second_factor(user_id: UUID) -> bool:
    """Whether the person has set up a second factor."""
    return Authenticator.objects.filter(user_id=user_id, type__in=SECOND_FACTORS).exists()


def info(row: Any) -> MemberInfo:
    """Plain values of a membership read with its person; one read without factors counts as without."""
    return MemberInfo(
        id=ids.encode(PREFIX, row.id),
        user_id=ids.encode("usr", row.user_id),
        email=row.user.email,
        name=row.user.name,
        role=row.role,
        joined_at=row.created_at,
        last_sign_in_at=row.user.last_login,
        has_second_factor=getattr(row, "has_factor", False),
    )


def _with_factors() -> QuerySet[Any]:
    factors = Authenticator.objects.filter(user_id=OuterRef("user_id"), type__in=SECOND_FACTORS)
    return Membership.objects.select_related("user").annotate(has_factor=Exists(factors))
