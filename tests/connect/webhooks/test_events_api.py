"""`/v1/events`: Stripe's shape, its filters, and what is pending."""

from __future__ import annotations

import stripe

from connect.kit import ids
from connect.kit.clock import unix, wall
from connect.services import webhook_resends
from tests.connect.webhooks.conftest import customer
from tests.paging import prove


def listed(api, **query):
    answer = api.get("/v1/events", query)
    assert answer.status_code == 200, answer.content
    return [event["id"] for event in answer.json()["data"]]


def test_an_event_has_stripes_shape(api):
    made = api.post("/v1/customers", {"name": "Ana"}, **{"idempotency-key": "first"})
    (event,) = api.get("/v1/events").json()["data"]
    assert event == {
        "id": event["id"],
        "object": "event",
        "api_version": "2026-11-01",
        "created": made.json()["created"],
        "data": {"object": made.json()},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": made.headers["Request-Id"], "idempotency_key": "first"},
        "type": "customer.created",
    }
    assert api.get(f"/v1/events/{event['id']}").json() == event
    known = stripe.Event.construct_from(event, "sk")
    assert known.data.object.id == made.json()["id"]


def test_previous_attributes_stand_beside_the_object(api, shop):
    from connect.services import events
    from connect.services.events import NewEvent

    shop.run(events.publish, NewEvent("customer.updated", customer(name="Beti"), {"name": "Ana"}))
    (event,) = api.get("/v1/events").json()["data"]
    assert event["data"]["previous_attributes"] == {"name": "Ana"}
    assert event["data"]["object"]["name"] == "Beti"


def test_an_update_tells_what_changed_as_it_was(api):
    """Of objects only the names that changed; of metadata also those that were not there."""
    address = {"city": "Skopje", "line1": "Ilindenska 1"}
    given = {"name": "Ana", "address": address, "preferred_locales": ["mk"], "metadata": {"a": "1", "b": "2"}}
    made = api.post("/v1/customers", given).json()
    changes = {
        "name": "Beti", "address": {"city": "Ohrid", "line1": "Ilindenska 1"}, "preferred_locales": ["sq", "mk"],
        "metadata": {"a": "", "c": "3"},
    }  # fmt: skip
    changed = api.post(f"/v1/customers/{made['id']}", changes).json()
    event = api.get("/v1/events", {"type": "customer.updated"}).json()["data"][0]
    assert event["data"] == {
        "object": changed,
        "previous_attributes": {
            "name": "Ana", "address": {"city": "Skopje"}, "preferred_locales": ["mk"], "metadata": {"a": "1", "c": None},
        },
    }  # fmt: skip
    api.post(f"/v1/customers/{made['id']}", {"name": "Beti"})
    event = api.get("/v1/events", {"type": "customer.updated"}).json()["data"][0]
    assert event["data"]["previous_attributes"] == {}


def test_an_event_is_never_expanded(api):
    api.post("/v1/customers", {"name": "Ana"})
    for path in ("data.data.object.customer", "data.data.object", "data.data"):
        refused = api.get("/v1/events", {"expand[]": path})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "expand"), path
        assert refused.json()["error"]["message"].startswith("This property cannot be expanded (data")


def test_an_unknown_event_does_not_exist(api):
    for identifier in (ids.encode("evt", ids.new()), "evt_1", "nonsense"):
        refused = api.get(f"/v1/events/{identifier}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "resource_missing")


def test_the_list_is_paged(api, shop):
    published = [shop.publish() for _ in range(5)]
    prove(api, "/v1/events", published[::-1])


def test_the_filters(api, shop):
    created, updated, deleted = (shop.publish(f"customer.{word}") for word in ("created", "updated", "deleted"))
    object_id = api.get(f"/v1/events/{updated}").json()["data"]["object"]["id"]
    assert listed(api, type="customer.updated") == [updated]
    assert listed(api, type="customer.*") == listed(api, type="*") == [deleted, updated, created]
    assert listed(api, type="charge.*") == listed(api, type="customer.imagined") == []
    assert listed(api, **{"types[]": ["customer.created", "customer.deleted"]}) == [deleted, created]
    assert listed(api, object_id=object_id) == [updated]
    assert listed(api, **{"created[gte]": unix(wall()) - 60}) == [deleted, updated, created]
    assert listed(api, **{"created[lt]": unix(wall()) - 60}) == []


def test_filters_that_make_no_sense_are_refused_by_name(api):
    both = {"type": "customer.created", "types[]": ["customer.deleted"]}
    many = {"types[]": ["customer.created"] * 21}
    for query, param in ((both, "types"), (many, "types"), ({"type": "a'b"}, "type"), ({"typ": "x"}, "typ")):
        refused = api.get("/v1/events", query)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)


def test_pending_webhooks_counts_who_has_yet_to_confirm(api, shop):
    """Before the deliveries are made, while they are under way, and afterwards."""
    shop.endpoint("customer.created", url="https://a.example.com/")
    shop.endpoint(url="https://b.example.com/")
    shop.endpoint("charge.failed", url="https://c.example.com/")
    event = shop.publish("customer.created")

    def pending():
        one = api.get(f"/v1/events/{event}").json()["pending_webhooks"]
        (in_list,) = api.get("/v1/events").json()["data"]
        assert in_list["pending_webhooks"] == one
        return one

    assert pending() == 2
    shop.fan_out()
    assert pending() == 2
    first, second = shop.claim()
    assert pending() == 2
    shop.answer(first, 200)
    assert pending() == 1
    shop.answer(second, 200)
    assert pending() == 0


def test_delivery_success_tells_confirmed_events_from_others(api, shop):
    before = shop.publish()
    shop.endpoint()
    confirmed, failing = shop.publish(), shop.publish()
    shop.fan_out()
    first, second = shop.claim()
    shop.answer(first, 200)
    shop.answer(second, 500)
    assert listed(api, delivery_success="true") == [confirmed, before]
    assert listed(api, delivery_success="false") == [failing]


def test_a_test_send_is_in_no_list_and_can_be_read(api, shop):
    endpoint = shop.endpoint()
    sent = shop.run(webhook_resends.send_test, endpoint_id=endpoint.id, type="charge.succeeded")
    assert listed(api) == []
    event = api.get(f"/v1/events/{sent.event}").json()
    assert (event["type"], event["data"]["object"]["status"]) == ("charge.succeeded", "succeeded")
