"""The one way to a bank: outside any transaction, past the breaker, with what became of it counted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from banks import clients
from banks.clients import breaker
from banks.clients.connector import (
    BadResponse,
    Connector,
    ConnectorError,
    InstitutionDown,
    NotSupported,
    RateLimited,
)
from banks.domain import health
from banks.domain.breaker import Answer
from banks.domain.health import Outcome
from banks.domain.profiles import BankProfile, Operation
from banks.models import Institution
from banks.selectors import institutions
from banks.services import institution_health
from connect.kit import tenancy

log = structlog.get_logger(__name__)
T = TypeVar("T")

BREAKER_OPEN: Final = "breaker_open"
"""`code` of an `InstitutionDown` for which nothing was sent: the bank has failed too often lately."""
BUSY: Final = "busy"
"""`code` of a `RateLimited` of our own: as many calls as one bank may keep waiting are under way."""
BUSY_SECONDS: Final = 2


def ask(
    institution: Institution,
    operation: Operation,
    work: Callable[[Connector, BankProfile], T],
    *,
    deadline_seconds: float,
    present: bool,
) -> T:
    """Do `work` with the bank's connector and count what became of it; `present` says that its customer waits.

    Raises `ConnectorError` only: what the connector raised; `NotSupported` for a bank that cannot be reached from here;
    `InstitutionDown` at once, with the code `breaker_open` and the seconds to wait, while the breaker is open; and
    `RateLimited` with the code `busy` when too many calls to this bank are under way.
    """
    tenancy.forbid_inside_transaction(f"a call to {institution.slug}")
    bank = institutions.profile(institution)
    if bank is None:
        raise NotSupported(f"{institution.slug} cannot be reached from this installation", code="no_connector")
    answer, permit, wait = breaker.ask(bank.slug, operation, deadline_seconds=deadline_seconds, present=present)
    if answer is Answer.OPEN:
        raise InstitutionDown(
            f"{bank.slug} has failed too often lately; nothing was sent",
            code=BREAKER_OPEN,
            retry_after_seconds=max(1, math.ceil(wait)),
        )
    if answer is Answer.BUSY:
        raise RateLimited(f"too many calls to {bank.slug} are under way", code=BUSY, retry_after_seconds=BUSY_SECONDS)
    begun = time.monotonic()
    outcome, out_of_order = Outcome.OWN_ERROR, False  # what is raised besides a ConnectorError is a fault of ours
    try:
        found = work(clients.get(bank.connector), bank)
    except ConnectorError as error:
        outcome, out_of_order = health.outcome(error.kind), is_outage(error)
        log.info(
            "banks.call_failed", bank=bank.slug, operation=operation.value, kind=error.kind.value, code=error.code,
            status=error.http_status, present=present,
        )  # fmt: skip
        raise
    else:
        outcome = Outcome.SUCCESS
        return found
    finally:
        breaker.report(bank.slug, operation, permit, failed=out_of_order)
        institution_health.record(
            institution.id, operation, outcome, milliseconds=(time.monotonic() - begun) * 1000
        )  # fmt: skip


def is_outage(error: ConnectorError) -> bool:
    """Whether the breaker counts it: no answer, or one of the bank's own faults. A malformed page is not an outage."""
    if isinstance(error, BadResponse):
        return error.http_status is not None and error.http_status >= 500
    return isinstance(error, InstitutionDown)
