"""Organizations as a member sees them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from connect.domain.permissions import Role
from connect.models import Membership, Organization


@dataclass(frozen=True, slots=True)
class OrganizationRef:
    """An organization, and the role of the person asking."""

    id: UUID
    name: str
    slug: str
    tier: str
    role: str


def for_user(user_id: UUID) -> list[OrganizationRef]:
    """The organizations a person belongs to, by name."""
    rows = Membership.objects.select_related("organization").filter(user_id=user_id).order_by("organization__name")
    return [_ref(row) for row in rows]


def for_member(user_id: UUID, slug: str) -> OrganizationRef | None:
    """The organization at `slug` if the person belongs to it; a stranger gets None, as if it did not exist."""
    row = Membership.objects.select_related("organization").filter(user_id=user_id, organization__slug=slug).first()
    return _ref(row) if row else None


def _ref(row: Membership) -> OrganizationRef:
    organization = row.organization
    return OrganizationRef(organization.id, organization.name, organization.slug, organization.tier, row.role)


def name(organization_id: UUID) -> str:
    """What the organization calls itself: for pages on which a payer sees whom they pay."""
    return Organization.objects.values_list("name", flat=True).get(pk=organization_id)


def addresses_of(organization_id: UUID, roles: Collection[Role]) -> list[str]:
    """The e-mail addresses of the members with one of these roles who can sign in, in alphabetical order."""
    rows = Membership.objects.filter(
        organization_id=organization_id, role__in=[role.value for role in roles], user__is_active=True
    )
    return sorted(rows.values_list("user__email", flat=True))
