"""Link sessions as they are read: by the app, and by the page through the secret in its address."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from banks.domain.link_state import Status, is_over
from banks.models import LinkSession
from banks.shapes import link_sessions as shapes
from banks.shapes.link_sessions import PREFIX, LinkSessionOut
from connect.kit import ids, secretbox
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange
from connect.selectors import lists


def get(caller: Caller, session_id: str) -> LinkSessionOut:
    """The caller's session. Raises `ResourceMissing`."""
    row = LinkSession.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, session_id))
    if row is None:
        raise ResourceMissing(resource="banking.link_session", id=session_id, param="id")
    return shape(caller, row)


def page(
    caller: Caller,
    page: Page,
    *,
    connection: UUID | None = None,
    status: str | None = None,
    client_reference_id: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[LinkSessionOut], bool]:
    """A page of the caller's sessions, newest first, and whether there are more."""
    found, has_more = lists.page(
        caller, LinkSession, page, PREFIX, created=created,
        connection_id=connection, status=status, client_reference_id=client_reference_id,
    )  # fmt: skip
    return [shape(caller, row) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, LinkSessionOut]:
    """Many at once, for expanding."""
    rows = LinkSession.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def by_secret(secret: str) -> LinkSession | None:
    """The session whose page carries this secret, or None. The environment is open; any account's is found."""
    return LinkSession.objects.one(secret_hash=digest(secret))


def by_state(state: str) -> LinkSession | None:
    """The session that the bank's answer with this state belongs to, or None."""
    return LinkSession.objects.one(state_hash=digest(state))


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def shape(caller: Caller, row: Any) -> LinkSessionOut:
    """The session on the wire, with the page's address while it can be used and the token while it waits."""
    url = None if is_over(row.status) else page_url(caller, row)
    token = None
    if row.status == Status.COMPLETE and row.public_token_sealed is not None and row.exchanged_at is None:
        token = secretbox.unseal(row.public_token_sealed, place=place(caller, row.id, "public_token_sealed")).decode()
    return shapes.render(row, livemode=caller.livemode, url=url, public_token=token)


def page_url(caller: Caller, row: Any) -> str:
    """Where the customer goes: `/link/<environment short id>.<secret>`."""
    return f"{settings.FC_PUBLIC_URL.rstrip('/')}/link/{token(caller, row)}"


def token(caller: Caller, row: Any) -> str:
    """What names the session's page: `<environment short id>.<secret>`."""
    secret = secretbox.unseal(row.secret_sealed, place=place(caller, row.id, "secret_sealed")).decode()
    return f"{caller.environment.short_id}.{secret}"


def place(caller: Caller, identifier: UUID, column: str) -> str:
    """What a sealed value of a session is bound to."""
    return f"{caller.environment.schema_name}.banks_link_session.{column}:{identifier}"
