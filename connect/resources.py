"""What the floor brings to the registers of objects and of event types."""

from __future__ import annotations

from connect.kit import event_types, registry
from connect.kit.event_types import EventType
from connect.kit.registry import Resource


def register() -> None:
    """Fill the registers; called once, when the apps are ready."""
    from connect.domain.events import DESCRIPTIONS
    from connect.selectors import events, test_clocks, webhook_deliveries, webhook_endpoints
    from connect.shapes.events import EventOut
    from connect.shapes.test_clocks import PREFIX, TestClockOut
    from connect.shapes.usage import OBJECT, UsageOut
    from connect.shapes.webhook_endpoints import WebhookDeliveryOut, WebhookEndpointOut

    resources = (
        Resource("evt", "event", EventOut, events.load, "developers/events/{id}", "events:read"),
        Resource(
            "we",
            "webhook_endpoint",
            WebhookEndpointOut,
            webhook_endpoints.load,
            "developers/webhooks/{id}",
            "webhook_endpoints:read",
        ),
        Resource(
            "whd",
            "webhook_delivery",
            WebhookDeliveryOut,
            webhook_deliveries.load,
            "developers/webhooks/deliveries/{id}",
            "webhook_endpoints:read",
        ),
        Resource(PREFIX, "test_helpers.test_clock", TestClockOut, test_clocks.load, None, "test_clocks:read"),
    )
    for resource in resources:
        registry.register(resource)
    shapes = {resource.object: resource.shape for resource in resources} | {OBJECT: UsageOut}
    event_types.register(
        EventType(name, object_name, shapes[object_name], description)
        for name, (object_name, description) in DESCRIPTIONS.items()
    )
