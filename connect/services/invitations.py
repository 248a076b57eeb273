"""Inviting people: a mailed link that opens the door once, for seven days. Only the hash of its secret is kept.

The mail goes out after the commit; where it could not be sent, the page says so, and it can be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from connect.domain import invitations as rules
from connect.domain import memberships as membership_rules
from connect.domain.memberships import AlreadyMember
from connect.kit import clock, ids
from connect.kit.caller import Actor, Caller
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import Invitation, Membership, User
from connect.selectors.invitations import PREFIX, InvitationInfo, info
from connect.selectors.memberships import Recipient
from connect.services import audit, limits, memberships, notices
from connect.services.notices import Letter


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation, and whether its mail left."""

    invitation: InvitationInfo
    is_mailed: bool


def invite(caller: Caller, *, email: str, role: str) -> Sent:
    """Invite the person at `email`. Raises `ParameterInvalid`, `RoleUnknown`, `MemberOutOfReach`, `AlreadyMember`,
    `AlreadyInvited`, `InvitationLimit`, `TooManyInvitations`.
    """
    email, wanted, secret = _checked_email(email), membership_rules.known_role(role), rules.new_secret()
    limits.attempt_invitation(str(caller.environment.organization_id), email)
    with transaction.atomic():
        team = memberships.locked(caller)
        membership_rules.require_reach(team.actor.role, wanted)
        if any(row.user.email == email for row in team.members):
            raise AlreadyMember(email=email, param="email")
        now = clock.wall()
        waiting = Invitation.objects.filter(
            organization=team.organization, accepted_at=None, withdrawn_at=None, expires_at__gt=now
        )
        addresses = list(waiting.values_list("email", flat=True))
        if email in addresses:
            raise rules.AlreadyInvited(email=email, param="email")
        if len(addresses) >= rules.OPEN_MAX:
            raise rules.InvitationLimit(maximum=rules.OPEN_MAX)
        row = Invitation.objects.create(
            organization=team.organization,
            email=email,
            role=wanted.value,
            secret_hash=rules.digest(secret),
            invited_by=team.actor.user,
            expires_at=now + rules.LIFE,
        )
        _note(caller, "invitation.sent", row)
    return _mail(row, secret)


def resend(caller: Caller, *, invitation_id: str) -> Sent:
    """Send a new link for seven more days; the old one stops working. Whoever sends it answers for it from now on.

    Raises `InvitationJustSent`, `MemberOutOfReach`, `ResourceMissing`.
    """
    secret = rules.new_secret()
    with transaction.atomic():
        row = _locked(caller, invitation_id)
        now = clock.wall()
        if row.expires_at - rules.LIFE + rules.PAUSE > now:
            raise rules.InvitationJustSent
        row.secret_hash, row.expires_at = rules.digest(secret), now + rules.LIFE
        row.invited_by_id = ids.decode("usr", caller.actor.id)
        row.save(update_fields=["secret_hash", "expires_at", "invited_by"])
        _note(caller, "invitation.resent", row)
    return _mail(row, secret)


def withdraw(caller: Caller, *, invitation_id: str) -> InvitationInfo:
    """Take an invitation back: its link no longer opens anything. Raises `MemberOutOfReach`, `ResourceMissing`."""
    with transaction.atomic():
        row = _locked(caller, invitation_id)
        row.withdrawn_at = clock.wall()
        row.save(update_fields=["withdrawn_at"])
        _note(caller, "invitation.withdrawn", row)
    return info(row)


def accept(*, secret: str, user_id: UUID) -> InvitationInfo:
    """Join by a mailed link. Raises `InvitationMissing`, `InvitationUsed`, `InvitationWithdrawn`, `InvitationExpired`,
    and `InvitationForAnother` for who is signed in with another address.
    """
    digest = rules.digest(secret)
    with transaction.atomic():
        found = Invitation.objects.filter(secret_hash=digest).first()
        if found is None:
            raise rules.InvitationMissing
        memberships.lock_organization(found.organization_id)
        row = Invitation.objects.select_related("organization", "invited_by").get(pk=found.pk)
        _require_open(row, digest)
        user = User.objects.get(pk=user_id)
        if not belongs_to(user, row.email):
            raise rules.InvitationForAnother(email=row.email)
        row.accepted_at = clock.wall()
        row.save(update_fields=["accepted_at"])
        Membership.objects.get_or_create(organization=row.organization, user=user, defaults={"role": row.role})
        _note_by(Actor("user", ids.encode("usr", user_id), label=user.email), "invitation.accepted", row)
    return info(row)


def belongs_to(user: User, email: str) -> bool:
    """Whether an address is the person's: the one they sign in with, or another that they have proven."""
    return user.email == email or EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists()


def _locked(caller: Caller, invitation_id: str) -> Invitation:
    team = memberships.locked(caller)
    row = (
        Invitation.objects.select_related("organization", "invited_by")
        .filter(
            organization=team.organization,
            pk=ids.lookup(PREFIX, invitation_id),
            accepted_at=None,
            withdrawn_at=None,
        )
        .first()
    )
    if row is None:
        raise ResourceMissing(resource="invitation", id=invitation_id)
    membership_rules.require_reach(team.actor.role, row.role)
    return row


def _require_open(row: Invitation, digest: bytes) -> None:
    if bytes(row.secret_hash) != digest:  # sent again since it was found
        raise rules.InvitationMissing
    if row.accepted_at is not None:
        raise rules.InvitationUsed
    if row.withdrawn_at is not None:
        raise rules.InvitationWithdrawn
    if row.expires_at <= clock.wall():
        raise rules.InvitationExpired


def _checked_email(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise ParameterInvalid(f"'{email}' is not an e-mail address.", param="email") from None
    return email


def _note(caller: Caller, action: str, row: Invitation) -> None:
    _note_by(caller.actor, action, row)


def _note_by(actor: Actor, action: str, row: Invitation) -> None:
    audit.record_for_organization(
        row.organization_id,
        actor=actor,
        action=action,
        target=ids.encode(PREFIX, row.id),
        email=row.email,
        role=row.role,
    )


def _mail(row: Invitation, secret: str) -> Sent:
    """Nobody knows which language a stranger reads: the one of whoever invites is the best guess."""
    known = User.objects.filter(email=row.email).first()
    locale = known.locale if known else translation.get_language() or "en"
    sent = notices.tell([Recipient(row.email, locale)], partial(_letter, row, secret))
    return Sent(info(row), is_mailed=bool(sent))


def _letter(row: Invitation, secret: str) -> Letter:
    words = {
        "organization": row.organization.name,
        "inviter": row.invited_by.email if row.invited_by else _("Somebody"),
        "role": notices.role_name(row.role),
        "url": notices.address(f"/invitations/{secret}"),
        "until": f"{row.expires_at:%d %b %Y, %H:%M} UTC",
    }
    text = _(
        "%(inviter)s invites you to join %(organization)s on Facturino Connect, as %(role)s.\n\n"
        "Open this link to accept; without an account it leads you to making one:\n\n%(url)s\n\n"
        "It works once, until %(until)s. If you did not expect this, do nothing: without you nothing happens.\n"
    )
    return Letter(_("Join %(organization)s on Facturino Connect") % words, text % words)
