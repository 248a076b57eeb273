"""Limits that staff set for one environment instead of its tier's, and take away again.

They travel with the environment (`EnvironmentRef.own_limits`), which every process reads anew with a credential: after
`credentials.CACHE_SECONDS` they hold everywhere. Each change is in the organization's audit log with its reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from connect.kit import clock, ids
from connect.kit.caller import Actor
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import Environment, LimitOverride
from connect.selectors import credentials
from connect.services import audit

PER_SECOND_MAX: Final = 20_000
BURST_MAX: Final = 100_000
QUOTA_MAX: Final = 10**12
_FIGURES: Final = ("per_second", "burst", "monthly_quota")


def put(
    *,
    environment_id: UUID,
    actor: Actor,
    per_second: float | None,
    burst: int | None,
    monthly_quota: int | None,
    expires_at: datetime | None,
    reason: str,
) -> None:
    """Give an environment limits of its own, in place of those it had; None leaves a figure to the tier.

    Raises `ParameterInvalid` and `ResourceMissing`.
    """
    reason = _checked_reason(reason)
    _check_figures(per_second=per_second, burst=burst, monthly_quota=monthly_quota)
    if expires_at is not None and expires_at <= clock.wall():
        raise ParameterInvalid("The end must be in the future; leave it empty for no end.", param="expires_at")
    with transaction.atomic():
        environment = _locked(environment_id)
        row = LimitOverride.objects.filter(environment=environment).first()
        before = _told(row) if row else {}
        row = row or LimitOverride(environment=environment)
        row.per_second, row.burst, row.monthly_quota = per_second, burst, monthly_quota
        row.reason, row.expires_at, row.set_by_id = reason, expires_at, ids.decode("usr", actor.id)
        row.save()
        _note(environment, actor, "environment.limits_set", before=before, after=_told(row), reason=reason)
    credentials.forget()


def remove(*, environment_id: UUID, actor: Actor, reason: str) -> None:
    """Put an environment back under its tier's limits. Without limits of its own nothing is written.

    Raises `ParameterInvalid` without a reason, and `ResourceMissing`.
    """
    reason = _checked_reason(reason)
    with transaction.atomic():
        environment = _locked(environment_id)
        row = LimitOverride.objects.filter(environment=environment).first()
        if row is None:
            return
        before = _told(row)
        row.delete()
        _note(environment, actor, "environment.limits_removed", before=before, after={}, reason=reason)
    credentials.forget()


def _locked(environment_id: UUID) -> Environment:
    row = Environment.objects.select_for_update().filter(pk=environment_id).first()
    if row is None:
        raise ResourceMissing(resource="environment", id=ids.encode("env", environment_id))
    return row


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= 300:
        raise ParameterInvalid("Say why, in 1 to 300 characters: the organization reads it.", param="reason")
    return reason


def _check_figures(*, per_second: float | None, burst: int | None, monthly_quota: int | None) -> None:
    if per_second is None and burst is None and monthly_quota is None:
        raise ParameterInvalid("Give at least one of rate, burst and quota, or remove the limits.", param="per_second")
    if per_second is not None and not 0.1 <= per_second <= PER_SECOND_MAX:
        raise ParameterInvalid(f"A rate is 0.1 to {PER_SECOND_MAX} requests a second.", param="per_second")
    if burst is not None and not 1 <= burst <= BURST_MAX:
        raise ParameterInvalid(f"A burst is 1 to {BURST_MAX} requests.", param="burst")
    if monthly_quota is not None and not 1 <= monthly_quota <= QUOTA_MAX:
        raise ParameterInvalid(f"A quota is 1 to {QUOTA_MAX} requests a month.", param="monthly_quota")


def _told(row: LimitOverride) -> dict[str, Any]:
    told: dict[str, Any] = {name: getattr(row, name) for name in _FIGURES if getattr(row, name) is not None}
    return told | ({"until": row.expires_at.isoformat()} if row.expires_at else {})


def _note(environment: Environment, actor: Actor, action: str, **data: Any) -> None:
    audit.record_for_organization(
        environment.organization_id,
        actor=actor,
        action=action,
        target=environment.short_id,
        environment_id=environment.id,
        **data,
    )
