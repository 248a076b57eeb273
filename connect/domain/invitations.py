"""Invitations: the secret in the mailed link, how long it opens the door, and why it may not."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from connect.kit.errors import DomainError

LIFE: Final = timedelta(days=7)
PAUSE: Final = timedelta(minutes=1)
"""Between two mails of one invitation: nobody's mailbox is for others to fill."""
OPEN_MAX: Final = 50
"""Invitations that wait for an answer, for one organization."""


class InvitationMissing(DomainError):
    """No invitation belongs to this link; a newer mail may hold another one."""

    code = "invitation_missing"
    status = 404
    message = "This link leads to no invitation. If you were invited again, use the link of the newest mail."


class InvitationExpired(DomainError):
    """An invitation lasts seven days."""

    code = "invitation_expired"
    message = "This invitation has expired: it lasted seven days. Ask for a new one."


class InvitationWithdrawn(DomainError):
    """Whoever invited has taken it back."""

    code = "invitation_withdrawn"
    message = "This invitation was withdrawn. Ask whoever invited you, if that is a surprise."


class InvitationUsed(DomainError):
    """An invitation opens the door once."""

    code = "invitation_used"
    message = "This invitation was accepted already. Sign in with the address it was sent to."


class InvitationForAnother(DomainError):
    """The invitation was sent to another address than that of the person who is signed in."""

    code = "invitation_for_another"
    status = 403
    message = "This invitation is for {email}. Sign in with that address, or ask for an invitation to the one you use."


class AlreadyInvited(DomainError):
    """An invitation to this address waits for its answer; send that one again."""

    code = "already_invited"
    message = "{email} has an invitation that waits for an answer. Send it again, or withdraw it first."


class InvitationLimit(DomainError):
    """Only so many invitations may wait for an answer at once."""

    code = "invitation_limit"
    message = "{maximum} invitations wait for an answer, which is the maximum. Withdraw those nobody will accept."


class InvitationJustSent(DomainError):
    """One mail a minute is enough."""

    code = "invitation_just_sent"
    status = 429
    message = "This invitation was sent less than a minute ago. Give the mail a moment, then send it again."


def new_secret() -> str:
    """The secret of a link: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(secret.encode()).digest()
