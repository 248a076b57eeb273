"""Organizations as a member sees them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
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
    requires_mfa: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationDetails:
    """What the settings show. `activated_at` is when its members opened live mode."""

    legal_name: str
    country: str
    registration_number: str
    website: str
    support_email: str
    created_at: datetime
    activated_at: datetime | None


def details(organization_id: UUID) -> OrganizationDetails:
    """What the organization says about itself."""
    row = Organization.objects.get(pk=organization_id)
    return OrganizationDetails(
        legal_name=row.legal_name,
        country=row.country,
        registration_number=row.registration_number,
        website=row.website,
        support_email=row.support_email,
        created_at=row.created_at,
        activated_at=row.activated_at,
    )


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
    return OrganizationRef(
        organization.id, organization.name, organization.slug, organization.tier, row.role, organization.requires_mfa
    )


def name(organization_id: UUID) -> str:
    """What the organization calls itself: for pages on which a payer sees whom they pay."""
    return Organization.objects.values_list("name", flat=True).get(pk=organization_id)


def addresses_of(organization_id: UUID, roles: Collection[Role]) -> list[str]:
    """The e-mail addresses of the members with one of these roles who can sign in, in alphabetical order."""
    rows = Membership.objects.filter(
        organization_id=organization_id, role__in=[role.value for role in roles], user__is_active=True
    )
    return sorted(rows.values_list("user__email", flat=True))
