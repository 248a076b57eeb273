"""Who may change whose place in an organization, and what never happens to it.

The permission table says who may come to the team's pages at all; these are the rules about one another.
"""

from __future__ import annotations

from collections.abc import Iterable

from connect.domain.permissions import Role, allows
from connect.kit.errors import DomainError


class MemberOutOfReach(DomainError):
    """Only an owner may change or remove an owner, or make somebody one; a role may have changed meanwhile."""

    code = "member_out_of_reach"
    status = 403
    message = "Your role does not reach this far. Only an owner can change or remove an owner, or make somebody one."


class LastOwner(DomainError):
    """An organization keeps at least one owner."""

    code = "last_owner"
    message = "An organization keeps at least one owner. Make somebody else an owner first."


class RoleUnknown(DomainError):
    """There is no such role."""

    code = "role_unknown"
    message = "There is no role '{role}'. Choose one of: {known}."


class AlreadyMember(DomainError):
    """The person belongs to the organization already."""

    code = "already_member"
    message = "{email} is a member already. Change their role on the team page."


class SecondFactorMissing(DomainError):
    """Who asks others for a second factor needs one first, or they would lock themselves out."""

    code = "second_factor_missing"
    message = "Set up a second factor for yourself first. Without one this would lock you out."


def known_role(role: str) -> Role:
    """The role of this name. Raises `RoleUnknown`."""
    try:
        return Role(role)
    except ValueError:
        raise RoleUnknown(role=role, known=", ".join(Role), param="role") from None


def require_reach(actor: str, *roles: str) -> None:
    """Refuse somebody of role `actor` to touch, or to give, one of `roles`. Raises `MemberOutOfReach`."""
    if not reaches(actor, *roles):
        raise MemberOutOfReach


def reaches(actor: str, *roles: str) -> bool:
    """Whether somebody of role `actor` may touch, or give, all of `roles`."""
    return allows(actor, "team:write") and (Role.OWNER not in roles or actor == Role.OWNER)


def require_owner_left(roles_after: Iterable[str]) -> None:
    """Refuse a change after which nobody would be owner. Raises `LastOwner`."""
    if Role.OWNER not in roles_after:
        raise LastOwner


def roles_to_give(actor: str) -> list[Role]:
    """The roles that somebody of role `actor` may give to others, most powerful first."""
    if not allows(actor, "team:write"):
        return []
    return [role for role in Role if role != Role.OWNER or actor == Role.OWNER]
