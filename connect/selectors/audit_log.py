"""The audit logs as one: what was done to the organization, in public, and what was done inside its environments.

Each log is read where it lies, and `merged` puts the pages together: ids are UUIDv7, so newest first is by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast

from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from connect.kit.pages import Page, TimeRange, slice_rows
from connect.models import ApiClient, ApiKey, AuditEntry, OrganizationAuditEntry, User

PREFIX: Final = "aud"
ORGANIZATION: Final = "organization"


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `where` is `organization`, `test` or `live`; `data` holds plain values, never a secret."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    action: str
    target: str
    where: str
    request_id: str
    data: dict[str, Any]

    @property
    def public_id(self) -> str:
        """`aud_…`"""
        return ids.encode(PREFIX, self.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; an empty text does not filter."""

    actor_id: str = ""
    action: str = ""
    target: str = ""
    at: TimeRange = field(default_factory=TimeRange)

    def conditions(self) -> dict[str, Any]:
        """For a queryset of either log."""
        texts = {"actor_id": self.actor_id, "action": self.action, "target": self.target}
        return {name: text for name, text in texts.items() if text} | self.at.filters("created_at")


def of_organization(
    organization_id: UUID, environments: Sequence[EnvironmentRef], filters: Filters, page: Page, *, where: str = ""
) -> list[Entry]:
    """Up to one more than the page's limit of the public log, in the direction of reading.

    `where` narrows it to acts on one environment (its keys), or with `organization` to those on none.
    """
    kinds = {environment.id: environment.kind for environment in environments}
    rows = OrganizationAuditEntry.objects.filter(organization_id=organization_id, **filters.conditions())
    if where == ORGANIZATION:
        rows = rows.filter(environment_id=None)
    elif where:
        rows = rows.filter(environment_id__in=[each for each, kind in kinds.items() if kind == where])
    return [
        _entry(row, where=kinds.get(row.environment_id, ORGANIZATION) if row.environment_id else ORGANIZATION)
        for row in _cut(rows, page)
    ]


def of_environment(environment: EnvironmentRef, filters: Filters, page: Page) -> list[Entry]:
    """The same of the open environment's own log."""
    rows = AuditEntry.objects.filter(**filters.conditions())
    return [_entry(row, where=environment.kind, request_id=row.request_id) for row in _cut(rows, page)]


def merged(parts: Iterable[Iterable[Entry]], page: Page) -> tuple[list[Entry], bool]:
    """One page of what the logs gave, newest first, and whether more follow in the direction of reading."""
    everything = sorted((entry for part in parts for entry in part), key=lambda entry: entry.id)
    if not page.backwards:
        everything.reverse()
    return slice_rows(everything[: page.limit + 1], page)


def actor_names(entries: Iterable[Entry]) -> dict[str, str]:
    """How people know these actors: the address of a person, the name of a key or an app. At most one statement."""
    found = {entry.actor_id for entry in entries}
    known: list[QuerySet[Any]] = []
    if people := [identifier for each in found if (identifier := ids.decode("usr", each))]:
        known.append(User.objects.filter(pk__in=people).values_list(Value("usr"), _text("pk"), "email"))
    if keys := [identifier for each in found if (identifier := ids.decode("key", each))]:
        known.append(ApiKey.objects.filter(pk__in=keys).values_list(Value("key"), _text("pk"), "name"))
    if apps := [each for each in found if each.startswith("app_")]:
        rows = ApiClient.objects.filter(client_id__in=apps)
        known.append(rows.values_list(Value(""), _text("client_id"), "name"))
    if not known:
        return {}
    told = known[0].union(*known[1:]) if known[1:] else known[0]
    return {ids.encode(prefix, UUID(key)) if prefix else key: name for prefix, key, name in told}


def actor_of(text: str) -> str:
    """The actor a person means: an address stands for whoever has it, anything else for itself."""
    if "@" not in text:
        return text
    person = User.objects.filter(email=text.lower()).values_list("pk", flat=True).first()
    return ids.encode("usr", person) if person else text


def _text(column: str) -> Cast:
    return Cast(column, TextField())


def _cut(rows: Any, page: Page) -> list[Any]:
    if page.starting_after is not None:
        rows = rows.filter(id__lt=page.starting_after)
    elif page.ending_before is not None:
        rows = rows.filter(id__gt=page.ending_before)
    return list(rows.order_by("id" if page.backwards else "-id")[: page.limit + 1])


def _entry(row: Any, *, where: str, request_id: str = "") -> Entry:
    return Entry(
        id=row.id,
        at=row.created_at,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        action=row.action,
        target=row.target,
        where=where,
        request_id=request_id,
        data=row.data,
    )
