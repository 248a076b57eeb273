"""Link sessions: create, cancel, expire, and give back what came to nothing."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db.models import Q

from banks.clients.connector import ConnectorError, Handle
from banks.domain import connection_state, errors
from banks.domain.link_state import (
    BANK_DEADLINE_SECONDS,
    GIVE_BACK_AGAIN,
    GIVE_BACK_FOR,
    HISTORY_DAYS_DEFAULT,
    IN_PROGRESS,
    LIFE,
    PERMISSIONS,
    Action,
    Mode,
    Status,
    move,
)
from banks.domain.profiles import Operation
from banks.models import Institution, LinkSession
from banks.selectors import institutions
from banks.selectors import link_sessions as sessions
from banks.services import bank_calls, handles, locks
from banks.shapes import link_sessions as shapes
from banks.shapes.link_sessions import LinkSessionOut
from connect.kit import clock, ids, secretbox
from connect.kit.caller import Caller
from connect.kit.errors import DomainError, MissingParameterTarget, ParameterInvalid, ParameterMissing
from connect.kit.metadata import merge
from connect.kit.tenancy import use_environment
from connect.services import audit, events, redirects
from connect.services.events import NewEvent

BATCH: Final = 100
TO_GIVE_BACK: Final = (
    "status IN ('canceled', 'expired') AND handle_sealed IS NOT NULL"
    " AND (lease_until IS NULL OR lease_until <= clock_timestamp())"
)
_SECRET_LENGTH: Final = 33
"""Base62 characters of a secret: 24 random bytes."""
_OF_THE_CONNECTION: Final = ("institution", "permissions", "countries", "history_days", "client_reference_id")
"""What a session in update mode takes from its connection and nobody passes."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the customer will be asked for. Empty `countries` means all; a bank that is named need not be picked."""

    institution_id: UUID | None
    connection_id: UUID | None
    permissions: list[str]
    countries: list[str]
    history_days: int
    client_reference_id: str | None


def create(
    caller: Caller,
    *,
    mode: str = Mode.LINK.value,
    connection: str | None = None,
    purpose: str | None = None,
    recurring: bool = True,
    return_url: str | None = None,
    locale: str | None = None,
    metadata: Any = None,
    **wanted: Any,
) -> LinkSessionOut:
    """Open a page for one customer. Nothing is asked of a bank before they agree there.

    `wanted` may bring `institution` (id or slug), `permissions`, `countries`, `history_days` and `client_reference_id`;
    in update mode they are the `connection`'s own. Raises `ParameterMissing`, `ParameterInvalid`,
    `MissingParameterTarget`, `InstitutionUnavailable`, `ConnectionNotRepairable` and `RedirectRefused`.
    """
    redirects.require_allowed(caller, "return_url", return_url)
    if mode == Mode.UPDATE:
        asked = _of_connection(caller, connection, {name for name in _OF_THE_CONNECTION if wanted.get(name)})
    elif connection is not None:
        raise ParameterInvalid("You can only pass connection in update mode: send mode=update.", param="connection")
    else:
        asked = _new(caller, **wanted)
    now = caller.clock.business()
    identifier, secret = ids.new(), new_secret()
    session = LinkSession(
        id=identifier,
        account_id=caller.account,
        secret_hash=sessions.digest(secret),
        secret_sealed=secretbox.seal(secret.encode(), place=sessions.place(caller, identifier, "secret_sealed")),
        state_hash=sessions.digest(state_of(secret)),
        mode=mode,
        status=Status.OPEN.value,
        institution_id=asked.institution_id,
        connection_id=asked.connection_id,
        client_reference_id=asked.client_reference_id,
        permissions=asked.permissions,
        countries=asked.countries,
        history_days=asked.history_days,
        purpose=purpose,
        recurring=recurring,
        return_url=return_url,
        locale=locale,
        expires_at=now + LIFE[mode],
        metadata=merge({}, metadata) if metadata else {},
        created_at=now,
    )
    session.save(force_insert=True)
    made = sessions.shape(caller, session)
    audit.record_person(caller, action="link_session.created", target=made.id, mode=mode)
    return made


def cancel(caller: Caller, *, session_id: str) -> LinkSessionOut:
    """End a session that is in progress; its page does nothing any more.

    A consent that was given already is given back to the bank by a job. Publishes `banking.link_session.canceled`.
    Raises `ResourceMissing` and `LinkSessionNotOpen`.
    """
    session = locks.link_session(caller, session_id)
    _end(caller, session, Action.CANCEL)
    publish(caller, session, "banking.link_session.canceled")
    audit.record_person(caller, action="link_session.canceled", target=session_id)
    return sessions.shape(caller, session)


def expire(caller: Caller, *, session_id: str) -> LinkSessionOut:
    """End a session whose time is over. Publishes `banking.link_session.expired`; raises as `cancel`."""
    session = locks.link_session(caller, session_id)
    _end(caller, session, Action.EXPIRE)
    publish(caller, session, "banking.link_session.expired")
    return sessions.shape(caller, session)


def expire_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """Expire what ran out by the caller's business clock, in the order in which it did, a transaction each.

    Sessions have no test clock of their own: they live by the environment's. By the machine's time at most `BATCH`, and
    the next run goes on; while a clock is moved, all. Returns how many.
    """
    if clock_id is not None:
        return 0
    expired, after = 0, Q()
    while True:
        with use_environment(caller.environment):
            due = LinkSession.objects.filter(after, status__in=IN_PROGRESS, expires_at__lte=caller.clock.business())
            found = list(due.order_by("expires_at", "id").values_list("expires_at", "account_id", "id")[:BATCH])
        for _, account, identifier in found:
            session_id = ids.encode(shapes.PREFIX, identifier)
            try:
                with use_environment(caller.environment):
                    expire(replace(caller, account=account), session_id=session_id)
                expired += 1
            except DomainError:  # it came to an end in the meantime
                continue
            except Exception:  # the others must not wait for this one; the next run finds it again
                log.exception("link_session_not_expired", session=session_id)
        if caller.clock.frozen_at is None or len(found) < BATCH:
            return expired
        moment, _, last = found[-1]
        after = Q(expires_at__gt=moment) | Q(expires_at=moment, id__gt=last)


def next_due_at(_: Caller, clock_id: UUID | None, after: datetime) -> datetime | None:
    """When the next session expires, later than `after`."""
    if clock_id is not None:
        return None
    coming = LinkSession.objects.filter(status__in=IN_PROGRESS, expires_at__gt=after)
    return coming.order_by("expires_at").values_list("expires_at", flat=True).first()


def give_back_due(caller: Caller) -> int:
    """Give consents of ended sessions back to their banks, at most `BATCH`; returns how many are done with.

    A bank that does not take one is asked again every ten minutes, for a day; the others do not wait for it.
    """
    done = 0
    for _ in range(BATCH):
        with use_environment(caller.environment):
            row = _take_ended()
        if row is None:
            break
        try:
            done += _gave_back(caller, row)
        except Exception:  # the others must not wait for this one; its lease brings it back
            log.exception("consent_not_given_back", session=str(row.id))
    return done


def give_back(bank: Institution, handle: Handle, *, deadline_seconds: float) -> None:
    """Tell the bank that nobody uses this consent. Raises `ConnectorError`."""
    bank_calls.ask(
        bank,
        Operation.CONSENTS,
        lambda connector, profile: connector.revoke_consent(profile, handle, deadline_seconds=deadline_seconds),
        deadline_seconds=deadline_seconds,
        present=False,
    )


def publish(caller: Caller, session: LinkSession, name: str) -> None:
    """Publish an event of the session: as it is now, without its secrets."""
    shape = shapes.render(session, livemode=caller.livemode, url=None, public_token=None)
    events.publish(caller, NewEvent(name, shape))


def new_secret() -> str:
    """A secret for an address or a token."""
    return ids.base62(int.from_bytes(secrets.token_bytes(24), "big"), _SECRET_LENGTH)


def state_of(secret: str) -> str:
    """The secret that a bank sees of a session: made of the page's own, which does not follow from it."""
    digest = hashlib.sha256(f"state:{secret}".encode()).digest()[:24]
    return ids.base62(int.from_bytes(digest, "big"), _SECRET_LENGTH)


def advance(session: LinkSession, action: Action) -> None:
    """Move the session, which is locked. Raises `LinkSessionNotOpen` where the action is not possible any more."""
    status = move(session.status, action)
    if status is None:
        raise errors.LinkSessionNotOpen(status=session.status)
    session.status = status.value


def _end(caller: Caller, session: LinkSession, action: Action) -> None:
    advance(session, action)
    session.ended_at, session.offered, session.bank_url = caller.clock.business(), None, None
    session.save()


def _take_ended() -> LinkSession | None:
    """An ended session whose consent is to be given back, leased until it is tried again."""
    now = clock.wall()
    rows = LinkSession.objects.select_for_update(skip_locked=True).filter(
        Q(lease_until=None) | Q(lease_until__lte=now),
        status__in=[Status.CANCELED, Status.EXPIRED],
        handle_sealed__isnull=False,
    )
    row = rows.order_by("ended_at").first()
    if row is not None:
        row.lease_until = now + GIVE_BACK_AGAIN
        row.save(update_fields=["lease_until"])
    return row


def _gave_back(caller: Caller, row: LinkSession) -> bool:
    """Give one back. True when it is done with: the bank took it, or was asked for long enough."""
    assert row.handle_sealed is not None
    assert row.institution_id is not None
    handle = handles.open(caller, "banks_link_session", "handle_sealed", row.id, bytes(row.handle_sealed))
    with use_environment(caller.environment):
        bank = institutions.by_id(row.institution_id)
        is_recent = row.ended_at is not None and row.ended_at > caller.clock.business() - GIVE_BACK_FOR
    assert bank is not None, "banks are never deleted"
    try:
        give_back(bank, handle, deadline_seconds=BANK_DEADLINE_SECONDS)
    except ConnectorError as error:
        log.info("consent_not_given_back", session=str(row.id), kind=error.kind.value, tries_again=is_recent)
        if is_recent:
            return False
    with use_environment(caller.environment):
        LinkSession.objects.filter(pk=row.id, handle_sealed=row.handle_sealed).update(
            handle_sealed=None, lease_until=None
        )
    return True


# --- rules ------------------------------------------------------------------------------------------------------------


def _new(
    caller: Caller,
    *,
    institution: str | None = None,
    permissions: list[str] | None = None,
    countries: list[str] | None = None,
    history_days: int | None = None,
    client_reference_id: str | None = None,
) -> Wanted:
    return Wanted(
        institution_id=_bank(caller, institution).id if institution else None,
        connection_id=None,
        # Whoever asks for balances or transactions asks for accounts too; the order is always the same.
        permissions=[name for name in PERMISSIONS if not permissions or name == "accounts" or name in permissions],
        countries=list(dict.fromkeys(countries or [])),
        history_days=history_days or HISTORY_DAYS_DEFAULT,
        client_reference_id=client_reference_id,
    )


def _bank(caller: Caller, text: str) -> Institution:
    found = institutions.find(text, livemode=caller.livemode)
    if found is None:
        raise MissingParameterTarget(resource="banking.institution", id=text, param="institution")
    if not found.is_enabled or institutions.profile(found) is None:
        raise errors.InstitutionUnavailable(institution=found.name, param="institution")
    return found


def _of_connection(caller: Caller, connection_id: str | None, given: set[str]) -> Wanted:
    if connection_id is None:
        raise ParameterMissing("Missing required param: connection. Update mode renews one.", param="connection")
    for name in sorted(given):
        raise ParameterInvalid(f"You cannot pass {name} in update mode: it is the connection's own.", param=name)
    found = locks.connection(caller, connection_id, param="connection")
    if found.status not in connection_state.REPAIRABLE:
        raise errors.ConnectionNotRepairable(status=found.status, param="connection")
    return Wanted(
        institution_id=found.institution_id,
        connection_id=found.id,
        permissions=found.permissions,
        countries=[],
        history_days=found.history_days,
        client_reference_id=found.client_reference_id,
    )
