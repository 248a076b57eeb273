"""Events in the dashboard: what happened, its cause, and whom it was told."""

import html

import pytest
from django.urls import reverse

from connect.services import request_log_drain, request_logs

KEY = {"idempotency_key": "0123456789abcdef" * 2}
PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
HOOK = {"url": "https://shop.example.com/hooks", "enabled_events": ["*"]}


def address(name="events", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def listed(answer):
    return [event.type for event, _, _ in answer.context["lines"]]


def told(answer):
    """What the list says of the deliveries of each event."""
    return {event.type: outcome for event, _, outcome in answer.context["lines"]}


@pytest.fixture
def paid(api):
    return api.post("/v1/payment_intents", PAID, Idempotency_Key="order-7")


@pytest.fixture
def succeeded(api, paid):
    """The id of the event that the payment succeeded."""
    (event,) = api.get("/v1/events", {"type": "payment_intent.succeeded"}).json()["data"]
    return event["id"]


def test_an_empty_list_teaches_what_makes_events(pages):
    assert "No event yet" in text_of(pages.get(address()))


def test_events_are_narrowed_by_type_object_and_delivery(pages, paid, api):
    everything = listed(pages.get(address()))
    assert everything[0] == "payment_intent.succeeded"
    assert listed(pages.get(address(), {"type": "charge.succeeded"})) == ["charge.succeeded"]
    assert listed(pages.get(address(), {"object": paid.json()["latest_charge"]})) == ["charge.succeeded"]
    assert listed(pages.get(address(), {"type": "moon.rose", "delivered": "maybe"})) == everything
    assert listed(pages.get(address(), {"delivered": "no"})) == []
    assert "Nothing matches" in text_of(pages.get(address(), {"object": "pi_nobody"}))


def test_the_list_says_what_became_of_the_deliveries(pages, api, environment, caller):
    from connect.kit.tenancy import use_environment
    from connect.models import WebhookDelivery
    from connect.services import webhook_deliveries

    api.post("/v1/customers", {"name": "Before anybody listened"})
    api.post("/v1/webhook_endpoints", {**HOOK, "enabled_events": ["product.created", "product.updated"]})
    product = api.post("/v1/products", {"name": "Cups"}).json()
    assert told(pages.get(address())) == {"product.created": "pending", "customer.created": ""}
    with use_environment(environment):
        webhook_deliveries.fan_out(caller)
        WebhookDelivery.objects.update(state="failed")
    api.post(f"/v1/products/{product['id']}", {"name": "Mugs"})
    answer = pages.get(address())
    assert told(answer) == {"product.updated": "pending", "product.created": "failed", "customer.created": ""}
    assert "Given up" in text_of(answer)


def test_support_is_not_told_of_deliveries_that_ended(pages_as, api, environment, caller):
    from connect.kit.tenancy import use_environment
    from connect.models import WebhookDelivery
    from connect.services import webhook_deliveries

    api.post("/v1/webhook_endpoints", HOOK)
    api.post("/v1/products", {"name": "Cups"})
    with use_environment(environment):
        webhook_deliveries.fan_out(caller)
        WebhookDelivery.objects.update(state="failed")
    assert told(pages_as("support").get(address())) == {"product.created": ""}


def test_an_id_of_an_event_opens_it(pages, succeeded):
    assert pages.get(address(), {"object": succeeded})["Location"] == address("event", succeeded)
    assert pages.get(address("search"), {"q": succeeded})["Location"] == address("event", succeeded)


def test_paging_visits_every_event_once(pages, paid, monkeypatch):
    whole = listed(pages.get(address()))
    monkeypatch.setattr("dashboard.pages.lists.PAGE_SIZE", 2)
    first = pages.get(address())
    second = pages.get(f"{address()}?{first.context['pager'].older}")
    assert (listed(first) + listed(second))[: len(whole)] == whole[:4]


def test_the_detail_leads_to_object_and_request(pages, paid, succeeded):
    request_logs.buffer.flush()
    request_log_drain.drain()
    page = text_of(pages.get(address("event", succeeded)))
    assert address("payment", paid.json()["id"]) in page
    assert address("request_log", paid["Request-Id"]) in page
    assert "order-7" in page
    assert paid.json()["client_secret"] not in page


def test_a_cause_that_is_not_in_the_log_is_no_dead_link(pages):
    made = pages.post(address("customer_new"), {**KEY, "name": "Ana"})
    (event,) = pages.get(made["Location"]).context["events"]
    page = text_of(pages.get(address("event", event.id)))
    assert made["Request-Id"] in page
    assert address("request_log", made["Request-Id"]) not in page


def test_an_event_is_sent_again_once(pages, succeeded, api):
    endpoint = api.post("/v1/webhook_endpoints", HOOK).json()
    path = address("event_resend", succeeded)
    assert endpoint["url"] in text_of(pages.get(path))
    form = {**KEY, "endpoint": endpoint["id"]}
    first, second = (pages.post(path, form) for _ in range(2))
    (delivery,) = api.get(f"/v1/webhook_endpoints/{endpoint['id']}/deliveries").json()["data"]
    assert first["Location"] == second["Location"] == address("webhook_delivery", delivery["id"])
    assert delivery["event"] == succeeded
    assert endpoint["url"] in text_of(pages.get(address("event", succeeded)))


def test_without_an_endpoint_there_is_nowhere_to_send(pages, succeeded):
    assert "no enabled endpoint" in text_of(pages.get(address("event_resend", succeeded)))


def test_support_reads_events_but_not_deliveries(pages_as, succeeded, api):
    api.post("/v1/webhook_endpoints", HOOK)
    support = pages_as("support")
    answer = support.get(address("event", succeeded))
    assert "Deliveries" not in text_of(answer)
    assert support.get(address("event_resend", succeeded)).status_code == 403


def test_an_event_of_the_other_mode_is_not_here(pages, succeeded):
    assert pages.get(address("event", succeeded, mode="live")).status_code == 404
