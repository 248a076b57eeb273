"""From a delivery to a signed request, and from its answer to what follows."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import stripe
import svix
import time_machine
from django.core import mail

from connect.domain.retry_schedule import DELAYS
from connect.domain.webhook_deliveries import Answer
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from connect.models import AuditEntry, Event, WebhookAttempt, WebhookEndpoint
from connect.selectors import webhook_deliveries as selectors
from connect.services import webhook_endpoints, webhook_notices, webhook_resends
from connect.tasks import send_notices, send_webhook_notices

START = datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.fixture
def moving():
    """A clock that stands still until it is moved."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def prepared(shop, *types, **given):
    """An endpoint, and one event on its way to it."""
    endpoint = shop.endpoint(*types, **given)
    event = shop.publish(name="Ана")
    shop.fan_out()
    return endpoint, event


def attempts(shop):
    with use_environment(shop.caller.environment):
        return list(WebhookAttempt.objects.order_by("delivery_id", "number"))


def endpoint_row(shop):
    with use_environment(shop.caller.environment):
        return WebhookEndpoint.objects.get()


def test_a_request_is_ready_to_send_and_verifies_with_three_libraries(shop):
    endpoint, event = prepared(shop)
    (outgoing,) = shop.claim()
    assert (outgoing.url, outgoing.number) == (endpoint.url, 1)
    assert outgoing.headers["Content-Type"] == "application/json; charset=utf-8"
    assert outgoing.headers["webhook-id"] == event
    sent = stripe.Webhook.construct_event(outgoing.body, outgoing.headers["Stripe-Signature"], endpoint.secret)
    assert (sent.id, sent.type, sent.data.object.name) == (event, "customer.created", "Ана")
    standardwebhooks.Webhook(endpoint.secret).verify(outgoing.body, dict(outgoing.headers))
    svix.Webhook(endpoint.secret).verify(outgoing.body, dict(outgoing.headers))


def test_the_body_is_the_event_as_the_api_shows_it(shop, api):
    _, event = prepared(shop)
    (outgoing,) = shop.claim()
    assert json.loads(outgoing.body) == api.get(f"/v1/events/{event}").json()
    assert json.loads(outgoing.body)["pending_webhooks"] == 1


def test_the_attempt_is_written_before_it_is_sent(shop):
    prepared(shop)
    (outgoing,) = shop.claim()
    (attempt,) = attempts(shop)
    assert (attempt.number, attempt.url, attempt.finished_at) == (1, outgoing.url, None)
    assert bytes(attempt.body_sha256) == hashlib.sha256(outgoing.body).digest()
    assert attempt.body_bytes == len(outgoing.body)
    assert attempt.request_headers == dict(outgoing.headers)


def test_a_success_ends_the_delivery(shop):
    prepared(shop)
    (outgoing,) = shop.claim()
    assert shop.claim() == []
    shop.answer(outgoing, 204, headers={"x-a": "b"}, body=b"ok\0\xff")
    row, (attempt,) = shop.delivery(), attempts(shop)
    assert (row.state, row.attempts, row.failures, row.next_attempt_at) == ("succeeded", 1, 0, None)
    assert row.finished_at is not None
    assert (attempt.response_status, attempt.duration_ms) == (204, 12)
    assert (attempt.response_headers, attempt.response_body) == ({"x-a": "b"}, "ok\ufffd\ufffd")
    assert shop.claim() == []


def test_of_an_answer_8_kilobytes_are_kept(shop):
    prepared(shop)
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 200, body=b"x" * 70_000, headers={f"h{n}": "v" * 5000 for n in range(300)})
    (attempt,) = attempts(shop)
    assert attempt.response_body == "x" * 8 * 1024
    assert len(attempt.response_headers) == 100
    assert {len(value) for value in attempt.response_headers.values()} == {1000}


def test_no_answer_is_a_failure_with_its_reason(shop):
    prepared(shop)
    (outgoing,) = shop.claim()
    shop.answer(outgoing, None, error_kind="timeout", error="No answer within 15 seconds.")
    (attempt,) = attempts(shop)
    assert (attempt.error_kind, attempt.response_status) == ("timeout", None)
    assert shop.delivery().state == "pending"


def test_an_always_failing_endpoint_is_tried_exactly_on_schedule(shop, moving):
    """Ten attempts at the second the schedule names, none earlier, then the delivery has failed."""
    prepared(shop)
    at = START
    for number, wait in enumerate(DELAYS, start=1):
        at += wait
        moving.move_to(at - timedelta(milliseconds=1))
        assert number == 1 or shop.claim() == []
        moving.move_to(at)
        (outgoing,) = shop.claim()
        assert outgoing.number == number
        shop.answer(outgoing, 500)
    row = shop.delivery()
    assert (row.state, row.attempts, row.failures, row.next_attempt_at) == ("failed", 10, 10, None)
    moving.move_to(at + timedelta(days=30))
    assert shop.claim() == []
    assert [attempt.requested_at for attempt in attempts(shop)] == [
        START + sum(DELAYS[:number], timedelta()) for number in range(1, 11)
    ]


def test_five_days_of_nothing_but_failures_disable_the_endpoint(shop, moving, api):
    """An event every six hours for a week, always 500: disabled after five days on the clock, told once, replayable."""
    endpoint, _ = prepared(shop)
    disabled_at = None
    for hour in range(7 * 24):
        moving.move_to(START + timedelta(hours=hour))
        if hour % 6 == 0:
            shop.publish()
            shop.fan_out()
        while claimed := shop.claim():
            recorded = shop.record(*(Answer(one.delivery_id, one.number, 500, 1) for one in claimed))
            if recorded.disabled:
                disabled_at = clock.wall()
        if disabled_at:
            break
    row = endpoint_row(shop)
    assert disabled_at is not None
    assert row.failing_since is not None
    assert row.failing_since - START >= timedelta(hours=12)
    assert timedelta(days=5) <= disabled_at - row.failing_since <= timedelta(days=5, hours=1)
    assert (row.status, row.disabled_reason) == ("disabled", "failing")
    assert {one.state for one in shop.deliveries()} <= {"failed", "canceled"}
    shown = api.get(f"/v1/webhook_endpoints/{endpoint.id}").json()
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "failing")
    with use_environment(shop.caller.environment):
        told = Event.objects.get(type="webhook_endpoint.disabled")
        assert told.payload["id"] == endpoint.id
        assert "secret" not in told.payload
        assert AuditEntry.objects.filter(action="webhook_endpoint.disabled", target=endpoint.id).count() == 1
    assert webhook_notices.send_due(shop.caller.environment) == 1
    (message,) = mail.outbox
    assert message.bcc == ["owner@acme.example"]
    assert "https://shop.example.com/hooks" in message.body
    assert shop.fan_out() == 1
    shop.run(webhook_endpoints.update, endpoint_id=endpoint.id, disabled=False)
    assert endpoint_row(shop).failing_since is None
    replayed = shop.run(webhook_resends.replay, endpoint_id=endpoint.id, since=datetime(2020, 1, 1, tzinfo=UTC),
                        until=datetime(2100, 1, 1, tzinfo=UTC))  # fmt: skip
    assert replayed.deliveries == len(shop.deliveries())
    assert len(shop.claim(limit=1000)) == replayed.deliveries


def test_one_success_stops_the_clock(shop, moving):
    prepared(shop)
    for hours in (0, 6, 13):
        moving.move_to(START + timedelta(hours=hours))
        (outgoing,) = shop.claim()
        shop.answer(outgoing, 500)
    assert endpoint_row(shop).failing_since == START + timedelta(hours=13)
    moving.move_to(START + timedelta(days=9))
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 200)
    row = endpoint_row(shop)
    assert (row.status, row.first_failure_at, row.failure_count, row.failing_since) == ("enabled", None, 0, None)


def test_gone_disables_at_once_and_cancels_the_rest(shop):
    endpoint, _ = prepared(shop)
    shop.publish()
    shop.fan_out()
    first, second = shop.claim()
    recorded = shop.answer(first, 410)
    assert recorded.disabled == {first.endpoint_id}
    assert endpoint_row(shop).disabled_reason == "gone"
    assert sorted(row.state for row in shop.deliveries()) == ["canceled", "failed"]
    assert shop.claim() == []
    shop.answer(second, 200)  # it was on its way already, and arrived
    assert sorted(row.state for row in shop.deliveries()) == ["failed", "succeeded"]
    assert endpoint.status == "enabled"


def test_an_overloaded_endpoint_rests_as_a_whole_and_others_do_not(shop, moving):
    shop.endpoint(url="https://shop.example.com/a")
    shop.endpoint(url="https://shop.example.com/b")
    shop.publish()
    shop.fan_out()
    first, second = shop.claim()
    recorded = shop.answer(first, 429, headers={"retry-after": "120"})
    shop.answer(second, 500)
    assert recorded.paused == {first.endpoint_id: START + timedelta(seconds=120)}
    shop.publish()
    shop.fan_out()
    moving.move_to(START + timedelta(seconds=119))
    assert {one.endpoint_id for one in shop.claim()} == {second.endpoint_id}
    with use_environment(shop.caller.environment):
        assert first.endpoint_id not in selectors.due_endpoints(clock.wall())
    moving.move_to(START + timedelta(seconds=120))
    assert [one.endpoint_id for one in shop.claim()].count(first.endpoint_id) == 2


def test_what_nobody_recorded_is_sent_again_when_its_lease_is_over(shop, moving):
    """A killed sender costs an attempt's number, and none of the schedule."""
    prepared(shop)
    (lost,) = shop.claim(lease_seconds=60)
    moving.move_to(START + timedelta(seconds=59))
    assert shop.claim() == []
    moving.move_to(START + timedelta(seconds=60))
    (again,) = shop.claim()
    assert (again.delivery_id, again.number) == (lost.delivery_id, 2)
    assert [attempt.error_kind for attempt in attempts(shop)] == ["interrupted", ""]
    shop.answer(again, 500)
    assert (shop.delivery().failures, shop.delivery().attempts) == (1, 2)


@pytest.mark.parametrize(("late", "state", "failures"), [(200, "succeeded", 0), (500, "pending", 0)])
def test_an_answer_after_its_lease_counts_only_if_it_is_good_news(shop, moving, late, state, failures):
    prepared(shop)
    (first,) = shop.claim(lease_seconds=60)
    moving.move_to(START + timedelta(seconds=61))
    (second,) = shop.claim()
    shop.answer(first, late)
    assert (shop.delivery().state, shop.delivery().failures) == (state, failures)
    assert attempts(shop)[0].response_status == late
    shop.answer(second, 500)
    assert shop.delivery().state == ("succeeded" if late == 200 else "pending")


def test_recording_twice_changes_nothing(shop):
    prepared(shop)
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 500)
    before = shop.delivery().__dict__ | {"_state": None}
    shop.answer(outgoing, 500)
    shop.answer(outgoing, 200)
    assert shop.delivery().__dict__ | {"_state": None} == before
    shop.record()
    shop.record(Answer(ids.new(), 1, 200, 1))


def test_answers_of_one_delivery_in_one_batch_count_once(shop, moving):
    prepared(shop)
    (first,) = shop.claim(lease_seconds=1)
    moving.move_to(START + timedelta(seconds=2))
    (second,) = shop.claim()
    shop.record(
        Answer(first.delivery_id, 1, 200, 1), Answer(second.delivery_id, 2, 500, 1),
        Answer(second.delivery_id, 2, 500, 1),
    )  # fmt: skip
    assert (shop.delivery().state, shop.delivery().failures) == ("succeeded", 0)


def test_a_slow_endpoint_does_not_hide_the_others(shop):
    slow = shop.endpoint("customer.created", url="https://slow.example.com/")
    for _ in range(30):
        shop.publish()
    other = shop.endpoint("customer.updated", url="https://fast.example.com/")
    shop.publish("customer.updated")
    shop.fan_out()
    slow_id, other_id = ids.decode("we", slow.id), ids.decode("we", other.id)
    assert len(shop.claim(endpoint_id=slow_id, limit=10)) == 10
    (one,) = shop.claim(endpoint_id=other_id, limit=10)
    assert one.endpoint_id == other_id
    with use_environment(shop.caller.environment):
        assert selectors.due_endpoints(clock.wall()) == [slow_id]


def test_when_there_is_something_to_send_next(shop, moving):
    def due():
        with use_environment(shop.caller.environment):
            return selectors.next_due(clock.wall())

    assert due() is None
    prepared(shop)
    assert due() == START
    (outgoing,) = shop.claim(lease_seconds=60)
    assert due() == START + timedelta(seconds=60)
    shop.answer(outgoing, 500)
    assert due() == START + timedelta(seconds=5)


def test_a_secret_that_cannot_be_unsealed_fails_its_own_deliveries_only(shop):
    broken, _ = prepared(shop)
    with use_environment(shop.caller.environment):
        WebhookEndpoint.objects.update(secret=b"nobody\0" + b"x" * 40)
    well = shop.endpoint(url="https://well.example.com/")
    shop.publish()
    shop.fan_out()
    assert [one.url for one in shop.claim()] == [well.url]
    failed = [row for row in shop.deliveries() if ids.encode("we", row.endpoint_id) == broken.id]
    assert {(row.state, row.failures, row.lease_until) for row in failed} == {("pending", 1, None)}
    assert {attempt.error_kind for attempt in attempts(shop)} == {"secret_unreadable", ""}


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_send_everything_once(shop, together):
    """Six claim and record at once, until nothing is left: each delivery is taken by exactly one of them."""
    for number in range(3):
        shop.endpoint(url=f"https://shop.example.com/{number}")
    for _ in range(40):
        shop.publish()
    shop.fan_out()

    def work():
        mine = []
        while claimed := shop.claim(limit=9):
            mine += [(one.delivery_id, one.number) for one in claimed]
            shop.record(*(Answer(one.delivery_id, one.number, 200, 1) for one in claimed))
        return mine

    taken = [pair for mine in together(*[work] * 6) for pair in mine]
    assert len(taken) == len(set(taken)) == 120
    assert {row.state for row in shop.deliveries()} == {"succeeded"}
    assert {number for _, number in taken} == {1}


@pytest.mark.django_db(transaction=True)
def test_recording_failures_and_deleting_the_endpoint_at_once_do_not_deadlock(shop, together):
    for round_ in range(5):
        endpoint = shop.endpoint(url=f"https://shop.example.com/{round_}")
        for _ in range(10):
            shop.publish()
        shop.fan_out()
        claimed = shop.claim()
        answers = [Answer(one.delivery_id, one.number, 500, 1) for one in claimed]
        together(
            lambda answers=answers: shop.record(*answers[:5]),
            lambda answers=answers: shop.record(*reversed(answers[5:])),
            lambda endpoint=endpoint: shop.run(webhook_endpoints.delete, endpoint_id=endpoint.id),
        )
        assert {row.state for row in shop.deliveries() if row.endpoint_id == claimed[0].endpoint_id} == {"canceled"}


# --- telling people ---------------------------------------------------------------------------------------------------


def gone(shop):
    prepared(shop)
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 410)


@pytest.mark.django_db(transaction=True)
def test_people_are_told_once_by_mail(shop, monkeypatch):
    monkeypatch.setattr(send_notices, "delay", send_notices)
    gone(shop)
    assert send_webhook_notices() == 1
    assert send_webhook_notices() == 0
    (message,) = mail.outbox
    assert message.bcc == ["owner@acme.example"]
    assert message.to == []
    assert "https://shop.example.com/hooks" in message.body
    assert "410 Gone" in message.body
    assert "whsec_" not in message.body


def test_a_mail_server_that_is_away_is_asked_again_later(shop, monkeypatch, moving):
    def away(self, *arguments, **named):
        raise ConnectionRefusedError("no mail server")

    gone(shop)
    environment = shop.caller.environment
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", away)
        assert webhook_notices.send_due(environment) == 0
    assert webhook_notices.send_due(environment) == 0
    moving.shift(webhook_notices.LEASE)
    assert webhook_notices.send_due(environment) == 1
    assert len(mail.outbox) == 1


def test_who_disables_an_endpoint_by_hand_gets_no_mail(shop):
    endpoint = shop.endpoint()
    shop.run(webhook_endpoints.update, endpoint_id=endpoint.id, disabled=True)
    assert webhook_notices.send_due(shop.caller.environment) == 0
    assert endpoint_row(shop).disabled_reason == "by_caller"


def test_an_endpoint_enabled_in_time_needs_no_mail(shop):
    gone(shop)
    endpoint_id = ids.encode("we", endpoint_row(shop).id)
    shop.run(webhook_endpoints.update, endpoint_id=endpoint_id, disabled=False)
    assert webhook_notices.send_due(shop.caller.environment) == 0
