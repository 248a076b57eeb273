"""Changing who belongs to an organization, and as what. Public rows: call these outside of `use_environment`.

Every change locks the organization's row first and reads the team after that, so that two at once see each other: what
the second may do is decided by what the first left. Who may come in is read by each request anew, so a change holds
from the next request on, in every process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from connect.domain import memberships as rules
from connect.domain.permissions import Role
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.models import Invitation, Membership, Organization
from connect.selectors import invitations as invitation_selectors
from connect.selectors import memberships as selectors
from connect.selectors.memberships import PREFIX, MemberInfo, Recipient
from connect.services import audit, consents, notices
from connect.services.notices import Letter


@dataclass(frozen=True, slots=True)
class Team:
    """An organization whose row is locked, its members, and the place of whoever acts."""

    organization: Organization
    members: list[Membership]
    actor: Membership

    def member(self, member_id: str) -> Membership:
        """The member of this public id. Raises `ResourceMissing`."""
        wanted = ids.lookup(PREFIX, member_id)
        for row in self.members:
            if row.id == wanted:
                return row
        raise ResourceMissing(resource="member", id=member_id)


def change_role(caller: Caller, *, member_id: str, role: str) -> MemberInfo:
    """Give a member another role. Raises `RoleUnknown`, `MemberOutOfReach`, `LastOwner`, `ResourceMissing`."""
    wanted = rules.known_role(role)
    with transaction.atomic():
        team = locked(caller)
        row = team.member(member_id)
        before = row.role
        rules.require_reach(team.actor.role, before, wanted)
        rules.require_owner_left(wanted if each.id == row.id else each.role for each in team.members)
        if before == wanted:
            return selectors.info(row)
        _set_role(caller, team, row, wanted)
        _note(caller, "member.role_changed", row, before=before, after=wanted.value)
    _tell_of_role(team.organization, row)
    return selectors.info(row)


def remove(caller: Caller, *, member_id: str) -> MemberInfo:
    """End a membership, and with it every consent the person gave to apps here, and every invitation they sent and
    nobody answered. API keys they made go on working.

    Raises `MemberOutOfReach`, `LastOwner`, `ResourceMissing`.
    """
    with transaction.atomic():
        team = locked(caller)
        row = team.member(member_id)
        rules.require_reach(team.actor.role, row.role)
        gone = _end(caller, team, row, action="member.removed")
    write = partial(_removed_letter, team.organization.name)
    notices.tell([Recipient(row.user.email, row.user.locale)], write)
    return gone


def leave(caller: Caller) -> MemberInfo:
    """End one's own membership. Raises `LastOwner`."""
    with transaction.atomic():
        team = locked(caller)
        return _end(caller, team, team.actor, action="member.left")


def transfer_ownership(caller: Caller, *, member_id: str) -> MemberInfo:
    """Make another member owner and oneself admin, in one step. Raises `MemberOutOfReach`, `ResourceMissing`."""
    with transaction.atomic():
        team = locked(caller)
        row = team.member(member_id)
        if team.actor.role != Role.OWNER or row.id == team.actor.id:
            raise rules.MemberOutOfReach
        _set_role(caller, team, row, Role.OWNER)
        _set_role(caller, team, team.actor, Role.ADMIN)
        _note(caller, "organization.ownership_transferred", row, before=team.actor.user.email, after=row.user.email)
    _tell_of_role(team.organization, row)
    return selectors.info(row)


def locked(caller: Caller) -> Team:
    """The caller's organization, locked until the transaction ends. Raises `ResourceMissing` for who is no member."""
    organization_id = caller.environment.organization_id
    organization = lock_organization(organization_id)
    members = list(Membership.objects.select_related("user").filter(organization_id=organization_id).order_by("id"))
    person = ids.decode("usr", caller.actor.id)
    actor = next((row for row in members if row.user_id == person), None)
    if actor is None:
        raise _no_organization(organization_id)
    return Team(organization, members, actor)


def lock_organization(organization_id: UUID) -> Organization:
    """The row everything about a team goes through. Raises `ResourceMissing`."""
    # NO KEY: rows elsewhere that refer to the organization may be written meanwhile.
    row = Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()
    if row is None:
        raise _no_organization(organization_id)
    return row


def _no_organization(organization_id: UUID) -> ResourceMissing:
    return ResourceMissing(resource="organization", id=ids.encode("org", organization_id))


def _set_role(caller: Caller, team: Team, row: Membership, role: Role) -> None:
    row.role = role.value
    row.save(update_fields=["role"])
    _withdraw_invitations(caller, team, row, role)


def _end(caller: Caller, team: Team, row: Membership, *, action: str) -> MemberInfo:
    rules.require_owner_left(each.role for each in team.members if each.id != row.id)
    gone = selectors.info(row)
    _note(caller, action, row, role=row.role)
    consents.end_of_member(row.user_id, team.organization.id)
    _withdraw_invitations(caller, team, row, None)
    row.delete()
    return gone


def _withdraw_invitations(caller: Caller, team: Team, row: Membership, role: Role | None) -> None:
    """Withdraw what the person has sent and could not send as `role`; None is no member any more.

    Otherwise whoever is put out could come back by a link that they sent to an address of their own.
    """
    sent = Invitation.objects.filter(
        organization=team.organization, invited_by_id=row.user_id, accepted_at=None, withdrawn_at=None
    )
    for invitation in sent:
        if role is not None and rules.reaches(role, invitation.role):
            continue
        invitation.withdrawn_at = clock.wall()
        invitation.save(update_fields=["withdrawn_at"])
        audit.record_for_organization(
            team.organization.id,
            actor=caller.actor,
            action="invitation.withdrawn",
            target=ids.encode(invitation_selectors.PREFIX, invitation.id),
            email=invitation.email,
            role=invitation.role,
        )


def _note(caller: Caller, action: str, row: Membership, **data: Any) -> None:
    audit.record_for_organization(
        caller.environment.organization_id,
        actor=caller.actor,
        action=action,
        target=ids.encode("usr", row.user_id),
        email=row.user.email,
        **data,
    )


def _tell_of_role(organization: Organization, row: Membership) -> None:
    write = partial(_role_letter, organization, row.role)
    notices.tell([Recipient(row.user.email, row.user.locale)], write)


def _role_letter(organization: Organization, role: str) -> Letter:
    words = {
        "organization": organization.name,
        "role": notices.role_name(role),
        "url": notices.address(f"/o/{organization.slug}/test/team/roles"),
    }
    text = _(
        "What you may do in %(organization)s has changed: your role there is now %(role)s.\n\n"
        "What each role may do stands on the team page:\n%(url)s\n"
    )
    return Letter(_("Your role in %(organization)s is now %(role)s") % words, text % words)


def _removed_letter(organization: str) -> Letter:
    words = {"organization": organization}
    text = _(
        "You are no longer a member of %(organization)s on Facturino Connect. Apps that you let in on its behalf can no"
        " longer reach it.\n\nYour account, and your other organizations, stay as they are. If this is a surprise, ask"
        " an owner of %(organization)s.\n"
    )
    return Letter(_("You were removed from %(organization)s") % words, text % words)
