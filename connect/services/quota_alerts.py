"""Alerts about a month's quota: a mail to owners and admins and an event, once a month for each share of it.

The event commits in the environment, where its own row says that it was published. The mail leaves outside of any
transaction: claim, send, record. The claim is a lease in Valkey and the record the environment's row, so a process that
dies in between, or a flushed Valkey, sends a mail twice, never not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

from connect.domain import events as domain_events
from connect.domain import tiers
from connect.domain.permissions import PERMISSIONS
from connect.kit import clock, valkey
from connect.kit.caller import Caller, EnvironmentRef
from connect.kit.tenancy import use_environment
from connect.models import Environment, Event
from connect.selectors import organizations, usage
from connect.services import events
from connect.services.events import NewEvent
from connect.shapes.usage import UsageOut

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 600
_JOB: Final = "connect.send_quota_alert"


def due() -> tuple[str, Callable[[EnvironmentRef], str]]:
    """Table and condition for `sweeps.environments_where`: the month has reached a share that nobody was told of."""
    now = clock.wall()
    told = dict(Environment.objects.filter(quota_alert_month=_month(now)).values_list("id", "quota_alert_share"))

    def condition(environment: EnvironmentRef) -> str:
        quota = tiers.monthly_quota(environment)
        ahead = [share for share in tiers.ALERT_SHARES if share > told.get(environment.id, 0)]
        if quota is None or not ahead:
            return "false"
        return f"hour >= '{_month(now)}-01T00:00Z' HAVING sum(requests - limited) * 100 >= {quota * ahead[0]}"

    return "connect_usage_hour", condition


def send(environment: EnvironmentRef) -> int:
    """Tell of the highest share that the month has reached, if it was not told of. Publishes `usage.quota_alert`.

    Returns how many mails.
    """
    now, quota = clock.wall(), tiers.monthly_quota(environment)
    if quota is None:
        return 0
    with use_environment(environment):
        used = usage.month_total(now)
        share = tiers.share_to_tell(used, quota)
        if share <= _told(environment, now):
            return 0
        _publish_once(environment, _shape(environment, now, share=share, used=used, quota=quota))
    people = organizations.addresses_of(environment.organization_id, PERMISSIONS["settings:write"])
    if people:
        if not _claimed(environment, now, share):
            return 0
        try:
            _message(environment, people, now, share=share, used=used, quota=quota).send()
        except OSError:  # the mail server is away: the lease ends, and it is tried again
            log.exception("usage.quota_alert_failed", environment=str(environment.id))
            return 0
    Environment.objects.filter(pk=environment.id).update(quota_alert_month=_month(now), quota_alert_share=share)
    return int(bool(people))


def _month(now: datetime) -> str:
    return f"{now:%Y-%m}"


def _told(environment: EnvironmentRef, now: datetime) -> int:
    """The highest share that was told of in this month."""
    row = Environment.objects.filter(pk=environment.id, quota_alert_month=_month(now))
    return row.values_list("quota_alert_share", flat=True).first() or 0


def _claimed(environment: EnvironmentRef, now: datetime, share: int) -> bool:
    """Whether this process may send the mail: messages of the queue can come twice, and at the same time."""
    key = f"fc:quota-alert:{environment.short_id}:{_month(now)}:{share}"
    return bool(valkey.patient_client().set(key, "1", nx=True, ex=LEASE_SECONDS))


def _shape(environment: EnvironmentRef, now: datetime, *, share: int, used: int, quota: int) -> UsageOut:
    return UsageOut(livemode=environment.livemode, month=_month(now), percent=share, quota=quota, requests=used)


def _publish_once(environment: EnvironmentRef, shape: UsageOut) -> None:
    object_id = f"usage_{shape.month}_{shape.percent}"
    if not Event.objects.filter(object_id=object_id, type=domain_events.QUOTA_ALERT).exists():
        caller = Caller.system(environment, _JOB)
        events.publish(caller, NewEvent(domain_events.QUOTA_ALERT, shape, object_id=object_id))


def _message(
    environment: EnvironmentRef, people: list[str], now: datetime, *, share: int, used: int, quota: int
) -> EmailMessage:
    name = " ".join(organizations.name(environment.organization_id).split())  # a subject is one line
    tier = tiers.of(environment)
    after = (
        "Requests above it are refused with quota_exceeded until the month ends, or until you choose a larger tier."
        if tier.hard
        else "Requests above it are answered as before, and billed."
    )
    text = (
        f"The live environment of {name} has used {used:,} of the {quota:,} requests that a month has in the"
        f" {tier.name} tier: {share} % of {now:%B %Y}.\n\n{after}\n\n"
        "What was asked, by endpoint, key and app, is in the dashboard under Developers, Usage:\n"
        f"{settings.FC_PUBLIC_URL}\n"
    )
    # One address must not show another's to the world if a mail is forwarded.
    return EmailMessage(f"{name} has used {share} % of this month's requests", text, bcc=people)
