"""Who did what, written in the transaction of what was done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from connect.kit import tenancy
from connect.kit.caller import Actor, Caller
from connect.models import AuditEntry, OrganizationAuditEntry


def record(caller: Caller, *, action: str, target: str = "", **data: Any) -> None:
    """Note an act inside the caller's open environment. `data` holds plain values and never a secret."""
    if tenancy.current() is None:
        raise tenancy.EnvironmentRequired("an environment's audit entry commits with what it records")
    AuditEntry.objects.create(
        actor_kind=caller.actor.kind,
        actor_id=caller.actor.id,
        action=action,
        target=target,
        request_id=caller.request_id,
        data=data,
    )


def record_person(caller: Caller, *, action: str, target: str = "", **data: Any) -> None:
    """Note an act if it is a person's, in the dashboard. What an app does stands in the request log and in events."""
    if caller.actor.kind == "user":
        record(caller, action=action, target=target, **data)


def record_for_organization(
    organization_id: UUID,
    *,
    actor: Actor,
    action: str,
    target: str = "",
    environment_id: UUID | None = None,
    **data: Any,
) -> None:
    """Note an act on the organization itself: members, keys, environments, settings, looks by staff."""
    OrganizationAuditEntry.objects.create(
        organization_id=organization_id,
        environment_id=environment_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        target=target,
        data=data,
    )
