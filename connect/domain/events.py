"""Events of the floor itself."""

from __future__ import annotations

from typing import Final

ENDPOINT_DISABLED: Final = "webhook_endpoint.disabled"

DESCRIPTIONS: Final[dict[str, tuple[str, str]]] = {
    ENDPOINT_DISABLED: ("webhook_endpoint", "A webhook endpoint was disabled because it failed for days or is gone."),
}
"""Every event type this app publishes: the kind of its object, and the line of the catalogue page."""
