"""API keys as people see them: never the secret, never its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connect.kit import clock, ids
from connect.kit.caller import EnvironmentRef
from connect.models import ApiKey

PREFIX = "key"


@dataclass(frozen=True, slots=True)
class ApiKeyInfo:
    """One key. `id` is its public id (`key_…`), `created_by` an e-mail or empty."""

    id: str
    name: str
    prefix: str
    last4: str
    scopes: tuple[str, ...]
    ip_allowlist: tuple[str, ...]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    rolled_to: str | None

    @property
    def redacted(self) -> str:
        """How the key may be shown."""
        return f"{self.prefix}…{self.last4}"

    def state(self, at: datetime) -> str:
        """`active`, `expiring`, `expired` or `revoked` at a moment."""
        if self.revoked_at and self.revoked_at <= at:
            return "revoked"
        if self.expires_at is None:
            return "active"
        return "expired" if self.expires_at <= at else "expiring"


def info(row: ApiKey) -> ApiKeyInfo:
    """Plain values of a row."""
    return ApiKeyInfo(
        id=ids.encode(PREFIX, row.id),
        name=row.name,
        prefix=row.prefix,
        last4=row.last4,
        scopes=tuple(row.scopes),
        ip_allowlist=tuple(row.ip_allowlist),
        created_at=row.created_at,
        created_by=row.created_by.email if row.created_by else "",
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        rolled_to=ids.encode(PREFIX, row.rolled_to_id) if row.rolled_to_id else None,
    )


def for_environment(environment: EnvironmentRef) -> list[ApiKeyInfo]:
    """The environment's keys, newest first, revoked ones last."""
    rows = ApiKey.objects.select_related("created_by").filter(environment_id=environment.id).order_by("-id")
    return sorted((info(row) for row in rows), key=lambda key: key.revoked_at is not None)


def get(environment_id: UUID, key_id: str) -> ApiKeyInfo | None:
    """One key of the environment by public id, or None."""
    identifier = ids.lookup(PREFIX, key_id)
    row = ApiKey.objects.select_related("created_by").filter(environment_id=environment_id, pk=identifier).first()
    return info(row) if row else None


def count_made_by(organization_id: UUID, user_id: str) -> int:
    """How many keys that work now a person made in any environment of the organization."""
    rows = ApiKey.objects.filter(
        environment__organization_id=organization_id, created_by_id=ids.lookup("usr", user_id), revoked_at=None
    )
    return rows.exclude(expires_at__lte=clock.wall()).count()
