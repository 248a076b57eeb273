"""Mails to an organization's owners about support's looks into their environments: given, taken unasked, taken back.

The grant's row is the outbox, as an endpoint's is in `webhook_notices`: `notice_due_at` is written with the change and
cleared when the mail is out. Claim, send, record; a process that dies in between sends it twice, never not at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from connect.domain.permissions import Role
from connect.kit import clock
from connect.models import SupportGrant
from connect.selectors import organizations

log = structlog.get_logger(__name__)

BATCH: Final = 50
LEASE: Final = timedelta(minutes=10)


def send_due() -> int:
    """Mail the owners about each change that is still to be told, at most `BATCH`. Returns how many mails."""
    sent = 0
    for row, lease in _claim():
        owners = organizations.addresses_of(row.organization_id, {Role.OWNER})
        if owners:
            try:
                _message(row, owners).send()
            except OSError:  # the mail server is away: the lease ends, and it is tried again
                log.exception("support.notice_failed", grant=str(row.pk))
                continue
            sent += 1
        # What changed while the mail was under way wrote a new moment, and is told by the next run.
        SupportGrant.objects.filter(pk=row.pk, notice_due_at=lease).update(notice_due_at=None)
    return sent


def page_of(org_slug: str, mode: str) -> str:
    """Where the organization gives leave and takes it back: a page of the dashboard, which stands above this app."""
    return f"{settings.FC_PUBLIC_URL.rstrip('/')}/o/{org_slug}/{mode}/support-access"


def _claim() -> list[tuple[SupportGrant, datetime]]:
    now = clock.wall()
    lease = now + LEASE
    with transaction.atomic():
        due = SupportGrant.objects.select_for_update(skip_locked=True, of=["self"]).filter(notice_due_at__lte=now)
        due = due.select_related("organization", "environment", "granted_by", "taken_by")
        rows = list(due.order_by("notice_due_at")[:BATCH])
        claimed: list[UUID] = [row.pk for row in rows]
        SupportGrant.objects.filter(pk__in=claimed).update(notice_due_at=lease)
    return [(row, lease) for row in rows]


def _message(row: SupportGrant, owners: list[str]) -> EmailMessage:
    where = f"the {row.environment.kind} environment of {row.organization.name}"
    page = page_of(row.organization.slug, row.environment.kind)
    until = f"{row.expires_at:%d %b %Y, %H:%M} UTC"
    given = f"{row.granted_by.email} let" if row.granted_by else "A member let"
    if row.revoked_at is not None:
        subject = f"Support can no longer look into {where}"
        what = f"The access was taken back at {row.revoked_at:%d %b %Y, %H:%M} UTC. Nothing more can be looked at."
    elif row.taken_by is not None:
        subject = f"Support looked into {where} without being asked"
        what = (
            f"{row.taken_by.email} of our staff opened {where} in an emergency, without a leave from you, and can look "
            f"until {until}. You can end it at once on the page below."
        )
    else:
        subject = f"Support may look into {where}"
        what = f"{given} our support look into {where} until {until}. You can end it at any time on the page below."
    why = f"\n\nReason: {row.reason}" if row.reason else ""
    text = f"{what}{why}\n\n{page}\n\nEvery page that support opens is in your audit log.\n"
    # One address must not show another's to the world if a mail is forwarded.
    return EmailMessage(" ".join(subject.split()), text, bcc=owners)
