"""Where a person is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from connect.domain import user_agents
from connect.kit import clock


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One session. `device` is a browser in words, empty when it did not say."""

    id: int
    device: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


def for_user(user_id: UUID, *, current_key: str) -> list[SessionInfo]:
    """The sessions that still work, the current one first and then the last seen."""
    alive = Session.objects.filter(expire_date__gt=clock.wall()).values("session_key")
    rows = UserSession.objects.filter(user_id=user_id, session_key__in=alive).order_by("-last_seen_at")
    found = [
        SessionInfo(
            id=row.pk,
            device=user_agents.describe(row.user_agent),
            ip=row.ip,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=row.session_key == current_key,
        )
        for row in rows
    ]
    return sorted(found, key=lambda session: not session.is_current)
