"""What was kept long enough goes, in batches, and nothing else does."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from connect import tasks
from connect.domain import retention as rules
from connect.domain import tiers
from connect.kit import clock, ids
from connect.kit.errors import ResourceMissing
from connect.kit.tenancy import use_environment
from connect.models import Event, PublicRequestLog, RequestLog, WebhookAttempt, WebhookDelivery
from connect.selectors import webhook_deliveries as deliveries
from connect.services import retention, webhook_resends
from tests.connect.webhooks.conftest import Shop
from tests.payments.books import Books

ROOT = Path(__file__).resolve().parents[3]
YEAR_AND_MORE = rules.EVENTS.kept


@pytest.fixture
def shop(caller):
    return Shop(caller)


def id_at(moment: datetime):
    """A UUIDv7 as it would have been drawn then."""
    return uuid.UUID(int=ids.first_at(moment).int | (ids.new().int & ((1 << 62) - 1)))


def aged(shop, event: str, by: timedelta) -> str:
    """Make an event, with its deliveries and attempts, older; returns its new id."""
    moment = clock.wall() - by
    old, new = ids.decode("evt", event), id_at(moment)
    with use_environment(shop.caller.environment):
        Event.objects.filter(pk=old).update(id=new, created_at=moment)
        for delivery in WebhookDelivery.objects.filter(event_id=old):
            aged_id = id_at(moment)
            for attempt in WebhookAttempt.objects.filter(delivery_id=delivery.id):
                WebhookAttempt.objects.filter(pk=attempt.pk).update(id=id_at(moment), delivery_id=aged_id)
            WebhookDelivery.objects.filter(pk=delivery.pk).update(
                id=aged_id, event_id=new, created_at=moment, finished_at=moment if delivery.finished_at else None
            )
    return ids.encode("evt", new)


def counts(shop) -> tuple[int, int, int]:
    """Events, deliveries, attempts."""
    with use_environment(shop.caller.environment):
        return Event.objects.count(), WebhookDelivery.objects.count(), WebhookAttempt.objects.count()


def delivered(shop) -> str:
    """An event that its endpoint confirmed."""
    event = shop.publish()
    shop.fan_out()
    for outgoing in shop.claim():
        shop.answer(outgoing, 200)
    return event


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_paper_says_what_the_table_says():
    assert rules.table() in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_table_says_how_long_each_tier_keeps():
    assert {name: rules.REQUEST_LOG.kept_by(tier).days for name, tier in tiers.TIERS.items()} == {
        "free": 7, "starter": 30, "growth": 30, "enterprise": 90,
    }  # fmt: skip
    assert {rules.EVENTS.kept_by(tier) for tier in tiers.TIERS.values()} == {timedelta(days=396)}


# --- events -----------------------------------------------------------------------------------------------------------


def test_events_go_after_thirteen_months_with_their_deliveries(shop):
    shop.endpoint()
    for by in (YEAR_AND_MORE + timedelta(minutes=1), YEAR_AND_MORE - timedelta(minutes=1)):
        kept = aged(shop, delivered(shop), by)
    assert counts(shop) == (2, 2, 2)
    assert retention.prune(shop.caller.environment, rules.EVENTS) == 1
    assert counts(shop) == (1, 1, 1)
    with use_environment(shop.caller.environment):
        assert ids.encode("evt", Event.objects.get().id) == kept
        assert WebhookDelivery.objects.get().event_id == Event.objects.get().id
        assert WebhookAttempt.objects.get().delivery_id == WebhookDelivery.objects.get().id


def test_an_event_that_is_still_to_be_delivered_stays(shop):
    """Whether its deliveries are made already or not, and although another endpoint has it."""
    shop.endpoint()
    waiting = aged(shop, delivered(shop), 2 * YEAR_AND_MORE)
    second = shop.endpoint()
    shop.run(webhook_resends.resend_event, event_id=waiting, endpoint_id=second.id)
    aged(shop, shop.publish(), 2 * YEAR_AND_MORE)
    before = counts(shop)
    assert retention.prune(shop.caller.environment, rules.EVENTS) == 0
    assert counts(shop) == before
    shop.fan_out()
    with use_environment(shop.caller.environment):
        WebhookDelivery.objects.update(state="succeeded")
    assert retention.prune(shop.caller.environment, rules.EVENTS) == 2
    assert counts(shop) == (0, 0, 0)


def test_events_go_in_batches_and_the_rest_with_the_next_run(shop, monkeypatch):
    for _ in range(5):
        aged(shop, delivered(shop), 2 * YEAR_AND_MORE)
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES_MAX", 2)
    assert [retention.prune(shop.caller.environment, rules.EVENTS) for _ in range(3)] == [4, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_sent_again_in_the_same_moment_is_sent_or_gone(shop, together):
    """Never a delivery whose event is missing, and never an event that goes although it is to be sent."""
    endpoint = shop.endpoint()
    seen = set()
    for _ in range(12):
        event = aged(shop, delivered(shop), 2 * YEAR_AND_MORE)

        def again(event=event):
            try:
                return shop.run(webhook_resends.resend_event, event_id=event, endpoint_id=endpoint.id).id
            except ResourceMissing:
                return None

        pruned, sent = together(lambda: retention.prune(shop.caller.environment, rules.EVENTS), again)
        assert (pruned, sent is None) in {(1, True), (0, False)}
        with use_environment(shop.caller.environment):
            orphans = set(WebhookDelivery.objects.values_list("event_id", flat=True))
            assert orphans <= set(Event.objects.values_list("id", flat=True))
            WebhookDelivery.objects.all().delete()
            Event.objects.all().delete()
        seen.add(pruned)
    assert seen <= {0, 1}


@pytest.mark.django_db(transaction=True)
def test_who_sends_again_waits_for_the_deletion_and_finds_nothing(shop, together):
    import threading

    endpoint = shop.endpoint()
    event = aged(shop, delivered(shop), 2 * YEAR_AND_MORE)
    locked, reads = threading.Event(), threading.Event()
    original = retention._lock

    def lock(kept, condition):
        found = original(kept, condition)
        locked.set()
        assert reads.wait(timeout=30)
        return found

    def send_again():
        assert locked.wait(timeout=30)
        with use_environment(shop.caller.environment):
            caller = shop.caller
            assert Event.objects.filter(pk=ids.decode("evt", event)).exists()
            reads.set()
            with pytest.raises(ResourceMissing):
                webhook_resends.resend_event(caller, event_id=event, endpoint_id=endpoint.id)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(retention, "_lock", lock)
        pruned, _ = together(lambda: retention.prune(shop.caller.environment, rules.EVENTS), send_again)
    assert (pruned, counts(shop)) == (1, (0, 0, 0))


# --- deliveries and attempts ------------------------------------------------------------------------------------------


def test_old_deliveries_go_and_waiting_ones_do_not(shop):
    shop.endpoint()
    delivered(shop)
    shop.publish()
    shop.fan_out()
    with time_machine.travel(clock.wall() + timedelta(days=91)):
        environment = shop.caller.environment
        assert retention.prune(environment, rules.WEBHOOK_ATTEMPTS) == 1
        assert retention.prune(environment, rules.WEBHOOK_DELIVERIES) == 1
    assert counts(shop) == (2, 1, 0)
    assert shop.delivery().state == "pending"


def test_an_old_delivery_that_was_sent_again_lately_stays_in_the_log(shop):
    endpoint = shop.endpoint()
    event = aged(shop, delivered(shop), timedelta(days=200))
    again = shop.run(webhook_resends.resend_event, event_id=event, endpoint_id=endpoint.id)
    (outgoing,) = shop.claim()
    shop.answer(outgoing, 200)
    environment = shop.caller.environment
    assert retention.prune(environment, rules.WEBHOOK_ATTEMPTS) == 1, "the first one"
    assert retention.prune(environment, rules.WEBHOOK_DELIVERIES) == 0
    with use_environment(environment):
        assert deliveries.get(shop.caller, again.id).status == "succeeded"


# --- logs, keys, and the ticks ----------------------------------------------------------------------------------------


def log_row(days: float, model=RequestLog, **more):
    given = {
        "id": id_at(clock.wall() - timedelta(days=days)), "created_at": clock.wall() - timedelta(days=days),
        "method": "GET", "path": "/v1", "status": 200, "duration_us": 1, "request_bytes": 0, "response_bytes": 0, **more,
    }  # fmt: skip
    if model is RequestLog:
        given |= {"account_id": ids.new(), "actor_kind": "api_key", "actor_id": "key_1"}
    return model.objects.create(**given)


def test_the_request_log_is_kept_as_long_as_the_tier_says(environment):
    days = tiers.of(environment).log_days
    with use_environment(environment):
        log_row(days + 0.01)
        kept = log_row(days - 0.01)
    assert retention.prune(environment, rules.REQUEST_LOG) == 1
    assert retention.prune(environment, rules.REQUEST_LOG) == 0
    with use_environment(environment):
        assert [row.id for row in RequestLog.objects.all()] == [kept.id]


def test_requests_of_nobody_go_after_a_week(db):
    log_row(7.01, PublicRequestLog)
    kept = log_row(6.99, PublicRequestLog)
    assert retention.prune_public() == 1
    assert [row.id for row in PublicRequestLog.objects.all()] == [kept.id]


@pytest.mark.django_db(transaction=True)
def test_ticks_visit_only_the_environments_that_have_something_to_forget(
    shop, environments, environment, worker, api, monkeypatch
):
    """Each tick queues a message for Acme's test environment and none for the three others; a second one for nobody."""
    shop.endpoint()
    aged(shop, delivered(shop), 2 * YEAR_AND_MORE)
    assert api.post("/v1/customers", {}, idempotency_key="old").status_code == 200
    books = Books(environment, shop.caller)
    with use_environment(environment):
        log_row(400)
        from connect.models import IdempotencyKey

        IdempotencyKey.objects.update(created_at=clock.wall() - timedelta(days=3))
    queued = []
    original = tasks.prune.delay

    def delay(environment_id, rule):
        queued.append((environment_id, rule))
        original(environment_id, rule)

    monkeypatch.setattr(tasks.prune, "delay", delay)
    ticks = (tasks.prune_request_logs, tasks.prune_idempotency_keys, tasks.prune_webhook_log, tasks.prune_events)
    assert [tick() for tick in ticks] == [1, 1, 2, 1]
    assert queued == [
        (str(environment.id), rule)
        for rule in ("request_log", "idempotency_keys", "webhook_attempts", "webhook_deliveries", "events")
    ]
    assert counts(shop)[1:] == (0, 0)
    with books.unchanged():
        assert [tick() for tick in ticks] == [0, 0, 0, 0]
