"""Mails that tell people of an act on their organization: after its commit, to each in the language they read.

A mail that cannot be sent undoes nothing: what was done stands in the audit log, and the failure in ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation

from connect.kit.tenancy import forbid_inside_transaction
from connect.selectors.memberships import Recipient

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says. A line break in `subject` becomes a space."""

    subject: str
    text: str


def tell(people: Iterable[Recipient], write: Callable[[], Letter]) -> int:
    """Send what `write` says to each of `people`, asked anew in each one's language. Returns how many were sent."""
    forbid_inside_transaction("sending mail")
    return sum(_send(person, write) for person in people)


def address(path: str) -> str:
    """The whole address of a page, for a mail."""
    return f"{settings.FC_PUBLIC_URL}{path}"


def role_name(role: str) -> str:
    """A role in the language the mail is written in; the pages have the same words."""
    return translation.gettext(role.title())


def _send(person: Recipient, write: Callable[[], Letter]) -> bool:
    with translation.override(person.locale):
        letter = write()
    try:
        EmailMessage(" ".join(letter.subject.split()), letter.text, to=[person.email]).send()
    except OSError:  # the mail server is away
        log.exception("notices.not_sent", subject=letter.subject)
        return False
    return True
