"""What these tests speak through: endpoints, events, and the way of a delivery without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connect.domain.webhook_deliveries import Answer, Outgoing
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.models import Event, WebhookDelivery
from connect.services import events, webhook_deliveries, webhook_endpoints
from connect.services.events import NewEvent
from payments.shapes.customers import CustomerOut
from tests import at_once

URL = "https://shop.example.com/hooks"


def customer(**more: Any) -> CustomerOut:
    """A customer's shape with a fresh id, whatever else it holds."""
    from connect.kit import event_samples

    return CustomerOut(**{**event_samples.sample(CustomerOut), "id": ids.encode("cus", ids.new()), **more})


class Shop:
    """An environment as the outbox sees it. Every method opens it anew."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def run(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with use_environment(self.caller.environment):
            return work(self.caller, *arguments, **named)

    def endpoint(self, *types: str, url: str = URL, **given: Any) -> Any:
        return self.run(webhook_endpoints.create, url=url, enabled_events=list(types) or ["*"], **given)

    def publish(self, type_: str = "customer.created", **more: Any) -> str:
        """Publish one event; returns its id."""
        shape = customer(**more)
        self.run(events.publish, NewEvent(type_, shape))
        with use_environment(self.caller.environment):
            return ids.encode("evt", Event.objects.order_by("-id").values_list("id", flat=True)[0])

    def fan_out(self, **named: Any) -> int:
        return self.run(webhook_deliveries.fan_out, **named)

    def claim(self, **named: Any) -> list[Outgoing]:
        return self.run(webhook_deliveries.claim, **named)

    def record(self, *answers: Answer) -> Any:
        return self.run(webhook_deliveries.record, answers, draw=lambda low, high: 0.0)

    def answer(self, outgoing: Outgoing, status: int | None, **more: Any) -> Any:
        return self.record(Answer(outgoing.delivery_id, outgoing.number, status, 12, **more))

    def deliveries(self) -> list[WebhookDelivery]:
        """All of them, oldest first."""
        with use_environment(self.caller.environment):
            return list(WebhookDelivery.objects.order_by("id"))

    def delivery(self) -> WebhookDelivery:
        (found,) = self.deliveries()
        return found


@pytest.fixture
def shop(caller: Caller) -> Shop:
    return Shop(caller)


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Run works at the same moment, each in a thread with a connection of its own; what they return, in their order."""
    return at_once.together
