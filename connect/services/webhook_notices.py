"""Mails about webhook endpoints that we disabled.

The endpoint's row is the outbox: `notice_due_at` is written with the disabling and cleared when the mail is out. Mail
leaves outside of any transaction, in three steps: claim, send, record. A process that dies in between sends it twice,
never not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

from connect.domain.permissions import PERMISSIONS
from connect.kit import clock, ids
from connect.kit.caller import EnvironmentRef
from connect.kit.tenancy import use_environment
from connect.models import WebhookEndpoint
from connect.selectors import organizations
from connect.shapes.webhook_endpoints import PREFIX

log = structlog.get_logger(__name__)

DUE: Final = ("connect_webhook_endpoint", "notice_due_at <= now()")
"""Table and condition for `sweeps.environments_where`."""
BATCH: Final = 50
LEASE: Final = timedelta(minutes=10)
_WHY: Final = {
    WebhookEndpoint.DisabledReason.FAILING: "Every attempt to reach it has failed for five days.",
    WebhookEndpoint.DisabledReason.GONE: "It answered 410 Gone, which asks us to send nothing more.",
}


@dataclass(frozen=True, slots=True)
class _Notice:
    endpoint_id: UUID
    url: str
    reason: str


def send_due(environment: EnvironmentRef) -> int:
    """Mail the organization's owners, admins and developers about each disabled endpoint, at most `BATCH`.

    Returns how many mails.
    """
    notices = _claim(environment)
    sent = 0
    for notice in notices:
        people = organizations.addresses_of(environment.organization_id, PERMISSIONS["webhook_endpoints:write"])
        if people:
            try:
                _message(environment, notice, people).send()
            except OSError:  # the mail server is away: the lease ends, and it is tried again
                log.exception("webhooks.notice_failed", endpoint=str(notice.endpoint_id))
                continue
            sent += 1
        _done(environment, notice.endpoint_id)
    return sent


def _claim(environment: EnvironmentRef) -> list[_Notice]:
    now = clock.wall()
    with use_environment(environment):
        due = WebhookEndpoint.objects.select_for_update(skip_locked=True).filter(notice_due_at__lte=now)
        rows = list(due.order_by("notice_due_at")[:BATCH])
        WebhookEndpoint.objects.filter(pk__in=[row.id for row in rows]).update(notice_due_at=now + LEASE)
    return [_Notice(row.id, row.url, row.disabled_reason) for row in rows]


def _done(environment: EnvironmentRef, endpoint_id: UUID) -> None:
    with use_environment(environment):
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(notice_due_at=None)


def _message(environment: EnvironmentRef, notice: _Notice, people: list[str]) -> EmailMessage:
    identifier = ids.encode(PREFIX, notice.endpoint_id)
    why = _WHY.get(WebhookEndpoint.DisabledReason(notice.reason), "")
    text = (
        f"We disabled the webhook endpoint {identifier} of your {environment.kind} environment:\n\n"
        f"    {notice.url}\n\n{why} Nothing more is sent to it, and what was still to be delivered was canceled.\n\n"
        "Once it works again, enable it in the dashboard under Developers, Webhooks, and replay what it missed:\n"
        f"{settings.FC_PUBLIC_URL}\n"
    )
    # One address must not show another's to the world if a mail is forwarded.
    return EmailMessage(f"Webhook endpoint disabled: {notice.url[:100]}", text, bcc=people)
