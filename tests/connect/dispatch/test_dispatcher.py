"""The dispatcher at work: a real database, Valkey and endpoints that answer, stall or lie."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
import standardwebhooks
import stripe
import svix

from connect.clients import event_hints
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.models import WebhookDelivery, WebhookEndpoint
from connect.services import webhook_deliveries, webhook_endpoints
from connect.services.dispatcher import Dispatcher
from connect.services.event_hints import hints
from tests.connect.dispatch.conftest import TYPE, Post, dispatching, until
from tests.connect.dispatch.sinks import Received, Sink, running

pytestmark = pytest.mark.django_db(transaction=True)


def bodies(sink: Sink) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in sink.requests]


def test_an_event_arrives_signed_and_its_delivery_is_done(post: Post) -> None:
    sink = Sink()
    with running(sink):
        endpoint = post.endpoint(sink)
        with dispatching():
            post.publish()
            sink.wait_for(1)
            until(lambda: post.states() == {"succeeded": 1}, "the delivery is recorded")
    (event,) = bodies(sink)
    assert event["type"] == TYPE
    assert sink.requests[0].headers["webhook-id"] == event["id"]
    assert endpoint.id
    (attempt,) = post.attempts()
    assert (attempt.response_status, attempt.response_body) == (200, "ok")


def test_a_delivered_request_verifies_with_three_libraries_and_under_both_secrets(post: Post) -> None:
    """As the receiver got it: the bytes from the wire, before a rotation, during its overlap and without one."""
    sink = Sink()
    with running(sink), dispatching():
        endpoint = post.endpoint(sink)

        def rotated(**given: int) -> str:
            with use_environment(post.caller.environment):
                return str(webhook_endpoints.rotate_secret(post.caller, endpoint_id=endpoint.id, **given).secret)

        def delivered(number: int) -> Received:
            post.publish()
            sink.wait_for(number)
            return sink.requests[number - 1]

        first = endpoint.secret
        before = delivered(1)
        second = rotated(overlap_seconds=3600)
        during = delivered(2)
        third = rotated()
        after = delivered(3)
        until(lambda: post.states() == {"succeeded": 3}, "the deliveries are recorded")
    expected = ((before, {first}), (during, {first, second}), (after, {third}))
    for request, signers in expected:
        for secret in (first, second, third):
            assert verdicts(request, secret) == [secret in signers] * 3


def verdicts(request: Received, secret: str) -> list[bool]:
    """What each of the three libraries says about this request."""
    works = (
        lambda: stripe.Webhook.construct_event(request.body, request.headers["stripe-signature"], secret),  # type: ignore[no-untyped-call]
        lambda: standardwebhooks.Webhook(secret).verify(request.body, request.headers),
        lambda: svix.Webhook(secret).verify(request.body, request.headers),
    )
    refusals = (
        stripe.SignatureVerificationError,
        standardwebhooks.WebhookVerificationError,
        svix.webhooks.WebhookVerificationError,
    )
    found = []
    for work in works:
        try:
            work()
        except refusals:
            found.append(False)
        else:
            found.append(True)
    return found


def test_while_no_dispatcher_runs_events_wait_and_then_arrive_once(post: Post) -> None:
    sink = Sink()
    with running(sink):
        post.endpoint(sink)
        post.publish(30)
        assert sink.connections == 0
        with dispatching():
            sink.wait_for(30)
            until(lambda: post.states() == {"succeeded": 30}, "all are recorded")
    assert len({event["id"] for event in bodies(sink)}) == len(sink.requests) == 30


def test_hints_alone_are_enough_and_so_is_the_sweep(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Sink()
    with running(sink):
        post.endpoint(sink)
        with dispatching(sweep_seconds=3600):  # sweeps once, at its start
            until(lambda: event_hints.take() == [], "nothing is hinted")
            post.publish()
            sink.wait_for(1)
        monkeypatch.setattr(hints, "note", lambda _: None)
        with dispatching():
            post.publish()
            sink.wait_for(2)


def test_a_slow_endpoint_holds_up_only_itself(post: Post) -> None:
    """All deliveries of the others are recorded while every one of the slow endpoint's is still open."""
    release = asyncio.Event()

    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    slow, quick = Sink(handler=stall), Sink()
    with running(slow, quick):
        post.endpoint(slow)
        post.endpoint(quick)
        with dispatching():
            post.publish(300)
            quick.wait_for(300)
            until(
                lambda: post.states() == {"succeeded": 300, "pending": 300}, "the quick one has all, the slow one none"
            )
            assert 1 <= len(slow.requests) <= 8
            slow.loop.call_soon_threadsafe(release.set)
            slow.wait_for(300)
            until(lambda: post.states() == {"succeeded": 600}, "the slow one has all")
    assert len({event["id"] for event in bodies(slow)}) == len(slow.requests) == 300


def test_endless_answers_hold_up_only_their_own_endpoint(post: Post) -> None:
    """A drip, endless headers and a flood, all open at once, beside an endpoint that is well."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not reader.at_eof():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not reader.at_eof():
            writer.write(b"X-Again: and again\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while not reader.at_eof():
            writer.write(bytes(100_000))
            await writer.drain()

    well, *ill = (Sink(), Sink(handler=drip), Sink(handler=headers), Sink(handler=flood))
    with dispatching(), running(well, *ill):  # the sinks end first, and with them what they hold open
        for sink in (well, *ill):
            post.endpoint(sink)
        post.publish(200)
        well.wait_for(200)
        until(
            lambda: post.states().get("succeeded", 0) >= 400,
            "the well one and the flood, whose status came, are done",
        )
        cut = [attempt for attempt in post.attempts() if attempt.error_kind == "broken_answer"]
        assert cut
        assert {attempt.response_status for attempt in cut} == {None}
        kept = [len(attempt.response_body) for attempt in post.attempts() if attempt.response_status == 200]
        assert max(kept) == 8 * 1024


def test_an_endpoint_that_fails_is_tried_again(post: Post) -> None:
    sink = Sink(answer=b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\noops")
    with running(sink):
        post.endpoint(sink)
        with dispatching():
            post.publish()
            sink.wait_for(1)
            until(lambda: post.attempts()[0].response_status == 500, "the first attempt is recorded")
            sink.answer = b"HTTP/1.1 204 Well\r\n\r\n"
            with use_environment(post.caller.environment):
                WebhookDelivery.objects.update(next_attempt_at=post.caller.clock.wall())
            sink.wait_for(2)
            until(lambda: post.states() == {"succeeded": 1}, "the second attempt is recorded")
    assert [attempt.response_status for attempt in post.attempts()] == [500, 204]


def test_two_dispatchers_share_the_work(post: Post) -> None:
    sink = Sink()
    with running(sink):
        post.endpoint(sink)
        post.publish(200)
        with dispatching(), dispatching():
            sink.wait_for(200)
            until(lambda: post.states() == {"succeeded": 200}, "all are recorded")
    assert len({event["id"] for event in bodies(sink)}) == len(sink.requests) == 200


def test_a_stopping_dispatcher_ends_what_is_under_way_and_gives_back_the_rest(post: Post) -> None:
    release = asyncio.Event()

    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    sink = Sink(handler=stall)
    with running(sink):
        post.endpoint(sink)
        post.publish(50)
        with dispatching(places=2):
            sink.wait_for(2)
            until(lambda: len(post.attempts()) > 2, "more is claimed than may be sent at once")
            sink.loop.call_soon_threadsafe(sink.loop.call_later, 0.5, release.set)
    assert post.states() == {"succeeded": 2, "pending": 48}
    assert [attempt.response_status for attempt in post.attempts()] == [200, 200]
    with use_environment(post.caller.environment):
        assert not WebhookDelivery.objects.filter(state="pending", lease_until__isnull=False).exists()


def test_a_dispatcher_without_work_keeps_nothing_of_it(post: Post) -> None:
    """One endpoint ends while another is still busy: afterwards no circle of their environment is left."""
    release = asyncio.Event()

    async def stall(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    slow, quick = Sink(handler=stall), Sink()
    made: list[Dispatcher] = []
    with running(slow, quick):
        post.endpoint(slow)
        post.endpoint(quick)
        with dispatching(made=made):
            post.publish(40)
            quick.wait_for(40)
            slow.loop.call_soon_threadsafe(release.set)
            slow.wait_for(40)
            until(lambda: post.states() == {"succeeded": 80}, "all are recorded")
            until(lambda: not made[0]._pumps, "nothing is kept")


def test_what_a_dead_dispatcher_had_claimed_is_sent_when_its_lease_is_over(post: Post) -> None:
    sink = Sink()
    with running(sink):
        post.endpoint(sink)
        post.publish(3)
        with use_environment(post.caller.environment):
            webhook_deliveries.fan_out(post.caller)
            claimed = webhook_deliveries.claim(post.caller, lease_seconds=0)
        assert len(claimed) == 3
        with dispatching():
            sink.wait_for(3)
            until(lambda: post.states() == {"succeeded": 3}, "all are recorded")
    assert sorted(attempt.error_kind for attempt in post.attempts()) == [""] * 3 + ["interrupted"] * 3


def test_only_test_environments_reach_private_hosts(environments: dict[str, Any], caller: Caller) -> None:
    """A live environment whose row names a private address (written by hand, say) still reaches nothing."""
    sink = Sink()
    live = Post(replace(caller, environment=environments["acme/live"]))
    with running(sink), dispatching():
        with use_environment(live.caller.environment):
            webhook_endpoints.create(live.caller, url="https://hooks.example.com/", enabled_events=["*"])
            WebhookEndpoint.objects.update(url=sink.url)
        live.publish()
        until(lambda: [one.error_kind for one in live.attempts()] == ["address_refused"], "it is refused")
    assert sink.connections == 0
