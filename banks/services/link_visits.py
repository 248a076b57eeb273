"""What a customer does on the link page: go to their bank, come back, choose their accounts.

A bank is asked in three steps: claim (a lease, committed), call (outside of any transaction), record. Whoever comes
while a lease runs, from another tab or by an impatient click, finds the visit waiting and looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from banks.clients.connector import (
    BadResponse,
    Connector,
    ConnectorError,
    ConsentExpired,
    ConsentRequest,
    ConsentRevoked,
    ConsentStarted,
    Handle,
    InstitutionDown,
    LoginRequired,
    NotSupported,
    Psu,
    RateLimited,
    UserCanceled,
)
from banks.domain import connection_state, errors
from banks.domain.bank_data import AccountData
from banks.domain.failures import FailureKind
from banks.domain.link_state import (
    AGREED_TEXT,
    BANK_DEADLINE_SECONDS,
    CONSENT_DAYS,
    LEASE,
    Action,
    Mode,
    Status,
    is_over,
)
from banks.domain.profiles import BankProfile, Operation
from banks.models import BankAccount, Institution, LinkSession
from banks.selectors import institutions
from banks.services import accounts, bank_calls, connections, handles, link_sessions, link_tokens, locks
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment

_AGENT_LENGTH: Final = 300
SHORT_DEADLINE_SECONDS: Final = 2.0
"""For a call that the customer waits for without getting anything from it."""
_REFUSALS: Final[dict[str, type[ConnectorError]]] = {
    "pending": UserCanceled, "refused": UserCanceled, "expired": ConsentExpired, "revoked": ConsentRevoked,
}  # fmt: skip
log = structlog.get_logger(__name__)


class Busy(Exception):
    """Another request asks the bank for this visit right now; look again in a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysBack:
    """Where the bank sends its customer: `back` when they agreed, `refused` when they did not."""

    back: str
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is needed to ask for a consent. `before` is an earlier one of the visit, and the bank that has it."""

    bank: Institution
    recurring: bool
    permissions: list[str]
    today: date
    before: tuple[Institution, Handle] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent that the customer was sent to the bank for. `known` are the accounts that update mode has to find."""

    bank: Institution
    handle: Handle
    balances: bool
    known: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Given:
    """The customer agreed at the bank, until when, and the accounts it is about."""

    until: date | None
    accounts: tuple[AccountData, ...]


def send_to_bank(caller: Caller, *, session_id: str, institution: str, ways: WaysBack, psu: Psu) -> None:
    """The customer read what it is about and agreed: ask their bank for a consent, and keep where they have to go.

    `institution` is an id or a slug. A refusal of the bank is kept as `last_error` and published as
    `banking.link_session.failed`. Raises `LinkSessionNotOpen`, `InstitutionUnavailable` and `Busy`.
    """
    with use_environment(caller.environment):
        sending = _claim_sending(caller, session_id, institution, psu)
    try:
        started, until = bank_calls.ask(
            sending.bank,
            Operation.CONSENTS,
            lambda connector, bank: _begin(connector, bank, sending, ways, psu),
            deadline_seconds=BANK_DEADLINE_SECONDS,
            present=True,
        )
    except ConnectorError as error:
        with use_environment(caller.environment):
            _not_sent(caller, session_id, error.kind)
        return
    with use_environment(caller.environment):
        _sent(caller, session_id, sending.bank, started, until)
    if sending.before is not None:
        _give_back(*sending.before)


def came_back(caller: Caller, *, session_id: str, psu: Psu, refused: bool = False) -> bool:
    """The customer is back: ask the bank whether they agreed, and for the accounts to choose from.

    A visit in update mode is complete with that. `refused` says that the bank sent them to the address for a no. The
    answer is whether the bank gave one in time; if not, the visit still is at the bank, and it is worth asking again.
    Raises `Busy`; does nothing for a visit that is not at a bank.
    """
    with use_environment(caller.environment):
        consent = _claim_return(caller, session_id)
    if consent is None:
        return True
    try:
        given = bank_calls.ask(
            consent.bank,
            Operation.CONSENTS,
            lambda connector, bank: _given(connector, bank, consent, psu, refused=refused),
            deadline_seconds=BANK_DEADLINE_SECONDS,
            present=True,
        )
    except ConnectorError as error:
        with use_environment(caller.environment):
            return _not_given(caller, session_id, error)
    with use_environment(caller.environment):
        _agreed(caller, session_id, given)
    return True


def choose(caller: Caller, *, session_id: str, chosen: Sequence[str]) -> None:
    """The customer chose accounts by the bank's `resource_id`s: make the connection, and complete the session.

    Publishes `banking.link_session.completed`. A session that is complete stays as it is. Raises `AccountsNotChosen`
    and `LinkSessionNotOpen`.
    """
    session = locks.link_session(caller, session_id)
    if session.status == Status.COMPLETE:
        return
    require_open(caller, session)
    if session.status != Status.CHOOSING:
        raise errors.LinkSessionNotOpen(status=session.status)
    offered = _offered(session)
    wanted = set(chosen) & {account.resource_id for account in offered}
    if not wanted:
        raise errors.AccountsNotChosen(param="accounts")
    bank = institutions.by_id(_bank_of(session))
    assert bank is not None
    connection = connections.create(
        caller,
        institution=bank,
        handle=_handle(caller, session),
        consent_until=session.consent_until,
        permissions=session.permissions,
        history_days=session.history_days,
        client_reference_id=session.client_reference_id,
        metadata=session.metadata,
        consented_at=session.agreed_at,
    )
    accounts.store(caller, connection, offered, wanted)
    session.connection_id = connection.id
    link_tokens.issue(caller, session)
    _complete(caller, session)


def require_open(caller: Caller, session: LinkSession) -> None:
    """Raise `LinkSessionNotOpen` for a session that has ended, or whose time is over and which will be ended."""
    if is_over(session.status):
        raise errors.LinkSessionNotOpen(status=session.status)
    if session.expires_at <= caller.clock.business():
        raise errors.LinkSessionNotOpen(status=Status.EXPIRED.value)


# --- to the bank ------------------------------------------------------------------------------------------------------


def _claim_sending(caller: Caller, session_id: str, institution: str, psu: Psu) -> Sending:
    session = locks.link_session(caller, session_id)
    require_open(caller, session)
    if session.status == Status.CHOOSING:
        raise errors.LinkSessionNotOpen(status=session.status)
    bank = institutions.find(institution, livemode=caller.livemode)
    if bank is None or not bank.is_enabled or institutions.profile(bank) is None:
        raise errors.InstitutionUnavailable(institution=bank.name if bank else institution)
    if session.mode == Mode.UPDATE and bank.id != session.institution_id:
        raise errors.InstitutionUnavailable(institution=bank.name)
    _lease(caller, session)
    session.agreed_at, session.agreed_text = caller.clock.business(), AGREED_TEXT
    session.psu_address, session.psu_agent = psu.ip_address, (psu.user_agent or "")[:_AGENT_LENGTH] or None
    session.last_error = None
    session.save()
    before = institutions.by_id(session.institution_id) if session.handle_sealed and session.institution_id else None
    return Sending(
        bank=bank,
        recurring=session.recurring,
        permissions=session.permissions,
        today=caller.clock.business().date(),
        before=(before, _handle(caller, session)) if before else None,
    )


def _begin(
    connector: Connector, bank: BankProfile, sending: Sending, ways: WaysBack, psu: Psu
) -> tuple[ConsentStarted, date]:
    days = min(CONSENT_DAYS, bank.capabilities.consent_days) if sending.recurring else 1
    until = sending.today + timedelta(days=days)
    request = ConsentRequest(
        request_id=str(ids.new()),
        valid_until=until,
        recurring=sending.recurring,
        calls_per_day=bank.capabilities.calls_per_day if sending.recurring else 1,
        redirect_uri=ways.back,
        refused_uri=ways.refused,
        balances="balances" in sending.permissions,
        transactions="transactions" in sending.permissions,
    )
    return connector.begin_consent(bank, request, psu, deadline_seconds=BANK_DEADLINE_SECONDS), until


def _sent(caller: Caller, session_id: str, bank: Institution, started: ConsentStarted, until: date) -> None:
    session = locks.link_session(caller, session_id)
    session.lease_until = None
    session.institution_id = bank.id
    session.handle_sealed = handles.seal(
        caller, "banks_link_session", "handle_sealed", session.id, started.handle
    )  # of a session that was ended meanwhile, too: a job gives it back
    if not is_over(session.status):
        link_sessions.advance(session, Action.SEND_TO_BANK)
        session.bank_url, session.consent_until = started.redirect_url, until
    session.save()


def _not_sent(caller: Caller, session_id: str, kind: FailureKind) -> None:
    session = locks.link_session(caller, session_id)
    session.lease_until = None
    if not is_over(session.status):
        session.last_error = kind.value
        link_sessions.publish(caller, session, "banking.link_session.failed")
    session.save()


def _give_back(bank: Institution, handle: Handle) -> None:
    """The customer went on to another bank: what was begun at the first is of no use, and ends there by itself."""
    try:
        link_sessions.give_back(bank, handle, deadline_seconds=SHORT_DEADLINE_SECONDS)
    except ConnectorError as error:
        log.info("consent_not_given_back", bank=bank.slug, kind=error.kind.value)


# --- and back ---------------------------------------------------------------------------------------------------------


def _claim_return(caller: Caller, session_id: str) -> Consent | None:
    session = locks.link_session(caller, session_id)
    if session.status != Status.AT_BANK or session.expires_at <= caller.clock.business():
        return None
    _lease(caller, session)
    session.save(update_fields=["lease_until"])
    bank = institutions.by_id(_bank_of(session))
    assert bank is not None
    return Consent(
        bank=bank,
        handle=_handle(caller, session),
        balances="balances" in session.permissions,
        known=_linked(session.connection_id) if session.connection_id else frozenset(),
    )


def _linked(connection_id: UUID) -> frozenset[bytes]:
    """What the open accounts of a connection are known by."""
    rows = BankAccount.objects.filter(connection_id=connection_id).exclude(status="closed")
    return frozenset(bytes(one) for one in rows.values_list("identity_hash", flat=True))


def _given(connector: Connector, bank: BankProfile, consent: Consent, psu: Psu, *, refused: bool) -> Given | None:
    """What the customer agreed to; None while they have not said yes or no. Raises `ConnectorError` for a no."""
    state = connector.consent_state(bank, consent.handle, psu, deadline_seconds=BANK_DEADLINE_SECONDS)
    if state.status == "pending" and not refused:
        return None
    if state.status != "valid":
        raise _REFUSALS[state.status]
    found = connector.accounts(
        bank, consent.handle, psu, balances=consent.balances, deadline_seconds=BANK_DEADLINE_SECONDS
    )
    if not found:
        raise NotSupported("no account that could be linked", code="no_accounts")
    if consent.known and not consent.known & {accounts.identity(account) for account in found}:
        raise LoginRequired("somebody else's accounts", code="other_accounts")
    return Given(state.valid_until, found)


def _agreed(caller: Caller, session_id: str, given: Given | None) -> None:
    session = locks.link_session(caller, session_id)
    session.lease_until = None
    if given is not None and session.status == Status.AT_BANK:
        link_sessions.advance(session, Action.BANK_AGREED)
        session.offered = msgspec.to_builtins(given.accounts)
        session.consent_until = given.until or session.consent_until
        session.bank_url = session.last_error = None
        if session.mode == Mode.UPDATE:
            _repair(caller, session, given)
            return
    session.save()


def _repair(caller: Caller, session: LinkSession, given: Given) -> None:
    assert session.connection_id is not None
    connection = locks.known_connection(caller, session.connection_id)
    assert connection is not None, "connections are never deleted"
    if connection.status not in connection_state.REPAIRABLE:  # the app removed it while its customer was at the bank
        session.save()
        link_sessions.cancel(caller, session_id=ids.encode("lks", session.id))
        return
    connections.repaired(
        caller,
        connection,
        handle=_handle(caller, session),
        consent_until=session.consent_until,
        consented_at=session.agreed_at,
    )
    accounts.store(caller, connection, given.accounts)
    _complete(caller, session)


def _not_given(caller: Caller, session_id: str, error: ConnectorError) -> bool:
    session = locks.link_session(caller, session_id)
    session.lease_until = None
    answered = not isinstance(error, InstitutionDown | RateLimited | BadResponse)
    if session.status == Status.AT_BANK and answered:
        link_sessions.advance(session, Action.BANK_REFUSED)
        session.last_error, session.bank_url = error.kind.value, None
        link_sessions.publish(caller, session, "banking.link_session.failed")
    session.save()
    return answered


# --- what all of it needs ---------------------------------------------------------------------------------------------


def _lease(caller: Caller, session: LinkSession) -> None:
    now = caller.clock.wall()
    if session.lease_until is not None and session.lease_until > now:
        raise Busy
    session.lease_until = now + LEASE


def _handle(caller: Caller, session: LinkSession) -> Handle:
    assert session.handle_sealed is not None
    return handles.open(caller, "banks_link_session", "handle_sealed", session.id, bytes(session.handle_sealed))


def _bank_of(session: LinkSession) -> Any:
    assert session.institution_id is not None, "who was sent to a bank has one"
    return session.institution_id


def _offered(session: LinkSession) -> tuple[AccountData, ...]:
    return msgspec.convert(session.offered, tuple[AccountData, ...])


def _complete(caller: Caller, session: LinkSession) -> None:
    """End the locked session well. The consent is the connection's from here on."""
    if session.status != Status.COMPLETE:
        link_sessions.advance(session, Action.CHOOSE)
    session.handle_sealed = session.offered = session.bank_url = session.last_error = None
    session.ended_at = caller.clock.business()
    session.save()
    link_sessions.publish(caller, session, "banking.link_session.completed")
