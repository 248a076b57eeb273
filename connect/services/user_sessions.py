"""Ending the sessions of a person. A session that is gone from the table is refused with the next request."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction


def end(user_id: UUID, *, session_id: int) -> bool:
    """End one session of this person; False when they have none of this id."""
    return _end(UserSession.objects.filter(user_id=user_id, pk=session_id)) > 0


def end_others(user_id: UUID, *, current_key: str) -> int:
    """End every session but the current one; returns how many."""
    return _end(UserSession.objects.filter(user_id=user_id).exclude(session_key=current_key))


def _end(found: Any) -> int:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    with transaction.atomic():
        rows = list(found.select_for_update())
        for row in rows:
            store(row.session_key).delete()
            row.delete()
    return len(rows)
