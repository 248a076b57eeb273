"""Leave for staff to look into an environment: given for a time by its organization, taken back, or taken unasked.

These are public rows: call them outside of `use_environment`. Each change is in the organization's audit log, and
`notice_due_at` has `support_notices` tell the owners by mail. The staff's pages ask
`selectors.support_grants.in_force` every time, so what is taken back ends at once, in every process.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from connect.domain import errors
from connect.kit import clock, ids
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import SupportGrant
from connect.selectors.support_grants import PREFIX, SupportGrantInfo, info
from connect.services import audit

HOURS: Final = (1, 24, 7 * 24)
"""For how long an organization can let staff in."""
UNASKED: Final = timedelta(hours=1)
REASON_MIN: Final = 15
"""What staff must at least write when they take leave unasked: enough for a ticket and a word about it."""


def give(caller: Caller, *, hours: int, reason: str = "") -> SupportGrantInfo:
    """Let staff look into the caller's environment for `hours`, one of `HOURS`. Raises `ParameterInvalid`."""
    if hours not in HOURS:
        raise ParameterInvalid("Access lasts 1 hour, 24 hours or 7 days.", param="hours")
    return _make(
        caller.environment,
        caller.actor,
        "support_access.given",
        reason=reason.strip()[:300],
        expires_at=clock.wall() + timedelta(hours=hours),
        granted_by_id=ids.decode("usr", caller.actor.id),
    )


def take_unasked(environment: EnvironmentRef, *, actor: Actor, reason: str) -> SupportGrantInfo:
    """Let one member of staff look for an hour though nobody gave leave: for emergencies, told to the owners by mail.

    Raises `ParameterInvalid` without a reason that says something.
    """
    person = ids.decode("usr", actor.id)
    if person is None:
        raise ValueError("only a person can take leave: without one it would be everybody's")
    reason = reason.strip()
    if not REASON_MIN <= len(reason) <= 300:
        raise ParameterInvalid(
            f"Say why in {REASON_MIN} to 300 characters: the organization's owners get it by mail.", param="reason"
        )
    return _make(
        environment,
        actor,
        "support_access.taken",
        reason=reason,
        expires_at=clock.wall() + UNASKED,
        taken_by_id=person,
    )


def revoke(caller: Caller, *, grant_id: str) -> SupportGrantInfo:
    """Take leave back, also such as was taken unasked: the next page that staff open is refused.

    Raises `ResourceMissing`, and `SupportGrantOver` when it has ended already.
    """
    with transaction.atomic():
        rows = SupportGrant.objects.select_for_update(of=["self"]).select_related("granted_by", "taken_by")
        row = rows.filter(environment_id=caller.environment.id, pk=ids.lookup(PREFIX, grant_id)).first()
        if row is None:
            raise ResourceMissing(resource="support grant", id=grant_id)
        now = clock.wall()
        if info(row).state(now) != "active":
            raise errors.SupportGrantOver
        row.revoked_at = row.notice_due_at = now
        row.save(update_fields=["revoked_at", "notice_due_at"])
        _note(caller.environment, caller.actor, "support_access.revoked", row)
    return info(row)


def _make(
    environment: EnvironmentRef, actor: Actor, action: str, *, reason: str, expires_at: datetime, **by: UUID | None
) -> SupportGrantInfo:
    with transaction.atomic():
        row = SupportGrant.objects.create(
            organization_id=environment.organization_id,
            environment_id=environment.id,
            reason=reason,
            expires_at=expires_at,
            notice_due_at=clock.wall(),
            **by,
        )
        _note(environment, actor, action, row, reason=reason, until=expires_at.isoformat())
    return info(row)


def _note(environment: EnvironmentRef, actor: Actor, action: str, row: SupportGrant, **data: Any) -> None:
    audit.record_for_organization(
        environment.organization_id,
        actor=actor,
        action=action,
        target=ids.encode(PREFIX, row.pk),
        environment_id=environment.id,
        **data,
    )
