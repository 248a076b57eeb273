"""Giving consents back to their banks, once a connection was removed or its customer withdrew.

The sealed handle is kept until the bank has taken the consent back, and dropped then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from banks.clients.connector import ConnectorError
from banks.domain import sync_schedule
from banks.domain.connection_state import Status
from banks.domain.failures import FailureKind
from banks.domain.profiles import Operation
from banks.models import Connection, Institution
from banks.selectors import institutions
from banks.services import bank_calls, handles
from connect.kit import clock
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment

BATCH: Final = 100
CALL_SECONDS: Final = 15.0
TRIES_MAX: Final = 100
"""About two days. A consent that its bank does not take back by then runs out by itself."""
ENDED: Final = (Status.REMOVED, Status.REVOKED)
DUE: Final = (
    "status IN ('removed', 'revoked') AND sync_due_at <= clock_timestamp()"
    " AND (sync_lease_until IS NULL OR sync_lease_until < clock_timestamp())"
)
_AGAIN: Final = (
    FailureKind.INSTITUTION_DOWN, FailureKind.RATE_LIMITED, FailureKind.BAD_RESPONSE, FailureKind.CERTIFICATE_PROBLEM,
)  # fmt: skip
log = structlog.get_logger(__name__)


def give_back(caller: Caller) -> int:
    """Give back the consents of the environment that are due, at most `BATCH`; returns how many banks took.

    One that a bank does not take is tried again, for two days.
    """
    given = 0
    for _ in range(BATCH):
        with use_environment(caller.environment):
            row = _take()
        if row is None:
            break
        with use_environment(caller.environment):
            institution = institutions.by_id(row.institution_id)
        assert institution is not None
        failure = _ask(caller, row, institution)
        with use_environment(caller.environment):
            given += _record(row.id, bytes(row.handle_sealed or b""), failure)
    return given


def _take() -> Connection | None:
    """The next one that is due, leased by moving the moment at which it is tried again."""
    now = clock.wall()
    row = (
        Connection.objects.select_for_update(skip_locked=True)
        .filter(status__in=ENDED, sync_due_at__lte=now, handle_sealed__isnull=False)
        .exclude(sync_lease_until__gt=now)
        .order_by("sync_due_at")
        .first()
    )
    if row is not None:
        row.sync_due_at = now + timedelta(seconds=4 * CALL_SECONDS)
        row.save(update_fields=["sync_due_at"])
    return row


def _ask(caller: Caller, row: Connection, institution: Institution) -> FailureKind | None:
    handle = handles.open(caller, "banks_connection", "handle_sealed", row.id, bytes(row.handle_sealed or b""))
    try:
        bank_calls.ask(
            institution,
            Operation.CONSENTS,
            lambda connector, bank: connector.revoke_consent(bank, handle, deadline_seconds=CALL_SECONDS),
            deadline_seconds=CALL_SECONDS,
            present=False,
        )
    except ConnectorError as error:
        return error.kind
    return None


def _record(connection_id: UUID, handle_sealed: bytes, failure: FailureKind | None) -> bool:
    row = Connection.objects.one(id=connection_id, lock=True)
    assert row is not None
    if row.status not in ENDED or bytes(row.handle_sealed or b"") != handle_sealed:
        return False  # it was repaired with another consent meanwhile
    now = clock.wall()
    row.sync_failures += failure is not None
    if failure in _AGAIN and row.sync_failures < TRIES_MAX:
        row.sync_due_at = sync_schedule.retry(row.id, failures=row.sync_failures, now=now)
    else:
        if failure is not None:
            log.warning("banks.consent_not_taken_back", connection=str(row.id), failure=failure.value)
        row.handle_sealed, row.sync_due_at, row.sync_failures = None, None, 0
    row.save(update_fields=["handle_sealed", "sync_due_at", "sync_failures"])
    return failure is None
