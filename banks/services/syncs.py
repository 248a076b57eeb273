"""Reading a connection: claim it, ask the bank outside any transaction, record all of it in one.

A sync is recorded as a whole, with its events, or has not happened: then its lease runs out and it is made again. An
account that cannot be read keeps what it has, and the others are saved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import structlog

from banks.clients.connector import (
    ABSENT,
    Connector,
    ConnectorError,
    ConsentExpired,
    ConsentRevoked,
    EntriesQuery,
    Handle,
    Psu,
)
from banks.domain import sync_schedule
from banks.domain.bank_data import AccountData, EntryData, EntryPage
from banks.domain.connection_state import Status
from banks.domain.failures import MEANINGS, FailureKind
from banks.domain.profiles import BankProfile, Capabilities, Operation
from banks.models import BankAccount, Connection, Institution
from banks.selectors import institutions
from banks.services import accounts, bank_calls, connections, entries, handles, locks
from banks.services.entries import Counts
from banks.shapes import connections as shapes
from banks.shapes.connections import ConnectionOut
from connect.kit import clock
from connect.kit.caller import Caller, EnvironmentRef
from connect.kit.tenancy import use_environment

CALL_SECONDS: Final = 30.0
"""The most a single call may take; a page of a long list."""
JOB_SECONDS: Final = 300.0
"""How long a job may read one connection."""
RUN_SECONDS: Final = 15.0
"""How long one job goes on with further connections. Then its worker does what else waits: payments must not wait for
hundreds of connections at slow banks, nor the connections of other environments. The next tick goes on."""
AT_ONE_BANK_MAX: Final = 4
"""How many connections of an environment are read from one bank at the same time."""
RUNNING: Final = (Status.PENDING, Status.ACTIVE)
DUE: Final = (
    "status IN ('pending', 'active') AND sync_due_at <= clock_timestamp()"
    " AND (sync_lease_until IS NULL OR sync_lease_until < clock_timestamp())"
)
_STOPS: Final = (FailureKind.INSTITUTION_DOWN, FailureKind.CERTIFICATE_PROBLEM)
log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of a sync. `ran` is False when there was nothing to do, or somebody else is at it.

    `complete`: every account was read. `failure` is why the connection could not be; accounts have their own.
    """

    ran: bool
    complete: bool = False
    counts: Counts = field(default_factory=Counts)
    failure: FailureKind | None = None
    accounts_failed: int = 0


@dataclass(frozen=True, slots=True)
class _Claim:
    """What reading needs: plain values. `starts` are the known accounts, and from when on each is read."""

    caller: Caller
    connection_id: UUID
    institution: Institution
    capabilities: Capabilities
    handle: Handle
    handle_sealed: bytes
    permissions: tuple[str, ...]
    starts: dict[bytes, date]
    history_since: date
    lease_until: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class _List:
    """An account's entries from `since` on."""

    entries: list[EntryData]
    since: date
    pending_listed: bool


@dataclass(slots=True)
class _Reading:
    """What the bank said. `calls` is how often one account was asked of one endpoint, at most."""

    accounts: tuple[AccountData, ...] | None = None
    lists: dict[bytes, _List] = field(default_factory=dict)
    account_failures: dict[bytes, FailureKind] = field(default_factory=dict)
    failure: ConnectorError | None = None
    kind: FailureKind | None = None
    out_of_time: bool = False
    calls: int = 0


class _OutOfTime(Exception):
    """The deadline of the whole sync has come."""


def request(caller: Caller, connection_id: str) -> ConnectionOut:
    """Have the caller's connection read as soon as a job gets to it; it is answered as it is now.

    One that needs its customer first is not read. Raises `ResourceMissing`.
    """
    row = locks.connection(caller, connection_id)
    if row.status in RUNNING:
        row.sync_due_at = clock.wall()
        row.save(update_fields=["sync_due_at"])
    shape = shapes.render(row, livemode=caller.livemode)
    assert isinstance(shape, ConnectionOut)
    return shape


def run(
    environment: EnvironmentRef, connection_id: UUID, *, psu: Psu = ABSENT, deadline_seconds: float = JOB_SECONDS
) -> SyncReport:
    """Read one connection from its bank. Not inside a transaction.

    With the customer present (`psu`) it is read at once and does not count against the bank's daily number of calls;
    else only when it is due and calls are left. What the deadline cut off is gone on with by a job.
    """
    caller = Caller.system(environment, "banks.sync_connections")
    with use_environment(environment):
        claim = _claim(caller, connection_id, psu, deadline_seconds)
    if claim is None:
        return SyncReport(ran=False)
    reading = _read(claim, psu, time.monotonic() + deadline_seconds)
    with use_environment(environment):
        return _record(claim, reading, attended=psu.present)


def run_due(caller: Caller) -> int:
    """Read the environment's connections that are due, who waits longest first; returns how many.

    A bank that is down, or busy, is left alone for the rest of this run, so that it does not hold up the others.
    """
    begun, tried, avoided = time.monotonic(), set[UUID](), set[UUID]()
    while time.monotonic() - begun < RUN_SECONDS:
        with use_environment(caller.environment):
            found = _next_due(tried, avoided)
        if found is None:
            break
        connection_id, institution_id = found
        tried.add(connection_id)
        try:
            report = run(caller.environment, connection_id)
        except Exception:  # the others must not wait for this one; its lease brings it back
            log.exception("banks.sync_failed", connection=str(connection_id))
            continue
        if report.failure in (FailureKind.INSTITUTION_DOWN, FailureKind.RATE_LIMITED):
            avoided.add(institution_id)
    return len(tried)


def _next_due(tried: set[UUID], avoided: set[UUID]) -> tuple[UUID, UUID] | None:
    now = clock.wall()
    running = Connection.objects.filter(sync_lease_until__gt=now).values_list("institution_id", flat=True)
    busy = list(running)
    full = {institution for institution in busy if busy.count(institution) >= AT_ONE_BANK_MAX}
    due = (
        Connection.objects.filter(status__in=RUNNING, sync_due_at__lte=now)
        .exclude(sync_lease_until__gt=now)
        .exclude(pk__in=tried)
        .exclude(institution_id__in=avoided | full)
    )
    return due.order_by("sync_due_at", "id").values_list("id", "institution_id").first()


# --- claim ------------------------------------------------------------------------------------------------------------


def _claim(caller: Caller, connection_id: UUID, psu: Psu, deadline_seconds: float) -> _Claim | None:
    now = clock.wall()
    row = Connection.objects.one(id=connection_id, lock=True)
    if row is None or row.status not in RUNNING or row.handle_sealed is None:
        return None
    if row.sync_lease_until is not None and row.sync_lease_until > now:
        return None
    institution = institutions.by_id(row.institution_id)
    assert institution is not None
    profile = institutions.profile(institution)
    capabilities = profile.capabilities if profile else Capabilities()
    if not psu.present and not _may_call(row, capabilities, now):
        return None
    row.sync_lease_until = now + timedelta(seconds=deadline_seconds + CALL_SECONDS)
    row.save(update_fields=["sync_lease_until"])
    oldest = now.date() - timedelta(days=capabilities.history_days)
    history_since = max(oldest, now.date() - timedelta(days=row.history_days))
    overlap = timedelta(days=capabilities.overlap_days)
    return _Claim(
        caller=replace(caller, account=row.account_id),
        connection_id=row.id,
        institution=institution,
        capabilities=capabilities,
        handle=handles.open(caller, "banks_connection", "handle_sealed", row.id, bytes(row.handle_sealed)),
        handle_sealed=bytes(row.handle_sealed),
        permissions=tuple(row.permissions),
        starts={
            bytes(account.identity_hash): max(oldest, account.booked_until - overlap)
            if account.booked_until
            else history_since
            for account in BankAccount.objects.filter(connection_id=row.id)
        },
        history_since=history_since,
        lease_until=row.sync_lease_until,
        due_at=row.sync_due_at,
    )


def _may_call(row: Connection, capabilities: Capabilities, now: datetime) -> bool:
    """Whether a job may read it now; puts it off to the next day when the bank's calls are used up."""
    if row.sync_due_at is None or row.sync_due_at > now:
        return False
    if row.calls_day != now.date() or row.calls < capabilities.calls_per_day:
        return True
    row.sync_due_at = sync_schedule.first_slot_tomorrow(row.id, calls_per_day=capabilities.calls_per_day, now=now)
    row.save(update_fields=["sync_due_at"])
    return False


# --- read: no transaction is open here --------------------------------------------------------------------------------


def _read(claim: _Claim, psu: Psu, until: float) -> _Reading:
    reading = _Reading()
    try:
        reading.accounts = _accounts(claim, psu, until)
        reading.calls = 1
        for data in reading.accounts:
            _read_account(claim, data, psu, until, reading)
    except _OutOfTime:
        reading.out_of_time = True
    except ConnectorError as error:
        reading.failure, reading.kind = error, _believed(claim, error, psu, until)
    return reading


def _read_account(claim: _Claim, data: AccountData, psu: Psu, until: float, reading: _Reading) -> None:
    """One account's entries; what keeps only this account from being read is noted, and the others go on."""
    if "transactions" not in claim.permissions:
        return
    key = accounts.identity(data)
    try:
        reading.lists[key], pages = _entries(claim, data, claim.starts.get(key, claim.history_since), psu, until)
        reading.calls = max(reading.calls, pages)
    except ConnectorError as error:
        if error.kind in _STOPS or MEANINGS[error.kind].needs_customer or error.code == bank_calls.BUSY:
            raise
        reading.account_failures[key] = error.kind


def _accounts(claim: _Claim, psu: Psu, until: float) -> tuple[AccountData, ...]:
    """The connection's accounts: those the customer chose, or all as long as there are none yet; with balances."""
    wanted = "balances" in claim.permissions

    def work(connector: Connector, bank: BankProfile, seconds: float) -> tuple[AccountData, ...]:
        return connector.accounts(bank, claim.handle, psu, balances=wanted, deadline_seconds=seconds)

    listed = _ask(claim, Operation.ACCOUNTS, work, psu, until)
    found = [data for data in listed if not claim.starts or accounts.identity(data) in claim.starts]
    if wanted:
        found = [data if data.balances else _with_balances(claim, data, psu, until) for data in found]
    return tuple(found)


def _with_balances(claim: _Claim, data: AccountData, psu: Psu, until: float) -> AccountData:
    def work(connector: Connector, bank: BankProfile, seconds: float) -> AccountData:
        balances = connector.balances(bank, claim.handle, psu, data.resource_id, deadline_seconds=seconds)
        return replace(data, balances=balances)

    try:
        return _ask(claim, Operation.ACCOUNTS, work, psu, until)
    except ConnectorError as error:
        if error.kind in _STOPS or MEANINGS[error.kind].needs_customer:
            raise
        return data  # the balances of before stay, with their age


def _entries(claim: _Claim, data: AccountData, since: date, psu: Psu, until: float) -> tuple[_List, int]:
    """All pages of an account from `since` on, and how many they were."""
    query = EntriesQuery(resource_id=data.resource_id, since=since, pending=claim.capabilities.pending)
    found: list[EntryData] = []
    pages, pending_listed = 0, True
    while True:
        asked = query

        def work(connector: Connector, bank: BankProfile, seconds: float, asked: EntriesQuery = asked) -> EntryPage:
            return connector.entries(bank, claim.handle, psu, asked, deadline_seconds=seconds)

        page = _ask(claim, Operation.TRANSACTIONS, work, psu, until)
        pages += 1
        found += page.entries
        pending_listed = pending_listed and page.pending_included
        if page.next_page is None:
            return _List(found, since, pending_listed), pages
        query = replace(query, page=page.next_page)


def _believed(claim: _Claim, error: ConnectorError, psu: Psu, until: float) -> FailureKind:
    """Why it failed. Before a connection is believed dead the bank is asked about the consent itself."""
    if error.kind not in (FailureKind.LOGIN_REQUIRED, FailureKind.CONSENT_EXPIRED, FailureKind.CONSENT_REVOKED):
        return error.kind

    def work(connector: Connector, bank: BankProfile, seconds: float) -> str:
        return connector.consent_state(bank, claim.handle, psu, deadline_seconds=seconds).status

    try:
        status = _ask(claim, Operation.CONSENTS, work, psu, max(until, time.monotonic() + 5))
    except (ConsentExpired, ConsentRevoked) as confirmed:
        return confirmed.kind
    except ConnectorError:
        return error.kind
    if status == "valid":  # it contradicts itself, or wants its customer to log in under a consent that stands
        return error.kind if error.kind is FailureKind.LOGIN_REQUIRED else FailureKind.BAD_RESPONSE
    return {"expired": FailureKind.CONSENT_EXPIRED, "revoked": FailureKind.CONSENT_REVOKED}.get(
        status, FailureKind.LOGIN_REQUIRED
    )


def _ask(
    claim: _Claim, operation: Operation, work: Callable[[Connector, BankProfile, float], T], psu: Psu, until: float
) -> T:
    seconds = min(CALL_SECONDS, until - time.monotonic())
    if seconds <= 0:
        raise _OutOfTime
    return bank_calls.ask(
        claim.institution,
        operation,
        lambda connector, bank: work(connector, bank, seconds),
        deadline_seconds=seconds,
        present=psu.present,
    )


# --- record -----------------------------------------------------------------------------------------------------------


def _record(claim: _Claim, reading: _Reading, *, attended: bool) -> SyncReport:
    """Write what was read. Nothing, when the connection ended, was repaired or was taken over in the meantime."""
    caller, row = claim.caller, Connection.objects.one(id=claim.connection_id, lock=True)
    assert row is not None
    if row.sync_lease_until != claim.lease_until:
        return SyncReport(ran=False)
    row.sync_lease_until = None
    if row.status not in RUNNING or bytes(row.handle_sealed or b"") != claim.handle_sealed:
        row.save(update_fields=["sync_lease_until"])
        return SyncReport(ran=False)
    counts = _write(claim, row, reading)
    everyone_failed = bool(reading.account_failures) and not reading.lists
    kind = reading.kind or (next(iter(reading.account_failures.values())) if everyone_failed else None)
    complete = reading.accounts is not None and not (kind or reading.account_failures or reading.out_of_time)
    busy = reading.failure is not None and reading.failure.code == bank_calls.BUSY
    _schedule(claim, row, reading, kind, attended=attended)
    if complete:
        row.synced_at = caller.clock.business()
        row.history_complete = True
    row.save(
        update_fields=[
            "sync_lease_until", "sync_due_at", "sync_failures", "synced_at", "history_complete", "calls", "calls_day",
        ]
    )  # fmt: skip
    if kind is not None and not busy:
        connections.failed(caller, row, kind)
    elif complete or reading.lists:
        connections.recovered(caller, row)
    if counts.changed:
        connections.publish_changes(caller, row, counts)
    return SyncReport(True, complete, counts, kind, len(reading.account_failures))


def _write(claim: _Claim, row: Connection, reading: _Reading) -> Counts:
    """The accounts and their entries, as far as they were read."""
    counts = Counts()
    if reading.accounts is None:
        return counts
    for account in accounts.store(claim.caller, row, reading.accounts):
        key = bytes(account.identity_hash)
        if found := reading.lists.get(key):
            counts += entries.ingest(
                claim.caller,
                row,
                account,
                found.entries,
                since=found.since,
                pending_listed=found.pending_listed,
            )
        elif kind := reading.account_failures.get(key):
            accounts.failed(claim.caller, account, kind)
    return counts


def _schedule(claim: _Claim, row: Connection, reading: _Reading, kind: FailureKind | None, *, attended: bool) -> None:
    """Say when the bank is read next, and count today's calls. A request that came in meanwhile is kept."""
    now, per_day = clock.wall(), claim.capabilities.calls_per_day
    if not attended and reading.accounts is not None:
        row.calls = reading.calls + (row.calls if row.calls_day == now.date() else 0)
        row.calls_day = now.date()
    row.sync_failures = row.sync_failures + 1 if kind is FailureKind.INSTITUTION_DOWN else 0
    if row.sync_due_at != claim.due_at:
        return
    wait = reading.failure.retry_after_seconds if reading.failure else None
    if reading.out_of_time:
        row.sync_due_at = now
    elif kind in (FailureKind.INSTITUTION_DOWN, FailureKind.RATE_LIMITED) and wait is not None:
        row.sync_due_at = now + timedelta(seconds=wait + row.id.int % 8)
    elif kind is FailureKind.INSTITUTION_DOWN:
        row.sync_due_at = sync_schedule.retry(row.id, failures=row.sync_failures, now=now)
    elif kind is FailureKind.RATE_LIMITED:
        row.sync_due_at = sync_schedule.first_slot_tomorrow(row.id, calls_per_day=per_day, now=now)
    else:
        row.sync_due_at = sync_schedule.next_slot(row.id, calls_per_day=per_day, after=now)
