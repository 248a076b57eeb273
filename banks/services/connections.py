"""Connections: begun by a link session, exchanged by the app, and what becomes of them. Statuses change only here.

A consent is given back to its bank by a job (`banks.services.consent_returns`): until that is done the sealed handle
stays, and `sync_due_at` says when it is tried.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from banks.clients.connector import Handle
from banks.domain import connection_state
from banks.domain.connection_state import Status
from banks.domain.failures import MEANINGS, FailureKind
from banks.models import BankAccount, Connection, Institution
from banks.services import entries, handles, locks
from banks.services.entries import Counts
from banks.shapes import accounts as account_shapes
from banks.shapes import connections as shapes
from banks.shapes.connections import ConnectionOut, DeletedConnectionOut
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.metadata import merge
from connect.kit.tenancy import use_environment
from connect.services import audit, events
from connect.services.events import NewEvent

EXPIRING_WITHIN: Final = timedelta(days=7)
"""How long before its last day a consent's end is announced."""
BATCH: Final = 100
"""How many rows one transaction of a job changes."""
_EVENT_OF: Final = {Status.LOGIN_REQUIRED: "login_required", Status.EXPIRED: "expired", Status.REVOKED: "revoked"}


def create(
    caller: Caller,
    *,
    institution: Institution,
    handle: Handle,
    consent_until: date | None,
    permissions: list[str],
    history_days: int,
    client_reference_id: str | None = None,
    metadata: dict[str, str] | None = None,
    consented_at: datetime | None = None,
) -> Connection:
    """Keep what a customer agreed to. Pending, so nobody sees it before `activate`; its first sync is due at once."""
    identifier, now = ids.new(), caller.clock.business()
    connection = Connection(
        id=identifier,
        account_id=caller.account,
        created_at=now,
        metadata=metadata or {},
        institution_id=institution.id,
        connector=institution.connector,
        status=Status.PENDING,
        client_reference_id=client_reference_id,
        permissions=permissions,
        history_days=history_days,
        handle_sealed=_sealed(caller, identifier, handle),
        consent_until=consent_until,
        consented_at=consented_at or now,
        sync_due_at=clock.wall(),
    )
    connection.save(force_insert=True)
    return connection


def activate(caller: Caller, connection: Connection) -> ConnectionOut:
    """The app exchanged its token: show the locked, pending `connection` and tell what was read in the meantime.

    Publishes `banking.connection.created`, `banking.account.created` for each account, and what else is known by now.
    """
    connection.status = Status.ACTIVE
    connection.save(update_fields=["status"])
    publish(caller, connection, "created")
    accounts = BankAccount.objects.filter(connection_id=connection.id).order_by("id")
    events.publish(
        caller,
        *(
            NewEvent("banking.account.created", account_shapes.render(row, livemode=caller.livemode))
            for row in accounts
        ),
    )
    if connection.position:
        publish_changes(caller, connection, entries.logged(connection))
    if connection.error:
        failed(caller, connection, FailureKind(connection.error))
    return _visible(caller, connection)


def failed(caller: Caller, connection: Connection, kind: FailureKind) -> None:
    """A bank call for the locked `connection` failed: keep why, since when, and what follows for its status.

    Publishes `login_required`, `expired` or `revoked`, once for each time the status changes. What only its customer
    can mend is not asked of the bank again until they did.
    """
    before = connection.status
    connection.status = connection_state.after(before, kind)
    if connection.error != kind:
        connection.error, connection.error_at = kind, caller.clock.business()
    if MEANINGS[kind].needs_customer:
        connection.sync_due_at = None
    connection.save(update_fields=["status", "error", "error_at", "sync_due_at"])
    if connection.status != before:
        publish(caller, connection, _EVENT_OF[Status(connection.status)])


def recovered(caller: Caller, connection: Connection) -> None:
    """The bank answered for the locked `connection` as it should: it has no error any more.

    Publishes `banking.connection.updated` if it had one.
    """
    if connection.error is None:
        return
    before = shapes.render(connection, livemode=caller.livemode)
    connection.error = connection.error_at = None
    connection.save(update_fields=["error", "error_at"])
    if connection.status != Status.PENDING:
        after = shapes.render(connection, livemode=caller.livemode)
        events.publish(caller, events.updated("banking.connection.updated", before=before, after=after))


def repaired(
    caller: Caller,
    connection: Connection,
    *,
    handle: Handle,
    consent_until: date | None,
    permissions: list[str] | None = None,
    history_days: int | None = None,
    consented_at: datetime | None = None,
) -> ConnectionOut:
    """A fresh consent for the locked `connection`: its id and its accounts' stay, and the bank is read at once.

    Publishes `banking.connection.repaired`.
    """
    connection.status = Status.ACTIVE
    connection.handle_sealed = _sealed(caller, connection.id, handle)
    connection.consent_until = consent_until
    connection.consented_at = consented_at or caller.clock.business()
    connection.permissions = connection.permissions if permissions is None else permissions
    connection.history_days = connection.history_days if history_days is None else history_days
    connection.expiry_announced_at = connection.error = connection.error_at = None
    connection.sync_failures, connection.sync_due_at = 0, clock.wall()
    connection.save()
    publish(caller, connection, "repaired")
    return _visible(caller, connection)


def update(caller: Caller, connection_id: str, **given: Any) -> ConnectionOut:
    """Change `metadata` or `client_reference_id`. Publishes `banking.connection.updated`. Raises `ResourceMissing`."""
    connection = locks.connection(caller, connection_id)
    before = _visible(caller, connection)
    if "metadata" in given:
        connection.metadata = merge(connection.metadata, given["metadata"])
    if "client_reference_id" in given:
        connection.client_reference_id = given["client_reference_id"]
    connection.save(update_fields=["metadata", "client_reference_id"])
    after = _visible(caller, connection)
    if after != before:
        events.publish(caller, events.updated("banking.connection.updated", before=before, after=after))
    return after


def revoke(caller: Caller, connection: Connection, *, by: Literal["customer", "app"]) -> None:
    """End the consent of the locked `connection`; it is given back to the bank by a job.

    A customer who withdraws leaves a `revoked` connection, which a new consent can repair; an app that ends it leaves a
    `removed` one. Publishes `banking.connection.revoked` or `removed`; nothing when it has ended already.
    """
    if connection.status == Status.REMOVED or (by == "customer" and connection.status == Status.REVOKED):
        return
    if by == "customer":
        failed(caller, connection, FailureKind.CONSENT_REVOKED)
        if connection.status != Status.REVOKED:  # it had expired already, or was never exchanged
            connection.status = Status.REVOKED
            publish(caller, connection, "revoked")
    else:
        if connection.status != Status.PENDING:
            publish(caller, connection, "removed")
        connection.status, connection.removed_at = Status.REMOVED, caller.clock.business()
    connection.sync_due_at = clock.wall() if connection.handle_sealed else None
    connection.sync_failures = 0  # from here on the tries to give it back are counted, however often reading failed
    connection.save(update_fields=["status", "removed_at", "sync_due_at", "sync_failures"])


def remove(caller: Caller, connection_id: str) -> DeletedConnectionOut:
    """End a connection for its app. Publishes `banking.connection.removed`. Raises `ResourceMissing`."""
    connection = locks.connection(caller, connection_id)
    revoke(caller, connection, by="app")
    audit.record_person(caller, action="bank_connection.removed", target=connection_id)
    shape = shapes.render(connection, livemode=caller.livemode)
    assert isinstance(shape, DeletedConnectionOut)
    return shape


def discard(caller: Caller, connection: Connection) -> None:
    """Nobody exchanged the token of the locked, pending `connection`: it ends unseen, and its consent is given back."""
    assert connection.status == Status.PENDING
    revoke(caller, connection, by="app")


def publish(caller: Caller, connection: Connection, name: str) -> None:
    """Publish `banking.connection.<name>`. A connection that nobody exchanged yet is not spoken of."""
    if connection.status != Status.PENDING:
        shape = shapes.render(connection, livemode=caller.livemode)
        events.publish(caller, NewEvent(f"banking.connection.{name}", shape))


def publish_changes(caller: Caller, connection: Connection, counts: Counts) -> None:
    """Publish `banking.connection.transactions_updated` with how many were added, modified and removed.

    What becomes known of a connection that nobody exchanged yet is told by `activate`.
    """
    if connection.status != Status.PENDING:
        shape = shapes.render_changed(
            connection,
            livemode=caller.livemode,
            added=counts.added,
            modified=counts.modified,
            removed=counts.removed,
        )
        events.publish(caller, NewEvent("banking.connection.transactions_updated", shape))


# --- the consent's last days ------------------------------------------------------------------------------------------

_RUNNING: Final = (Status.ACTIVE, Status.LOGIN_REQUIRED)
EXPIRING: Final = (
    "status IN ('active', 'login_required') AND expiry_announced_at IS NULL AND consent_until <= current_date + 7"
)
EXPIRED: Final = "status IN ('active', 'login_required') AND consent_until < current_date"


def end_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """Expire the environment's consents that have ended, and announce those that end in seven days or less.

    By the caller's business clock, a batch in each transaction; returns how many. Consents have no test clock of their
    own: they live by the environment's.
    """
    if clock_id is not None:
        return 0
    done = 0
    for work in (expire_due, announce_expiring):
        count = BATCH
        while count == BATCH:
            with use_environment(caller.environment):
                count = work(caller)
            done += count
    return done


def next_due_at(_: Caller, clock_id: UUID | None, after: datetime) -> datetime | None:
    """When the next consent is announced or ends, later than `after`: both are at midnight UTC."""
    if clock_id is not None:
        return None
    today = after.date()
    running = Connection.objects.filter(status__in=_RUNNING).order_by("consent_until")
    ending = running.filter(consent_until__gte=today)
    unannounced = running.filter(consent_until__gt=today + EXPIRING_WITHIN, expiry_announced_at=None)
    days = [
        (rows.values_list("consent_until", flat=True).first(), moved)
        for rows, moved in ((ending, timedelta(days=1)), (unannounced, -EXPIRING_WITHIN))
    ]
    return min((datetime.combine(day + moved, time(), UTC) for day, moved in days if day is not None), default=None)


def announce_expiring(caller: Caller) -> int:
    """Publish `banking.connection.expiring`, once a consent, for a batch of those that end in seven days or less.

    Returns how many.
    """
    today = caller.clock.business().date()
    due = _consents(expiry_announced_at=None, consent_until__gte=today, consent_until__lte=today + EXPIRING_WITHIN)
    for connection in due:
        connection.expiry_announced_at = caller.clock.business()
        connection.save(update_fields=["expiry_announced_at"])
        publish(_owner(caller, connection), connection, "expiring")
    return len(due)


def expire_due(caller: Caller) -> int:
    """Expire a batch of connections whose consent's last day is over; returns how many."""
    due = _consents(consent_until__lt=caller.clock.business().date())
    for connection in due:
        failed(_owner(caller, connection), connection, FailureKind.CONSENT_EXPIRED)
    return len(due)


def _consents(**conditions: Any) -> list[Connection]:
    rows = Connection.objects.select_for_update(skip_locked=True).filter(status__in=_RUNNING, **conditions)
    return list(rows.order_by("consent_until", "id")[:BATCH])


def _owner(caller: Caller, connection: Connection) -> Caller:
    return replace(caller, account=connection.account_id)


def _sealed(caller: Caller, connection_id: UUID, handle: Handle) -> bytes:
    return handles.seal(caller, "banks_connection", "handle_sealed", connection_id, handle)


def _visible(caller: Caller, connection: Connection) -> ConnectionOut:
    shape = shapes.render(connection, livemode=caller.livemode)
    assert isinstance(shape, ConnectionOut)
    return shape
