"""The words and the tone of what banks say and how they are doing: colour never says it alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django import template
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

CONNECTION_STATUSES: Final = {
    "active": (_("Active"), "good"),
    "login_required": (_("Customer must log in"), "warn"),
    "expired": (_("Consent expired"), "warn"),
    "revoked": (_("Consent withdrawn"), "bad"),
}
"""Text and badge tone by the status of a connection, in the order in which a connection ages."""

LINK_STATUSES: Final = {
    "open": (_("Open"), "info"),
    "at_bank": (_("At the bank"), "info"),
    "choosing": (_("Choosing accounts"), "info"),
    "complete": (_("Complete"), "good"),
    "canceled": (_("Canceled"), ""),
    "expired": (_("Expired"), ""),
}
"""The same by the status of a link session."""

ACCOUNT_STATUSES: Final = {"open": (_("Open"), "good"), "blocked": (_("Blocked"), "warn"), "closed": (_("Closed"), "")}
"""The same by the status of a linked account."""

ACCOUNT_TYPES: Final = {
    "CACC": (_("Current account"), ""),
    "CARD": (_("Card account"), ""),
    "LOAN": (_("Loan"), ""),
    "SVGS": (_("Savings account"), ""),
    "TRAN": (_("Transaction account"), ""),
}
"""The same by the kind of account that banks say, in the codes of ISO 20022."""

CONNECTORS: Final = {"berlin_group": (_("Berlin Group interface"), ""), "file": (_("Statement files"), "")}
"""The same by how a bank is read."""

ENTRY_STATUSES: Final = {
    "booked": (_("Booked"), "good"),
    "pending": (_("Pending"), "info"),
    "removed": (_("Taken back"), ""),
}
"""The same by the status of a bank transaction."""

STANDINGS: Final = {
    "healthy": (_("Healthy"), "good"),
    "degraded": (_("Degraded"), "warn"),
    "down": (_("Down"), "bad"),
    "unknown": (_("Not called lately"), ""),
}
"""The same by how a bank is doing."""

CONFIDENCES: Final = {
    "high": (_("High"), "good"),
    "medium": (_("Medium"), "info"),
    "low": (_("Low"), ""),
    "test": (_("For testing"), "info"),
}
"""The same by how sure we are of what we know of a bank."""

PERMISSIONS: Final = {"accounts": _("accounts"), "balances": _("balances"), "transactions": _("transactions")}
"""The words for what a customer lets an app read."""

BALANCES: Final = {
    "booked": (_("Booked"), ""),
    "available": (_("Available"), ""),
    "expected": (_("Expected"), ""),
}
"""The same by the kind of a balance."""

CHANGES: Final = {"added": (_("Added"), ""), "modified": (_("Modified"), ""), "removed": (_("Removed"), "")}
"""The same by what happened to an entry of a bank."""

OPERATIONS: Final = {
    "consents": (_("Consents"), ""),
    "accounts": (_("Accounts"), ""),
    "transactions": (_("Transactions"), ""),
    "payments": (_("Payments"), ""),
}
"""The same by what is asked of a bank."""

_EVERY: Final = {
    "balance": BALANCES,
    "change": CHANGES,
    "operation": OPERATIONS,
    "connection": CONNECTION_STATUSES,
    "link": LINK_STATUSES,
    "account": ACCOUNT_STATUSES,
    "account_type": ACCOUNT_TYPES,
    "connector": CONNECTORS,
    "entry": ENTRY_STATUSES,
    "standing": STANDINGS,
    "confidence": CONFIDENCES,
}

register = template.Library()


@register.filter
def bank_text(status: str, kind: str) -> str:
    """The words for a status of this kind; an unknown one is shown as it is on the wire."""
    return str(_EVERY[kind].get(status, (status, ""))[0])


@register.filter
def bank_tone(status: str, kind: str) -> str:
    """The badge tone for the same: good, warn, bad, info or plain."""
    return _EVERY[kind].get(status, (status, ""))[1]


@register.filter
def permission_text(granted: Iterable[str]) -> str:
    """What a customer lets an app read, as one line."""
    return capfirst(", ".join(str(PERMISSIONS.get(each, each)) for each in granted))
