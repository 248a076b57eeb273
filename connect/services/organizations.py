"""Organizations: making one (its owner becomes a member, its test environment is made at once), and changing it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import IntegrityError, transaction

from connect.domain import activation, errors, names
from connect.domain.memberships import MemberOutOfReach, SecondFactorMissing
from connect.domain.permissions import Role, allows
from connect.domain.tiers import TIERS
from connect.kit import ids
from connect.kit.caller import Actor, Caller
from connect.kit.errors import ParameterInvalid, ParameterMissing, ResourceMissing
from connect.models import Environment, Membership, Organization
from connect.selectors import credentials
from connect.selectors import memberships as membership_selectors
from connect.selectors.organizations import OrganizationRef
from connect.services import audit, environments, memberships

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_WEB_ADDRESS = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True, slots=True)
class Details:
    """What an organization says about itself; an empty text is not said."""

    legal_name: str = ""
    country: str = ""
    registration_number: str = ""
    website: str = ""
    support_email: str = ""


def create(*, owner_id: UUID, name: str, slug: str, tier: str = "free") -> OrganizationRef:
    """Make an organization with a test environment in state `pending`; `environments.provision` makes its schema.

    Raises `NameInvalid` or `SlugTaken`.
    """
    name, slug = names.cleaned(name), slug.strip().lower()
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
    name = names.cleaned(name)
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


def change(caller: Caller, *, name: str, details: Details) -> None:
    """Change what the organization is called and says about itself; one whose live mode is open keeps saying it all.

    Raises `NameInvalid`, `MemberOutOfReach`, and `ParameterInvalid` or `ParameterMissing` naming the detail. Without a
    difference nothing is written.
    """
    name = names.cleaned(name)
    if not 1 <= len(name) <= 120:
        raise errors.NameInvalid(param="name", maximum=120)
    with transaction.atomic():
        row = _locked_for_settings(caller)
        checked = checked_details(details, complete=row.activated_at is not None)
        after = {"name": name, **asdict(checked)}
        before = {field: getattr(row, field) for field in after}
        changed = sorted(field for field in after if before[field] != after[field])
        if not changed:
            return
        row.name = name
        keep_details(row, checked, "name")
        audit.record_for_organization(
            row.id,
            actor=caller.actor,
            action="organization.updated",
            target=row.slug,
            before={field: before[field] for field in changed},
            after={field: after[field] for field in changed},
        )


def require_second_factor(caller: Caller, *, required: bool) -> None:
    """Ask every member for a second factor before any page of the organization, or no longer.

    Raises `SecondFactorMissing` when whoever asks for it has none, and `MemberOutOfReach`.
    """
    person = ids.lookup("usr", caller.actor.id)
    with transaction.atomic():
        row = _locked_for_settings(caller)
        if required and not membership_selectors.has_second_factor(person):
            raise SecondFactorMissing
        if row.requires_mfa == required:
            return
        row.requires_mfa = required
        row.save(update_fields=["requires_mfa"])
        audit.record_for_organization(
            row.id,
            actor=caller.actor,
            action="organization.second_factor_required" if required else "organization.second_factor_optional",
            target=row.slug,
        )


def checked_details(details: Details, *, complete: bool) -> Details:
    """The details as they are kept; `complete`: all of them have to be there.

    Raises `ParameterMissing` or `ParameterInvalid` with the name of the detail.
    """
    given = {name: " ".join(value.split()) for name, value in asdict(details).items()}
    given["country"] = given["country"].upper()
    for name, value in given.items():
        if complete and not value:
            raise ParameterMissing(param=name)
    checked = Details(**given)
    if len(checked.legal_name) > 200:
        raise ParameterInvalid("A legal name has at most 200 characters.", param="legal_name")
    if checked.country and checked.country not in activation.COUNTRIES:
        raise ParameterInvalid("Choose a country of the list.", param="country")
    if checked.registration_number and not activation.is_registration_number(checked.registration_number):
        raise ParameterInvalid(
            "A registration number has 3 to 40 letters, digits, spaces, dots, slashes and hyphens.",
            param="registration_number",
        )
    try:
        if checked.website:
            _WEB_ADDRESS(checked.website)
    except ValidationError:
        raise ParameterInvalid("Write the whole address, such as https://example.com.", param="website") from None
    try:
        if checked.support_email:
            validate_email(checked.support_email)
    except ValidationError:
        raise ParameterInvalid("Write an e-mail address, such as help@example.com.", param="support_email") from None
    return replace(checked, support_email=checked.support_email.lower())


def keep_details(row: Organization, details: Details, *more: str) -> None:
    """Write checked details to the locked `row`, with the columns named in `more`, which the caller has set."""
    given = asdict(details)
    for name, value in given.items():
        setattr(row, name, value)
    row.save(update_fields=[*given, *more])


def _locked_for_settings(caller: Caller) -> Organization:
    team = memberships.locked(caller)
    if not allows(team.actor.role, "settings:write"):
        raise MemberOutOfReach
    return team.organization
