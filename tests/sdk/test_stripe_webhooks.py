"""Events and webhooks by the official SDK. What it verifies was sent by our dispatcher, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import standardwebhooks
import stripe

from tests.connect.dispatch.sinks import Received, Sink, running
from tests.live_server import ROOT, STOP_SECONDS, LiveServer

PAYMENT = {"amount": 1999, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


@contextmanager
def dispatcher(server: LiveServer) -> Iterator[None]:
    """`manage.py dispatch_webhooks` on the server's database."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "dispatch_webhooks"],
            cwd=ROOT,
            env={
                **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": server.database_url,
                "DATABASE_OWNER_URL": server.database_url,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield
            assert process.poll() is None, "the dispatcher ended by itself"
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def endpoints(v1) -> Iterator[list[str]]:
    """Ids of endpoints that a test makes; they are deleted after it."""
    made: list[str] = []
    yield made
    for identifier in made:
        v1.webhook_endpoints.delete(identifier)


def verified(request: Received, secret: str) -> stripe.Event:
    return stripe.Webhook.construct_event(request.body, request.headers["stripe-signature"], secret)


@pytest.mark.sdk("construct_event", "events.retrieve")
def test_what_is_delivered_is_verified_by_the_sdk(server, client_of, v1, endpoints):
    sink = Sink()
    with running(sink), dispatcher(server):
        endpoint = v1.webhook_endpoints.create(
            {"url": sink.url, "enabled_events": ["payment_intent.succeeded", "charge.refunded"]}
        )
        endpoints.append(endpoint.id)
        paid = v1.payment_intents.create({**PAYMENT, "description": "кафе"}, {"idempotency_key": "delivered"})
        sink.wait_for(1)
        v1.refunds.create({"payment_intent": paid.id, "amount": 500})
        sink.wait_for(2)
    first, second = sink.requests
    event = client_of(server.secrets["acme"]["test"]).construct_event(
        first.body, first.headers["stripe-signature"], endpoint.secret
    )
    assert isinstance(event, stripe.Event)
    assert (event.type, event.livemode, event.request.idempotency_key) == (
        "payment_intent.succeeded", False, "delivered",
    )  # fmt: skip
    assert isinstance(event.data.object, stripe.PaymentIntent)
    assert (event.data.object.id, event.data.object.description) == (paid.id, "кафе")
    assert verified(second, endpoint.secret).data.object.amount_refunded == 500
    kept = v1.events.retrieve(event.id)
    assert kept.data.object.to_dict() == event.data.object.to_dict()

    header = first.headers["stripe-signature"]
    for body, signature, secret in (
        (first.body.replace(b"1999", b"1998"), header, endpoint.secret),
        (first.body, header, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        (second.body, header, endpoint.secret),
    ):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signature, secret)
    assert standardwebhooks.Webhook(endpoint.secret).verify(first.body, first.headers)["id"] == event.id


@pytest.mark.sdk(
    "webhook_endpoints.create", "webhook_endpoints.retrieve", "webhook_endpoints.update", "webhook_endpoints.delete",
    "webhook_endpoints.list",
)  # fmt: skip
def test_webhook_endpoints(v1):
    address = "https://shop.test/hooks"
    made = [
        v1.webhook_endpoints.create(
            {
                "url": f"{address}/{number}",
                "enabled_events": ["*"],
                "description": "Mine",
                "metadata": {"n": str(number)},
            }
        )
        for number in range(4)
    ]
    endpoint = made[0]
    assert isinstance(endpoint, stripe.WebhookEndpoint)
    assert endpoint.secret.startswith("whsec_")
    assert (endpoint.url, endpoint.enabled_events, endpoint.status) == (f"{address}/0", ["*"], "enabled")
    read = v1.webhook_endpoints.retrieve(endpoint.id)
    assert "secret" not in read, "it is shown once"
    assert {**read.to_dict(), "secret": endpoint.secret} == endpoint.to_dict()
    changed = v1.webhook_endpoints.update(
        endpoint.id,
        {"enabled_events": ["charge.refunded", "refund.created"], "disabled": True, "description": "",
         "url": f"{address}/new", "metadata": {"n": ""}},
    )  # fmt: skip
    assert (changed.status, changed.url, changed.description) == ("disabled", f"{address}/new", None)
    assert (changed.enabled_events, changed.metadata.to_dict()) == (["charge.refunded", "refund.created"], {})
    listed = v1.webhook_endpoints.list({"limit": 2})
    assert [found.id for found in listed.auto_paging_iter()] == [one.id for one in made][::-1]
    for wrong, param in (
        ({"url": "shop.test"}, "url"),
        ({"enabled_events": ["charge.refundet"]}, "enabled_events[0]"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            v1.webhook_endpoints.update(endpoint.id, wrong)
        assert refused.value.param == param
    for one in made:
        assert v1.webhook_endpoints.delete(one.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as gone:
        v1.webhook_endpoints.retrieve(endpoint.id)
    assert (gone.value.http_status, gone.value.code) == (404, "resource_missing")
    assert v1.webhook_endpoints.list().data == []


def _types(events: Any) -> list[str]:
    return [event.type for event in events]


@pytest.mark.sdk("events.list")
def test_events_tell_what_happened(v1):
    customer = v1.customers.create({"name": "Ana"})
    v1.customers.update(customer.id, {"name": "Ana B", "metadata": {"a": "1"}})
    v1.customers.delete(customer.id)
    newest = v1.events.list({"types": ["customer.created", "customer.updated", "customer.deleted"], "limit": 3}).data
    assert _types(newest) == ["customer.deleted", "customer.updated", "customer.created"]
    assert {event.data.object.id for event in newest} == {customer.id}
    updated = newest[1]
    assert isinstance(updated.data.object, stripe.Customer)
    assert (updated.data.object.name, updated.data.previous_attributes["name"]) == ("Ana B", "Ana")
    assert newest[2].data.object.name == "Ana", "an event keeps what was true when it happened"
    assert updated.request.id.startswith("req_")
    assert (updated.pending_webhooks, updated.livemode) == (0, False)

    paged = v1.events.list({"type": "customer.*", "limit": 2})
    assert _types(paged.auto_paging_iter())[:3] == _types(newest)
    back = v1.events.list({"type": "customer.*", "ending_before": newest[2].id, "limit": 1})
    assert [event.id for event in back.auto_paging_iter()] == [newest[1].id, newest[0].id]
    since = {"created": {"gte": updated.created - 60, "lte": updated.created + 60}}
    assert newest[0].id in [event.id for event in v1.events.list(since).auto_paging_iter()]
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        v1.events.retrieve("evt_unknown")
    assert (unknown.value.http_status, unknown.value.code) == (404, "resource_missing")


def test_the_module_style_does_the_same(module):
    endpoint = module.WebhookEndpoint.create(url="https://shop.test/module", enabled_events=["charge.refunded"])
    assert module.WebhookEndpoint.modify(endpoint.id, description="Mine").description == "Mine"
    assert module.WebhookEndpoint.list(limit=1).data[0].id == endpoint.id
    assert endpoint.delete().deleted is True
    customer = module.Customer.create(name="M")
    (event,) = module.Event.list(type="customer.created", limit=1).data
    assert module.Event.retrieve(event.id).data.object.id == customer.id
