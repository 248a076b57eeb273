"""The words and the tone of what banks say and how they are doing: colour never says it alone."""

from __future__ import annotations

from typing import Final

from django import template

CONNECTION_STATUSES: Final = {
    "active": ("Active", "good"),
    "login_required": ("Customer must log in", "warn"),
    "expired": ("Consent expired", "warn"),
    "revoked": ("Consent withdrawn", "bad"),
}
"""Text and badge tone by the status of a connection, in the order in which a connection ages."""

LINK_STATUSES: Final = {
    "open": ("Open", "info"),
    "at_bank": ("At the bank", "info"),
    "choosing": ("Choosing accounts", "info"),
    "complete": ("Complete", "good"),
    "canceled": ("Canceled", ""),
    "expired": ("Expired", ""),
}
"""The same by the status of a link session."""

ACCOUNT_STATUSES: Final = {"open": ("Open", "good"), "blocked": ("Blocked", "warn"), "closed": ("Closed", "")}
"""The same by the status of a linked account."""

ENTRY_STATUSES: Final = {
    "booked": ("Booked", "good"),
    "pending": ("Pending", "info"),
    "removed": ("Taken back", ""),
}
"""The same by the status of a bank transaction."""

STANDINGS: Final = {
    "healthy": ("Healthy", "good"),
    "degraded": ("Degraded", "warn"),
    "down": ("Down", "bad"),
    "unknown": ("Not called lately", ""),
}
"""The same by how a bank is doing."""

CONFIDENCES: Final = {
    "high": ("High", "good"),
    "medium": ("Medium", "info"),
    "low": ("Low", ""),
    "test": ("For testing", "info"),
}
"""The same by how sure we are of what we know of a bank."""

_EVERY: Final = {
    "connection": CONNECTION_STATUSES,
    "link": LINK_STATUSES,
    "account": ACCOUNT_STATUSES,
    "entry": ENTRY_STATUSES,
    "standing": STANDINGS,
    "confidence": CONFIDENCES,
}

register = template.Library()


@register.filter
def bank_text(status: str, kind: str) -> str:
    """The words for a status of this kind; an unknown one is shown as it is on the wire."""
    return _EVERY[kind].get(status, (status, ""))[0]


@register.filter
def bank_tone(status: str, kind: str) -> str:
    """The badge tone for the same: good, warn, bad, info or plain."""
    return _EVERY[kind].get(status, (status, ""))[1]
