"""Events of the floor itself."""

from __future__ import annotations

from typing import Final

_CLOCK: Final = "test_helpers.test_clock"
ENDPOINT_DISABLED: Final = "webhook_endpoint.disabled"
QUOTA_ALERT: Final = "usage.quota_alert"

DESCRIPTIONS: Final[dict[str, tuple[str, str]]] = {
    ENDPOINT_DISABLED: ("webhook_endpoint", "A webhook endpoint was disabled because it failed for days or is gone."),
    "test_helpers.test_clock.created": (_CLOCK, "A test clock was created."),
    "test_helpers.test_clock.advancing": (_CLOCK, "A test clock began to advance."),
    "test_helpers.test_clock.ready": (_CLOCK, "A test clock has arrived, and all that became due on the way is done."),
    "test_helpers.test_clock.internal_failure": (_CLOCK, "A test clock stopped: something due on its way failed."),
    "test_helpers.test_clock.deleted": (_CLOCK, "A test clock was deleted, and its customers with it."),
    QUOTA_ALERT: ("usage", "The requests of a month have reached 80 or 100 percent of the tier's quota."),
}
"""Every event type this app publishes: the kind of its object, and the line of the catalogue page."""
