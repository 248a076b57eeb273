"""Who asks, for which environment, and how: the first argument of every service."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from connect.kit import ids
from connect.kit.clock import Clock

PLATFORM_ACCOUNT: Final = UUID(int=0)
"""`account_id` of rows that belong to the environment itself and not to one of its connected accounts."""

API_VERSION: Final = "2026-11-01"
"""The newest dated version of our API; an environment is pinned to the one it was created under."""

Kind = Literal["test", "live"]
ActorKind = Literal["api_key", "user", "api_client", "system"]


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """What staff set for one environment in place of its tier's; None stays as the tier has it.

    `until` None has no end. They carry it with them, so that a cached environment keeps them no second too long.
    """

    per_second: float | None = None
    burst: int | None = None
    monthly_quota: int | None = None
    until: datetime | None = None

    def hold_at(self, moment: datetime) -> bool:
        """Whether they have not ended yet."""
        return self.until is None or moment < self.until


@dataclass(frozen=True, slots=True)
class EnvironmentRef:
    """An environment as everything but `connect` sees it: plain values, no model, safe to cache."""

    id: UUID
    organization_id: UUID
    kind: Kind
    schema_name: str
    short_id: str
    cluster: str = "default"
    tier: str = "free"
    api_version: str = API_VERSION
    own_limits: OwnLimits | None = None

    @property
    def livemode(self) -> bool:
        """Whether money in this environment is real."""
        return self.kind == "live"


@dataclass(frozen=True, slots=True)
class Actor:
    """The credential or person behind a call. `id` is a public id (`key_…`, `usr_…`, `app_…`) or a job's name."""

    kind: ActorKind
    id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """`account` is `PLATFORM_ACCOUNT` or a connected account's id; `scopes` are `resource:verb` texts."""

    environment: EnvironmentRef
    actor: Actor
    account: UUID = PLATFORM_ACCOUNT
    scopes: frozenset[str] = frozenset()
    request_id: str = ""
    idempotency_key: str | None = None
    api_version: str = API_VERSION
    clock: Clock = field(default_factory=Clock)

    @property
    def livemode(self) -> bool:
        """Whether the environment is live."""
        return self.environment.livemode

    @classmethod
    def system(cls, environment: EnvironmentRef, job: str) -> Caller:
        """The caller of a background job; its request id marks the run in logs and events."""
        return cls(
            environment=environment,
            actor=Actor("system", job),
            request_id=ids.encode("req", ids.new()),
            api_version=environment.api_version,
        )
