"""Which endpoint gets which event: exactly those that existed, were enabled, want the type, in the same account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connect.kit import ids
from connect.kit.tenancy import use_environment
from connect.models import Event, WebhookDelivery
from connect.services import webhook_endpoints
from tests.connect.webhooks.conftest import Shop


def reached(shop):
    """Pairs of event and endpoint, as public ids."""
    return {(ids.encode("evt", row.event_id), ids.encode("we", row.endpoint_id)) for row in shop.deliveries()}


def test_an_event_reaches_every_endpoint_that_wants_it(shop):
    everything, some, others = (shop.endpoint(*types) for types in ((), ("customer.created",), ("charge.failed",)))
    event = shop.publish("customer.created")
    assert shop.fan_out() == 1
    assert reached(shop) == {(event, everything.id), (event, some.id)}
    assert others.id not in {endpoint for _, endpoint in reached(shop)}


def test_an_endpoint_made_later_gets_nothing_of_before(shop):
    shop.publish()
    late = shop.endpoint()
    event = shop.publish()
    assert shop.fan_out() == 2
    assert reached(shop) == {(event, late.id)}


def test_a_disabled_endpoint_gets_nothing_and_an_enabled_one_only_what_comes_then(shop):
    endpoint = shop.endpoint()
    shop.run(webhook_endpoints.update, endpoint_id=endpoint.id, disabled=True)
    shop.publish()
    shop.run(webhook_endpoints.update, endpoint_id=endpoint.id, disabled=False)
    event = shop.publish()
    shop.fan_out()
    assert reached(shop) == {(event, endpoint.id)}


def test_a_deleted_endpoint_gets_nothing(shop):
    endpoint = shop.endpoint()
    event = shop.publish()
    shop.run(webhook_endpoints.delete, endpoint_id=endpoint.id)
    assert shop.fan_out() == 1
    assert reached(shop) == set()
    assert event


def test_accounts_never_meet(shop):
    connected = Shop(replace(shop.caller, account=ids.new()))
    own, theirs = shop.endpoint(), connected.endpoint()
    event, their_event = shop.publish(), connected.publish()
    shop.fan_out()
    assert reached(shop) == {(event, own.id), (their_event, theirs.id)}


def test_environments_never_meet(shop, environments):
    other = Shop(replace(shop.caller, environment=environments["other/test"]))
    other.endpoint()
    shop.endpoint()
    shop.publish()
    assert other.fan_out() == 0
    assert other.deliveries() == []


def test_fanning_out_twice_makes_nothing_twice(shop):
    shop.endpoint()
    for _ in range(5):
        shop.publish()
    assert [shop.fan_out(limit=3), shop.fan_out(limit=3), shop.fan_out(limit=3)] == [3, 2, 0]
    assert len(shop.deliveries()) == 5
    with use_environment(shop.caller.environment):
        assert Event.objects.filter(fanned_out_at=None).count() == 0


def test_events_without_endpoints_are_done_at_once(shop):
    shop.publish()
    assert shop.fan_out() == 1
    assert shop.fan_out() == 0


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_each_delivery_once(shop, together):
    """Eight dispatchers, two endpoints, sixty events: no pair is missing and none is there twice."""
    endpoints = [shop.endpoint(url=f"https://shop.example.com/{n}") for n in range(2)]
    published = [shop.publish() for _ in range(60)]

    def work():
        done = 0
        while count := shop.fan_out(limit=7):
            done += count
        return done

    counts = together(*[work] * 8)
    assert sum(counts) == 60
    rows = shop.deliveries()
    assert len(rows) == 120
    assert reached(shop) == {(event, endpoint.id) for event in published for endpoint in endpoints}
    assert {row.state for row in rows} == {WebhookDelivery.State.PENDING}
