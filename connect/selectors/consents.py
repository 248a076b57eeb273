"""What members have allowed other companies' apps, and what they could."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from connect.domain import oauth, permissions
from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from connect.models import Environment, Membership, UserConsent
from connect.selectors import api_clients, memberships
from connect.selectors.api_clients import ApiClientInfo

PREFIX = "cons"


@dataclass(frozen=True, slots=True)
class ConsentInfo:
    """One consent (`cons_…`). `email` is the member's; `app.people` is not counted here."""

    id: str
    app: ApiClientInfo
    email: str
    organization: str
    organization_slug: str
    livemode: bool
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Choice:
    """An environment that the person could let an app into."""

    environment: EnvironmentRef
    organization: str


def for_user(user_id: UUID) -> list[ConsentInfo]:
    """The person's consents in force, newest first."""
    return [_info(row) for row in _rows().filter(user_id=user_id, revoked_at__isnull=True)]


def for_environment(environment: EnvironmentRef, *, limit: int = 200) -> list[ConsentInfo]:
    """All consents to apps in the environment, those in force first, then withdrawn ones; newest first."""
    rows = [_info(row) for row in _rows().filter(environment_id=environment.id)[:limit]]
    return sorted(rows, key=lambda consent: consent.revoked_at is not None)


def get(consent_id: str, *, user_id: UUID | None = None, environment_id: UUID | None = None) -> ConsentInfo | None:
    """One consent of the person, or of the environment, by public id, or None."""
    rows = _rows().filter(pk=ids.lookup(PREFIX, consent_id))
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if environment_id is not None:
        rows = rows.filter(environment_id=environment_id)
    row = rows.first()
    return _info(row) if row else None


def choices(user_id: UUID, app: ApiClientInfo, wanted: Iterable[str]) -> list[Choice]:
    """The environments into which the person may let the app with these scopes: by role, test first.

    An app of a test environment reaches test environments only. An organization that asks for two factors is not
    offered to somebody who has one.
    """
    permission = oauth.permission_for(wanted)
    places = Membership.objects.select_related("organization").filter(user_id=user_id)
    allowed = {row.organization_id: row for row in places if permissions.allows(row.role, permission)}
    if any(row.organization.requires_mfa for row in allowed.values()):
        has_second_factor = memberships.has_second_factor(user_id)
        allowed = {key: row for key, row in allowed.items() if has_second_factor or not row.organization.requires_mfa}
    environments = Environment.objects.select_related("organization").filter(
        organization_id__in=allowed, status=Environment.Status.READY
    )
    if not app.livemode:
        environments = environments.filter(kind=Environment.Kind.TEST)
    found = [Choice(row.ref(), row.organization.name) for row in environments.order_by("organization__name", "-kind")]
    return sorted(found, key=lambda choice: (choice.environment.livemode, choice.organization))


def _rows() -> QuerySet[UserConsent]:
    return UserConsent.objects.select_related(
        "user", "client__organization", "client__environment", "client__created_by", "environment__organization"
    ).order_by("-id")


def _info(row: UserConsent) -> ConsentInfo:
    return ConsentInfo(
        id=ids.encode(PREFIX, row.id),
        app=api_clients.info(row.client),
        email=row.user.email,
        organization=row.environment.organization.name,
        organization_slug=row.environment.organization.slug,
        livemode=row.environment.kind == Environment.Kind.LIVE,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
