"""Making an organization: its owner becomes a member, its test environment is made at once."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import IntegrityError, transaction

from connect.domain import errors
from connect.domain.permissions import Role
from connect.domain.tiers import TIERS
from connect.kit import ids
from connect.kit.caller import Actor
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import Environment, Membership, Organization
from connect.selectors import credentials
from connect.selectors.organizations import OrganizationRef
from connect.services import audit, environments

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")


def create(*, owner_id: UUID, name: str, slug: str, tier: str = "free") -> OrganizationRef:
    """Make an organization with a test environment in state `pending`; `environments.provision` makes its schema.

    Raises `NameInvalid` or `SlugTaken`.
    """
    name, slug = name.strip(), slug.strip().lower()
    if not 1 <= len(name) <= 120:
        raise errors.NameInvalid(param="name", maximum=120)
    if not _SLUG.fullmatch(slug):
        raise errors.NameInvalid(
            "An address has 1 to 60 lower-case letters, digits and inner hyphens.", param="slug", maximum=60
        )
    try:
        with transaction.atomic():
            organization = Organization.objects.create(name=name, slug=slug, tier=tier)
            Membership.objects.create(organization=organization, user_id=owner_id, role=Role.OWNER.value)
            environments.request(organization_id=organization.id, kind=Environment.Kind.TEST)
            audit.record_for_organization(
                organization.id,
                actor=Actor("user", ids.encode("usr", owner_id)),
                action="organization.created",
                target=slug,
            )
    except IntegrityError as error:
        raise errors.SlugTaken(slug=slug, param="slug") from error
    return OrganizationRef(organization.id, name, slug, tier, Role.OWNER.value)


def update(*, organization_id: UUID, actor: Actor, name: str, tier: str) -> None:
    """Change the name and the tier of an organization; the new limits hold in every process within seconds.

    Raises `NameInvalid`, `ParameterInvalid` for an unknown tier, `ResourceMissing`. Without a difference nothing is
    written.
    """
    name = name.strip()
    if not 1 <= len(name) <= 120:
        raise errors.NameInvalid(param="name", maximum=120)
    if tier not in TIERS:
        raise ParameterInvalid(f"There is no tier {tier!r}; choose one of {', '.join(TIERS)}.", param="tier")
    with transaction.atomic():
        row = Organization.objects.select_for_update().filter(pk=organization_id).first()
        if row is None:
            raise ResourceMissing(resource="organization", id=ids.encode("org", organization_id))
        before, after = {"name": row.name, "tier": row.tier}, {"name": name, "tier": tier}
        changed = sorted(field for field in after if before[field] != after[field])
        if not changed:
            return
        row.name, row.tier = name, tier
        row.save(update_fields=changed)
        audit.record_for_organization(
            organization_id,
            actor=actor,
            action="organization.updated",
            target=row.slug,
            before={field: before[field] for field in changed},
            after={field: after[field] for field in changed},
        )
    credentials.forget()
