"""Events of banks: every type once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EventType:
    """`object` is the kind of thing in `data.object`; `description` is the line of the catalogue page."""

    name: str
    object: str
    description: str


_TYPES: Final = (
    EventType(
        "banking.link_session.completed", "banking.link_session", "A customer linked accounts; exchange `public_token`."
    ),
    EventType("banking.link_session.failed", "banking.link_session", "A try at the bank failed; another can be made."),
    EventType("banking.link_session.canceled", "banking.link_session", "The customer or the app ended the session."),
    EventType("banking.link_session.expired", "banking.link_session", "The session's time ran out."),
    EventType("banking.connection.created", "banking.connection", "A public token was exchanged for a connection."),
    EventType("banking.connection.updated", "banking.connection", "A connection changed."),
    EventType(
        "banking.connection.login_required", "banking.connection", "The bank wants its customer again: use update mode."
    ),
    EventType("banking.connection.expiring", "banking.connection", "The consent runs out in seven days or less."),
    EventType("banking.connection.expired", "banking.connection", "The consent has run out."),
    EventType("banking.connection.revoked", "banking.connection", "The customer withdrew the consent."),
    EventType("banking.connection.repaired", "banking.connection", "A fresh consent was given; data flows again."),
    EventType("banking.connection.removed", "banking.connection", "The connection was ended by the app or customer."),
    EventType("banking.account.created", "banking.account", "An account was linked."),
    EventType("banking.account.updated", "banking.account", "An account's balance or details changed."),
    EventType("banking.account.closed", "banking.account", "The bank no longer offers the account."),
    EventType(
        "banking.connection.transactions_updated",
        "banking.connection",
        "Transactions changed, as many as `changes` says: sync from the cursor you kept.",
    ),
    EventType("banking.institution.status_changed", "banking.institution", "A bank became healthy, degraded or down."),
)
EVENT_TYPES: Final[dict[str, EventType]] = {event.name: event for event in _TYPES}
"""Every event type this app publishes, by name."""
