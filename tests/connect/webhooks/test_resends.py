"""Sending again: one event, a range, a test; and the log of what was delivered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.kit import clock, ids
from connect.kit.clock import unix
from connect.kit.errors import ParameterInvalid
from connect.kit.tenancy import use_environment
from connect.models import Event
from connect.selectors import webhook_deliveries as selectors
from connect.services import webhook_endpoints, webhook_resends
from tests.paging import prove

HOUR = timedelta(hours=1)


def states(shop):
    return [(row.state, row.attempts, row.failures) for row in shop.deliveries()]


def refused(answer):
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("param")


def failed(shop):
    """One delivery that has used up all its attempts."""
    endpoint = shop.endpoint()
    event = shop.publish()
    shop.fan_out()
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 500)
    with use_environment(shop.caller.environment):
        from connect.models import WebhookDelivery

        WebhookDelivery.objects.update(state="failed", failures=10, next_attempt_at=None)
    return endpoint, event


def test_an_event_is_sent_again_with_a_new_series_of_retries(shop, api):
    endpoint, event = failed(shop)
    answer = api.post(f"/v1/events/{event}/resend", {"webhook_endpoint": endpoint.id}).json()
    assert (answer["object"], answer["status"], answer["attempts"]) == ("webhook_delivery", "pending", 1)
    assert (answer["event"], answer["webhook_endpoint"], answer["event_type"]) == (
        event, endpoint.id, "customer.created"
    )  # fmt: skip
    assert answer["last_attempt"]["response"]["status"] == 500
    (outgoing,) = shop.claim()
    assert outgoing.number == 2
    shop.answer(outgoing, 500)
    assert states(shop) == [("pending", 2, 1)]


def test_an_event_goes_to_an_endpoint_that_never_got_it(shop, api):
    event = shop.publish("customer.created")
    endpoint = shop.endpoint("charge.failed")
    api.post(f"/v1/events/{event}/resend", {"webhook_endpoint": endpoint.id})
    (outgoing,) = shop.claim()
    assert outgoing.url == endpoint.url
    assert shop.fan_out() == 1
    assert len(shop.deliveries()) == 1


def test_a_delivery_that_succeeded_can_be_sent_again(shop):
    shop.endpoint()
    shop.publish()
    shop.fan_out()
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 200)
    delivery_id = ids.encode("whd", outgoing.delivery_id)
    shop.run(webhook_resends.resend, delivery_id=delivery_id)
    (again,) = shop.claim()
    assert again.number == 2
    with use_environment(shop.caller.environment):
        assert [attempt.number for attempt in selectors.attempts(shop.caller, delivery_id)] == [2, 1]


def test_what_cannot_be_sent_again(shop, api):
    endpoint, event = failed(shop)
    path = f"/v1/events/{event}/resend"
    assert refused(api.post(path)) == (400, "parameter_missing", "webhook_endpoint")
    unknown = ids.encode("we", ids.new())
    assert refused(api.post(path, {"webhook_endpoint": unknown})) == (400, "resource_missing", "webhook_endpoint")
    missing = f"/v1/events/{ids.encode('evt', ids.new())}/resend"
    assert refused(api.post(missing, {"webhook_endpoint": endpoint.id})) == (404, "resource_missing", "id")
    api.post(f"/v1/webhook_endpoints/{endpoint.id}", {"disabled": True})
    base = f"/v1/webhook_endpoints/{endpoint.id}"
    for address, body in (
        (path, {"webhook_endpoint": endpoint.id}),
        (f"{base}/replay", {"since": 1}),
        (f"{base}/test", {"type": "charge.failed"}),
    ):
        assert refused(api.post(address, body)) == (400, "webhook_endpoint_disabled", None)


# --- replay -----------------------------------------------------------------------------------------------------------


def replay(shop, endpoint, **given):
    named = {"since": clock.wall() - HOUR, **given}
    return shop.run(webhook_resends.replay, endpoint_id=endpoint.id, **named).deliveries


def test_a_replay_sends_what_was_not_confirmed(shop):
    """Of four events one was confirmed, one failed, one waits, and one came while the endpoint was disabled."""
    endpoint = shop.endpoint("customer.created")
    shop.publish()
    shop.publish()
    shop.fan_out()
    first, second = shop.claim()
    shop.answer(first, 200)
    shop.run(webhook_endpoints.update, endpoint_id=endpoint.id, disabled=True)
    shop.answer(second, 500)
    shop.publish()
    shop.run(webhook_endpoints.update, endpoint_id=endpoint.id, disabled=False)
    shop.publish("customer.deleted")
    waiting = shop.publish()
    shop.fan_out()
    assert [state for state, *_ in states(shop)] == ["succeeded", "canceled", "pending"]
    assert replay(shop, endpoint) == 2
    assert sorted(state for state, *_ in states(shop)) == ["pending"] * 3 + ["succeeded"]
    assert replay(shop, endpoint) == 0
    assert waiting in {ids.encode("evt", row.event_id) for row in shop.deliveries()}


def test_a_replay_of_everything_sends_confirmed_events_too(shop):
    endpoint = shop.endpoint()
    shop.publish()
    shop.fan_out()
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 200)
    assert replay(shop, endpoint) == 0
    assert replay(shop, endpoint, only_failed=False) == 1
    assert states(shop) == [("pending", 1, 0)]


def test_a_new_endpoint_can_be_filled_from_the_past(shop):
    published = {shop.publish() for _ in range(3)}
    shop.fan_out()
    endpoint = shop.endpoint()
    assert replay(shop, endpoint) == 3
    assert {ids.encode("evt", row.event_id) for row in shop.deliveries()} == published


def test_a_replay_keeps_to_its_range(shop):
    endpoint = shop.endpoint()
    moments = []
    for _ in range(3):
        event = ids.decode("evt", shop.publish())
        moments.append(clock.from_unix(0) + timedelta(milliseconds=event.int >> 80))
    with use_environment(shop.caller.environment):
        Event.objects.exclude(only_endpoint_id__isnull=False).update(fanned_out_at=clock.wall())
    assert replay(shop, endpoint, since=moments[0] - HOUR, until=moments[0] - timedelta(minutes=1)) == 0
    assert replay(shop, endpoint, since=moments[0], until=moments[2] + HOUR) == 3


def test_a_range_that_is_empty_or_too_large_is_refused(shop, api, monkeypatch):
    endpoint = shop.endpoint()
    now = unix(clock.wall())
    path = f"/v1/webhook_endpoints/{endpoint.id}/replay"
    assert refused(api.post(path)) == (400, "parameter_missing", "since")
    for body in ({"since": now + 60}, {"since": now, "until": now}, {"since": now, "until": now - 1}):
        assert refused(api.post(path, body)) == (400, "parameter_invalid", "since")
    for _ in range(3):
        shop.publish()
    monkeypatch.setattr(webhook_resends, "REPLAY_MAX", 2)
    with pytest.raises(ParameterInvalid, match="Choose a shorter one"):
        replay(shop, endpoint)
    monkeypatch.undo()
    assert api.post(path, {"since": now - 60}).json() == {
        "object": "webhook_replay", "deliveries": 3, "webhook_endpoint": endpoint.id
    }  # fmt: skip


def test_a_replay_stays_in_its_account_and_leaves_tests_out(shop):
    from dataclasses import replace

    from tests.connect.webhooks.conftest import Shop

    connected = Shop(replace(shop.caller, account=ids.new()))
    endpoint, theirs = shop.endpoint(), connected.endpoint()
    shop.run(webhook_resends.send_test, endpoint_id=endpoint.id, type="charge.failed")
    connected.publish()
    assert replay(shop, endpoint, only_failed=False) == 0
    assert replay(connected, theirs) == 1


# --- tests and the log ------------------------------------------------------------------------------------------------


def test_a_test_reaches_only_its_endpoint(shop, api):
    endpoint = shop.endpoint("charge.failed")
    shop.endpoint(url="https://other.example.com/")
    answer = api.post(f"/v1/webhook_endpoints/{endpoint.id}/test", {"type": "customer.created"}).json()
    assert (answer["status"], answer["event_type"]) == ("pending", "customer.created")
    assert shop.fan_out() == 0
    (outgoing,) = shop.claim()
    assert outgoing.url == endpoint.url
    assert b'"customer.created"' in outgoing.body


@pytest.mark.parametrize("type_", ["*", "customer.imagined", "customer.*"])
def test_a_test_is_of_a_type_that_exists(shop, api, type_):
    endpoint = shop.endpoint()
    answer = api.post(f"/v1/webhook_endpoints/{endpoint.id}/test", {"type": type_})
    assert refused(answer) == (400, "event_type_unknown", "type")


def test_the_log_of_an_endpoint(shop, api):
    endpoint = shop.endpoint()
    shop.endpoint(url="https://other.example.com/")
    events = [shop.publish() for _ in range(4)]
    shop.fan_out()
    mine = [one for one in shop.claim() if one.url == endpoint.url]
    shop.answer(mine[0], 200, body=b"thanks", headers={"content-type": "text/plain"})
    shop.answer(mine[1], None, error_kind="timeout", error="No answer within 15 seconds.")
    path = f"/v1/webhook_endpoints/{endpoint.id}/deliveries"
    newest_first = sorted((ids.encode("whd", one.delivery_id) for one in mine), reverse=True)
    prove(api, path, newest_first)
    found = {one["event"]: one for one in api.get(path).json()["data"]}
    assert set(found) == set(events)
    by_id = {one["id"]: one for one in found.values()}
    confirmed = by_id[ids.encode("whd", mine[0].delivery_id)]
    assert (confirmed["status"], confirmed["next_attempt_at"]) == ("succeeded", None)
    assert confirmed["last_attempt"]["response"] == {
        "body": "thanks", "headers": {"content-type": "text/plain"}, "status": 200
    }  # fmt: skip
    assert confirmed["last_attempt"]["request"]["headers"]["webhook-id"] == confirmed["event"]
    late = by_id[ids.encode("whd", mine[1].delivery_id)]
    assert late["last_attempt"]["error"] == {"message": "No answer within 15 seconds.", "type": "timeout"}
    assert late["last_attempt"]["response"] is None
    under_way = by_id[ids.encode("whd", mine[2].delivery_id)]["last_attempt"]
    assert (under_way["duration_ms"], under_way["error"], under_way["response"]) == (None, None, None)
    assert [one["id"] for one in api.get(path, {"status": "succeeded"}).json()["data"]] == [confirmed["id"]]
    assert [one["id"] for one in api.get(path, {"event": late["event"]}).json()["data"]] == [late["id"]]
    assert api.get(path, {"created[lt]": unix(clock.wall()) - 60}).json()["data"] == []
    assert "whsec_" not in str(found)
