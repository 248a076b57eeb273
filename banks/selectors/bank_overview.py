"""Banks as the dashboard shows them: how many connections need somebody, what a sync stands at, names for ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from banks.domain import institution_ids
from banks.domain.connection_state import VISIBLE, Status
from banks.models import BankAccount, Connection, LinkSession
from banks.selectors import institutions
from banks.shapes import connections as connection_shapes
from banks.shapes import link_sessions as link_session_shapes
from banks.shapes.institutions import InstitutionOut
from banks.shapes.link_sessions import LinkSessionOut
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.pages import Page, require_cursor, slice_queryset

NEEDS_SOMEBODY = (Status.LOGIN_REQUIRED, Status.EXPIRED, Status.REVOKED)
"""What goes on only once the customer has been to the link page again."""


@dataclass(frozen=True, slots=True)
class Counts:
    """`active` are read by themselves; `attention` wait for their customer."""

    active: int
    attention: int

    @property
    def any(self) -> bool:
        """Whether there is a connection at all."""
        return bool(self.active or self.attention)


@dataclass(frozen=True, slots=True)
class SyncState:
    """How reading a connection stands. `position` is the length of its change log, `calls_today` are unattended ones.

    `next_at` is None while nothing is planned: the consent is gone, or is being read now (`is_running`).
    """

    position: int
    next_at: datetime | None
    is_running: bool
    failures: int
    calls_today: int
    calls_allowed: int | None
    history_complete: bool


def counts(caller: Caller) -> Counts:
    """The caller's connections by whether they need somebody, in one statement."""
    found = Connection.objects.filter(account_id=caller.account).aggregate(
        active=Count("id", filter=Q(status=Status.ACTIVE)),
        attention=Count("id", filter=Q(status__in=NEEDS_SOMEBODY)),
    )
    return Counts(**found)


def to_exchange(caller: Caller) -> str:
    """The newest link session whose customer is done and whose token the app has yet to exchange; empty for none."""
    waiting = LinkSession.objects.filter(
        account_id=caller.account, exchanged_at=None, public_token_expires_at__gt=caller.clock.business()
    )
    identifier = waiting.order_by("-id").values_list("id", flat=True).first()
    return ids.encode(link_session_shapes.PREFIX, identifier) if identifier else ""


def banks(caller: Caller, public_ids: Iterable[str | None]) -> dict[str, InstitutionOut]:
    """The banks behind ids as objects carry them (`inst_…`); None among them is passed over."""
    wanted = {ids.lookup(institution_ids.PREFIX, text) for text in public_ids if text}
    return {bank.id: bank for bank in institutions.load(caller, list(wanted)).values()}


def banks_with_connections(caller: Caller) -> list[InstitutionOut]:
    """The banks that the caller's connections name, by name."""
    rows = Connection.objects.filter(account_id=caller.account, status__in=VISIBLE)
    found = institutions.load(caller, list(rows.values_list("institution_id", flat=True).distinct()))
    return sorted(found.values(), key=lambda bank: bank.name)


def banks_of(caller: Caller, connection_ids: Iterable[str]) -> dict[str, InstitutionOut]:
    """The bank of each connection, by the id of the connection (`conn_…`)."""
    wanted = {ids.lookup(connection_shapes.PREFIX, text) for text in connection_ids}
    rows = Connection.objects.filter(account_id=caller.account, pk__in=wanted).values_list("id", "institution_id")
    at = {ids.encode(connection_shapes.PREFIX, key): institution for key, institution in rows}
    found = institutions.load(caller, list(set(at.values())))
    return {connection: found[institution] for connection, institution in at.items() if institution in found}


def account_counts(caller: Caller, connection_ids: Iterable[str]) -> dict[str, int]:
    """How many accounts each connection holds, by the id of the connection; one without any is absent."""
    wanted = {ids.lookup(connection_shapes.PREFIX, text) for text in connection_ids}
    rows = BankAccount.objects.filter(account_id=caller.account, connection_id__in=wanted)
    found = rows.values_list("connection_id").annotate(how_many=Count("id"))
    return {ids.encode(connection_shapes.PREFIX, key): how_many for key, how_many in found}


def sync_state(caller: Caller, connection_id: UUID) -> SyncState | None:
    """How reading the caller's connection stands, or None when there is no such connection."""
    row = Connection.objects.one(account_id=caller.account, id=connection_id)
    if row is None:
        return None
    now = clock.wall()
    bank = institutions.by_id(row.institution_id)
    profile = institutions.profile(bank) if bank else None
    return SyncState(
        position=row.position,
        next_at=row.sync_due_at,
        is_running=row.sync_lease_until is not None and row.sync_lease_until > now,
        failures=row.sync_failures,
        calls_today=row.calls if row.calls_day == now.date() else 0,
        calls_allowed=profile.capabilities.calls_per_day if profile else None,
        history_complete=row.history_complete,
    )


def link_sessions(
    caller: Caller, page: Page, *, status: str | None = None, connection: UUID | None = None
) -> tuple[list[LinkSessionOut], bool]:
    """A page of the caller's link sessions, newest first, without their secrets, and whether there are more."""
    rows = LinkSession.objects.filter(account_id=caller.account)
    if status:
        rows = rows.filter(status=status)
    if connection:
        rows = rows.filter(connection_id=connection)
    require_cursor(page, link_session_shapes.PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    shown = [link_session_shapes.render(row, livemode=caller.livemode, url=None, public_token=None) for row in found]
    return shown, has_more
