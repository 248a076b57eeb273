"""Public tokens: what an app gets when its customer is done, and gives for the connection, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from banks.domain import errors
from banks.domain.connection_state import Status
from banks.domain.link_state import PUBLIC_TOKEN_LIFE
from banks.models import LinkSession
from banks.selectors import link_sessions as sessions
from banks.services import connections, link_sessions, locks
from banks.shapes.connections import PREFIX, ConnectionOut
from connect.kit import ids, secretbox
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment

BATCH: Final = 100
log = structlog.get_logger(__name__)


def issue(caller: Caller, session: LinkSession) -> None:
    """Give the locked session, which is complete, its token; the row is saved by whoever called."""
    token = f"public_{caller.environment.kind}_{link_sessions.new_secret()}"
    place = sessions.place(caller, session.id, "public_token_sealed")
    session.public_token_hash = sessions.digest(token)
    session.public_token_sealed = secretbox.seal(token.encode(), place=place)
    session.public_token_expires_at = caller.clock.business() + PUBLIC_TOKEN_LIFE


def exchange(caller: Caller, *, public_token: str) -> ConnectionOut:
    """The connection that a completed link session made, from now on visible. Publishes as `connections.activate`.

    Raises `PublicTokenInvalid` and `PublicTokenExchanged`.
    """
    known = LinkSession.objects.one(account_id=caller.account, public_token_hash=sessions.digest(public_token))
    if known is None:
        raise errors.PublicTokenInvalid(param="public_token")
    session = locks.link_session(caller, ids.encode("lks", known.id))
    assert session.connection_id is not None
    if session.exchanged_at is not None:
        made = ids.encode(PREFIX, session.connection_id)
        raise errors.PublicTokenExchanged(connection=made, param="public_token")
    connection = locks.known_connection(caller, session.connection_id)
    assert connection is not None, "connections are never deleted"
    runs_out = session.public_token_expires_at
    if connection.status != Status.PENDING or runs_out is None or runs_out <= caller.clock.business():
        raise errors.PublicTokenInvalid(param="public_token")
    session.exchanged_at, session.public_token_sealed = caller.clock.business(), None
    session.save(update_fields=["exchanged_at", "public_token_sealed"])
    return connections.activate(caller, connection)


def discard_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """End the connections whose token nobody exchanged in time, a transaction each; returns how many.

    Their consents go back to the banks. At most `BATCH` in a run; the next one goes on.
    """
    if clock_id is not None:
        return 0
    with use_environment(caller.environment):
        due = LinkSession.objects.filter(
            public_token_expires_at__lte=caller.clock.business(), public_token_expires_at__isnull=False,
            exchanged_at=None,
        )  # fmt: skip
        found = list(due.order_by("public_token_expires_at").values_list("account_id", "id")[:BATCH])
    for account, identifier in found:
        try:
            with use_environment(caller.environment):
                _discard(replace(caller, account=account), ids.encode("lks", identifier))
        except Exception:  # the others must not wait for this one; the next run finds it again
            log.exception("connection_not_discarded", session=str(identifier))
    return len(found)


def next_due_at(_: Caller, clock_id: UUID | None, after: datetime) -> datetime | None:
    """When the next token runs out, later than `after`."""
    if clock_id is not None:
        return None
    coming = LinkSession.objects.filter(public_token_expires_at__gt=after, exchanged_at=None)
    return coming.order_by("public_token_expires_at").values_list("public_token_expires_at", flat=True).first()


def _discard(caller: Caller, session_id: str) -> None:
    session = locks.link_session(caller, session_id)
    if session.exchanged_at is not None or session.public_token_expires_at is None:
        return
    assert session.connection_id is not None
    connection = locks.known_connection(caller, session.connection_id)
    assert connection is not None, "connections are never deleted"
    if connection.status == Status.PENDING:
        connections.discard(caller, connection)
    session.public_token_expires_at, session.public_token_sealed = None, None
    session.save(update_fields=["public_token_expires_at", "public_token_sealed"])
