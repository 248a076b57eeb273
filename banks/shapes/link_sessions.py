"""A link session on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from banks.domain import institution_ids
from banks.domain.failures import MEANINGS, FailureKind
from connect.kit.clock import unix
from connect.kit.ids import encode

PREFIX = "lks"


class LinkErrorOut(msgspec.Struct, kw_only=True):
    """Why the last try at the bank failed: `code` for programs, `message` for developers."""

    code: str
    message: str


class LinkSessionOut(msgspec.Struct, kw_only=True):
    """One customer's visit to the page on which a bank account is linked.

    Send them to `url`. When `status` is `complete`, exchange `public_token`, once and within 30 minutes, for the
    connection; in update mode there is nothing to exchange.
    """

    expandable: ClassVar[dict[str, str]] = {"connection": "conn", "institution": institution_ids.PREFIX}

    id: str
    object: Literal["banking.link_session"] = "banking.link_session"
    client_reference_id: str | None = None
    connection: str | None = None
    countries: list[str] = []
    created: int
    expires_at: int
    history_days: int
    institution: str | None = None
    last_error: LinkErrorOut | None = None
    livemode: bool
    locale: str | None = None
    metadata: dict[str, str] = {}
    mode: Literal["link", "update"]
    permissions: list[Literal["accounts", "balances", "transactions"]]
    public_token: str | None = None
    purpose: str | None = None
    return_url: str | None = None
    status: Literal["open", "at_bank", "choosing", "complete", "canceled", "expired"]
    url: str | None = None


def render(row: Any, *, livemode: bool, url: str | None, public_token: str | None) -> LinkSessionOut:
    """The session of `row`. `url` and `public_token` are secrets: events are rendered without them."""
    return LinkSessionOut(
        id=encode(PREFIX, row.id),
        client_reference_id=row.client_reference_id,
        connection=encode("conn", row.connection_id) if row.connection_id else None,
        countries=row.countries,
        created=unix(row.created_at),
        expires_at=unix(row.expires_at),
        history_days=row.history_days,
        institution=encode(institution_ids.PREFIX, row.institution_id) if row.institution_id else None,
        last_error=_error(row.last_error),
        livemode=livemode,
        locale=row.locale,
        metadata=row.metadata,
        mode=row.mode,
        permissions=row.permissions,
        public_token=public_token,
        purpose=row.purpose,
        return_url=row.return_url,
        status=row.status,
        url=url,
    )


def _error(kind: str | None) -> LinkErrorOut | None:
    return LinkErrorOut(code=kind, message=MEANINGS[FailureKind(kind)].message) if kind else None
