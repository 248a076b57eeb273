"""What banks bring to the registers of objects and of event types: expand, events and the search by id use them."""

from __future__ import annotations

from typing import Any, Final

from connect.kit import event_types, registry, timed_work
from connect.kit.event_types import EventType
from connect.kit.registry import Resource
from connect.kit.timed_work import TimedWork

VIEW: Final = "banks:view"
"""One permission opens all pages of banks."""


def register() -> None:
    """Fill the registers; called once, when the apps are ready."""
    from banks.domain.events import EVENT_TYPES
    from banks.domain.institution_ids import PREFIX
    from banks.selectors import accounts, connections, institutions, link_sessions, transactions
    from banks.shapes.accounts import BankAccountOut
    from banks.shapes.connections import ChangedConnectionOut, ConnectionOut
    from banks.shapes.institutions import InstitutionOut
    from banks.shapes.link_sessions import LinkSessionOut
    from banks.shapes.transactions import BankTransactionOut

    resources = (
        Resource(
            PREFIX,
            "banking.institution",
            InstitutionOut,
            institutions.load,
            "banks/institutions/{id}",
            "institutions:read",
            permission=VIEW,
        ),
        Resource(
            "lks",
            "banking.link_session",
            LinkSessionOut,
            link_sessions.load,
            "banks/link-sessions/{id}",
            "link_sessions:read",
            permission=VIEW,
        ),
        Resource(
            "conn",
            "banking.connection",
            ConnectionOut,
            connections.load,
            "banks/connections/{id}",
            "connections:read",
            permission=VIEW,
        ),
        Resource(
            "bka",
            "banking.account",
            BankAccountOut,
            accounts.load,
            "banks/accounts/{id}",
            "accounts:read",
            permission=VIEW,
        ),
        Resource(
            "btx",
            "banking.transaction",
            BankTransactionOut,
            transactions.load,
            "banks/transactions/{id}",
            "transactions:read",
            permission=VIEW,
        ),
    )
    for resource in resources:
        registry.register(resource)
    shapes: dict[str, Any] = {resource.object: resource.shape for resource in resources}
    shapes |= {"banking.connection.transactions_updated": ChangedConnectionOut}
    event_types.register(
        EventType(known.name, known.object, shapes.get(known.name) or shapes[known.object], known.description)
        for known in EVENT_TYPES.values()
    )


def register_timed_work() -> None:
    """Say what time does to banks; called once, when the apps are ready."""
    from banks.services import connections, link_sessions, link_tokens

    for work in (
        TimedWork("banks.link_sessions", link_sessions.next_due_at, link_sessions.expire_due),
        TimedWork("banks.public_tokens", link_tokens.next_due_at, link_tokens.discard_due),
        TimedWork("banks.consents", connections.next_due_at, connections.end_due),
    ):
        timed_work.register(work)
