"""The history of a person's sign-ins, as it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from connect.domain import user_agents
from connect.kit import ids
from connect.models import SignIn

PREFIX: Final = "sgn"
PAGE_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class SignInInfo:
    """One attempt. `device` is a browser in words, empty when it did not say."""

    id: str
    created_at: datetime
    outcome: str
    method: str
    ip: str
    device: str
    is_new_device: bool


def page(user_id: UUID, *, before: str = "") -> tuple[list[SignInInfo], bool]:
    """A person's newest attempts, at most fifty, older than the one named by `before`; and whether there are more."""
    rows = SignIn.objects.filter(user_id=user_id).order_by("-id")
    if before:
        rows = rows.filter(id__lt=ids.lookup(PREFIX, before))
    found = list(rows[: PAGE_MAX + 1])
    return [_info(row) for row in found[:PAGE_MAX]], len(found) > PAGE_MAX


def newest(user_id: UUID) -> SignInInfo | None:
    """The last attempt, or None."""
    row = SignIn.objects.filter(user_id=user_id).order_by("-id").first()
    return _info(row) if row else None


def _info(row: SignIn) -> SignInInfo:
    return SignInInfo(
        id=ids.encode(PREFIX, row.id),
        created_at=row.created_at,
        outcome=row.outcome,
        method=row.method,
        ip=row.ip or "",
        device=user_agents.describe(row.user_agent),
        is_new_device=row.is_new_device,
    )
