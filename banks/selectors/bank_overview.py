"""Banks as the dashboard shows them: how many connections need somebody, what a sync stands at, names for ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db.models import Count

from banks.domain import institution_ids
from banks.domain.connection_state import VISIBLE, Status
from banks.domain.health import Standing
from banks.models import BankAccount, Connection, LinkSession
from banks.selectors import institution_health, institutions
from banks.selectors.bank_standing import Incident
from banks.shapes import connections as connection_shapes
from banks.shapes import link_sessions as link_session_shapes
from banks.shapes.connections import ConnectionOut, DeletedConnectionOut
from banks.shapes.institutions import InstitutionOut
from banks.shapes.link_sessions import LinkSessionOut
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, require_cursor, slice_queryset

NEEDS_SOMEBODY = (Status.LOGIN_REQUIRED, Status.EXPIRED, Status.REVOKED)
"""What goes on only once the customer has been to the link page again."""


@dataclass(frozen=True, slots=True)
class Glance:
    """`active` connections are read by themselves; `attention` wait for their customer.

    `to_exchange` is the newest link session whose customer is done and whose token the app has yet to exchange, empty
    for none. `incidents` are those that are going on, the newest first.
    """

    active: int
    attention: int
    to_exchange: str
    incidents: list[Incident]

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


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """A connection, or its deleted form, with its bank, and how reading it stands."""

    connection: ConnectionOut | DeletedConnectionOut
    bank: InstitutionOut | None
    sync: SyncState


def at_a_glance(caller: Caller) -> Glance:
    """The caller's connections by whether they need somebody, and what is going on at banks, in one statement."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM banks_connection WHERE account_id = %(account)s AND status = 'active'),"
            " (SELECT count(*) FROM banks_connection WHERE account_id = %(account)s AND status = ANY (%(waiting)s)),"
            " (SELECT id FROM banks_link_session WHERE account_id = %(account)s AND exchanged_at IS NULL"
            "   AND public_token_expires_at > %(now)s ORDER BY id DESC LIMIT 1),"
            " (SELECT array_agg(array[i.name, n.status, n.began_at::text, n.note] ORDER BY n.began_at DESC)"
            "   FROM banks_catalog_institution_incident n JOIN banks_catalog_institution i ON i.id = n.institution_id"
            "   WHERE n.ended_at IS NULL)",
            {
                "account": caller.account,
                "waiting": [status.value for status in NEEDS_SOMEBODY],
                "now": caller.clock.business(),
            },
        )
        active, attention, session, incidents = cursor.fetchone()
    return Glance(
        active=active,
        attention=attention,
        to_exchange=ids.encode(link_session_shapes.PREFIX, session) if session else "",
        incidents=[
            Incident(name, Standing(status), datetime.fromisoformat(began_at), None, note)
            for name, status, began_at, note in incidents or []
        ],
    )


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


def connection(caller: Caller, connection_id: str) -> ConnectionPage:
    """One of the caller's connections with its bank and its sync, each row read once. Raises `ResourceMissing`."""
    row = Connection.objects.one(account_id=caller.account, id=ids.lookup(connection_shapes.PREFIX, connection_id))
    if row is None or row.status == Status.PENDING:
        raise ResourceMissing(resource="banking.connection", id=connection_id, param="id")
    bank = institutions.by_id(row.institution_id)
    shown = (
        institutions.shape(caller, bank, institution_health.statuses([bank.id])[bank.id]) if bank is not None else None
    )
    return ConnectionPage(connection_shapes.render(row, livemode=caller.livemode), shown, _sync_state(row, bank))


def _sync_state(row: Any, bank: Any) -> SyncState:
    now = clock.wall()
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
