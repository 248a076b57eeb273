"""Apps as people see them: never a secret, never its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from connect.domain import oauth
from connect.kit.caller import EnvironmentRef
from connect.models import ApiClient

PREFIX = "app"


@dataclass(frozen=True, slots=True)
class ApiClientInfo:
    """One app. `id` is its client id (`app_…`); `people` is how many consents to it are in force."""

    id: str
    name: str
    description: str
    homepage: str
    privacy_url: str
    terms_url: str
    redirect_uris: tuple[str, ...]
    is_public: bool
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    organization: str
    environment_id: UUID | None
    livemode: bool
    created_at: datetime
    created_by: str
    verified_at: datetime | None
    suspended_at: datetime | None
    previous_secret_until: datetime | None
    people: int

    @property
    def is_verified(self) -> bool:
        """Whether staff has looked at who stands behind it."""
        return self.verified_at is not None

    @property
    def sends_people(self) -> bool:
        """Whether people let it in, on our page; otherwise it acts for itself only."""
        return bool({oauth.CODE, oauth.DEVICE} & set(self.grant_types))


def info(row: ApiClient) -> ApiClientInfo:
    """Plain values of a row."""
    return ApiClientInfo(
        id=row.client_id,
        name=row.name,
        description=row.description,
        homepage=row.homepage,
        privacy_url=row.privacy_url,
        terms_url=row.terms_url,
        redirect_uris=tuple(row.redirect_uris.split()),
        is_public=row.client_type == ApiClient.CLIENT_PUBLIC,
        grant_types=tuple(row.grant_types),
        scopes=tuple(row.scopes),
        organization=row.organization.name if row.organization else "",
        environment_id=row.environment_id,
        livemode=row.livemode,
        created_at=row.created,
        created_by=row.created_by.email if row.created_by else "",
        verified_at=row.verified_at,
        suspended_at=row.suspended_at,
        previous_secret_until=row.previous_secret_expires_at,
        people=getattr(row, "people", 0),
    )


def for_environment(environment: EnvironmentRef) -> list[ApiClientInfo]:
    """The apps registered in the environment, newest first."""
    return [info(row) for row in _rows().filter(environment_id=environment.id).order_by("-id")]


def get(environment_id: UUID, client_id: str) -> ApiClientInfo | None:
    """One app of the environment by client id, or None."""
    row = _rows().filter(environment_id=environment_id, client_id=client_id).first()
    return info(row) if row else None


def by_client_id(client_id: str) -> ApiClientInfo | None:
    """Any app by client id: for the pages on which people decide about it."""
    row = _rows().filter(client_id=client_id).first()
    return info(row) if row else None


def names(environment: EnvironmentRef) -> dict[str, str]:
    """Names, by client id, of the apps that act or have acted in the environment: its own, and those let in."""
    rows = ApiClient.objects.filter(Q(environment_id=environment.id) | Q(consents__environment_id=environment.id))
    return dict(rows.distinct().order_by("name").values_list("client_id", "name"))


def _rows() -> QuerySet[ApiClient]:
    return ApiClient.objects.select_related("organization", "environment", "created_by").annotate(
        people=Count("consents", filter=Q(consents__revoked_at__isnull=True))
    )
