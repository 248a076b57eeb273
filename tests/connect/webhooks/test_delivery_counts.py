"""The counts of deliveries: whatever happens to deliveries, they are what counting them would give."""

from __future__ import annotations

import importlib
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from connect.domain import retention as rules
from connect.domain.webhook_deliveries import Answer
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from connect.models import WebhookDelivery, WebhookDeliveryCount, WebhookEndpoint
from connect.selectors import activity
from connect.services import retention, webhook_counts, webhook_deliveries, webhook_endpoints, webhook_resends
from connect.tasks import add_up_webhook_counts, find_loose_webhook_counts

STATES = ("pending", "succeeded", "failed", "canceled")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
MIGRATION = importlib.import_module("connect.tenant.migrations.0006_webhook_delivery_counts")


def shown(caller, zone="UTC"):
    """Deliveries by the beginning of their day, as pages get them."""
    with use_environment(caller.environment):
        until = clock.wall() + timedelta(minutes=1)
        found = activity.by_time(caller, BEGAN, until, unit="day", zone=zone).deliveries
    return {at: dict(states) for at, states in found.items()}


def counted(caller, zone="UTC"):
    """The same, by looking at every delivery."""
    found: dict[datetime, Counter[str]] = {}
    with use_environment(caller.environment):
        own = WebhookEndpoint.objects.filter(account_id=caller.account).values("id")
        for created_at, state in WebhookDelivery.objects.filter(endpoint_id__in=own).values_list("created_at", "state"):
            day = created_at.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
            found.setdefault(day, Counter())[state] += 1
    return {at: dict(states) for at, states in found.items()}


def rows(shop):
    """How many rows hold the counts: totals, and changes that are in none."""
    with use_environment(shop.caller.environment):
        found = Counter(WebhookDeliveryCount.objects.values_list("is_total", flat=True))
    return found[True], found[False]


def add_up(shop):
    return webhook_counts.add_up(shop.caller)


# --- the everyday way -------------------------------------------------------------------------------------------------


def test_every_step_of_a_delivery_is_counted_at_once(shop):
    """In its transaction: no job has run, and the counts of today are exact."""

    def today():
        (states,) = shown(shop.caller).values() or [{}]
        assert shown(shop.caller) == counted(shop.caller)
        return states

    endpoint = shop.endpoint()
    assert shown(shop.caller) == {}
    for _ in range(4):
        shop.publish()
    shop.fan_out()
    assert today() == {"pending": 4}
    first, second, third, fourth = shop.claim()
    assert today() == {"pending": 4}
    shop.answer(first, 200)
    shop.answer(second, 500)
    assert today() == {"pending": 3, "succeeded": 1}
    shop.answer(third, 410)  # gone: the endpoint is disabled, and what waited for it is given up
    assert today() == {"failed": 1, "canceled": 2, "succeeded": 1}
    shop.answer(fourth, 200)  # late, but it arrived
    assert today() == {"failed": 1, "canceled": 1, "succeeded": 2}
    shop.run(webhook_endpoints.update, endpoint_id=endpoint.id, disabled=False)
    shop.run(webhook_resends.resend, delivery_id=ids.encode("whd", third.delivery_id))
    assert today() == {"pending": 1, "canceled": 1, "succeeded": 2}


def test_a_claim_writes_nothing(shop):
    """It changes no state: what the dispatcher does most must not leave rows to be added up."""
    shop.endpoint()
    shop.publish()
    shop.fan_out()
    before = rows(shop)
    (taken,) = shop.claim()
    shop.run(webhook_deliveries.give_back, [taken])
    assert rows(shop) == before == (0, 1)


def test_what_is_rolled_back_was_never_counted(shop):
    shop.endpoint()
    shop.publish()
    shop.fan_out()
    (taken,) = shop.claim()

    def fail(caller):
        webhook_deliveries.record(caller, [Answer(taken.delivery_id, taken.number, 200, 5)])
        raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError):
        shop.run(fail)
    assert list(shown(shop.caller).values()) == [{"pending": 1}]


def test_a_delivery_that_is_forgotten_is_counted_no_more(shop):
    shop.endpoint()
    shop.publish()
    shop.fan_out()
    for outgoing in shop.claim():
        shop.answer(outgoing, 200)
    long_ago = clock.wall() - timedelta(days=100)
    with use_environment(shop.caller.environment):
        WebhookDelivery.objects.update(id=ids.first_at(long_ago), created_at=long_ago, finished_at=long_ago)
    assert shown(shop.caller) == counted(shop.caller) != {}
    assert retention.prune(shop.caller.environment, rules.WEBHOOK_DELIVERIES) == 1
    assert shown(shop.caller) == {}
    assert add_up(shop) > 0
    assert rows(shop) == (0, 0)


# --- adding up --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_tick_adds_up_what_is_loose_and_the_next_finds_nothing(shop, monkeypatch):
    monkeypatch.setattr(add_up_webhook_counts, "delay", add_up_webhook_counts)
    shop.endpoint()
    for _ in range(3):
        shop.publish()
        shop.fan_out()
    for outgoing in shop.claim():
        shop.answer(outgoing, 200)
    before, (totals, loose) = shown(shop.caller), rows(shop)
    assert (totals, loose >= 5) == (0, True)
    assert find_loose_webhook_counts() == 1
    assert find_loose_webhook_counts() == 0
    assert rows(shop)[0] in (1, 2), "a quarter of an hour may end meanwhile"
    assert rows(shop)[1] == 0
    assert shown(shop.caller) == before == counted(shop.caller)


def test_totals_go_on_from_where_they_were_a_batch_at_a_time(shop, monkeypatch):
    monkeypatch.setattr(webhook_counts, "BATCH", 2)
    shop.endpoint()
    for _ in range(2):
        for _ in range(3):
            shop.publish()
            shop.fan_out()
        assert add_up(shop) == 3
        assert shown(shop.caller) == counted(shop.caller)
    assert rows(shop)[1] == 0


@pytest.mark.django_db(transaction=True)
def test_those_who_add_up_at_once_lose_nothing(shop, together):
    shop.endpoint()
    for _ in range(20):
        shop.publish()
        shop.fan_out()
    assert sum(together(*[lambda: add_up(shop)] * 4)) == 20
    assert rows(shop)[1] == 0
    assert shown(shop.caller) == counted(shop.caller)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_to_deliveries_the_counts_are_right(shop, seed):
    """Two accounts, three endpoints, months of quarters; many made, changed and deleted by each statement."""
    chance = random.Random(seed)
    own = [ids.decode("we", shop.endpoint().id) for _ in range(2)]
    stranger = ids.new()
    with use_environment(shop.caller.environment):
        WebhookEndpoint.objects.create(
            id=stranger, account_id=ids.new(), url="https://else.example", enabled_events=["*"], enabled_after=ids.new(),
            created_at=BEGAN,
        )  # fmt: skip

    def moment():
        return BEGAN + timedelta(seconds=chance.randrange(90 * 86400))

    for _ in range(40):
        with use_environment(shop.caller.environment):
            known = list(WebhookDelivery.objects.order_by("id").values_list("id", flat=True))
            some = chance.sample(known, min(len(known), 7))
            kind = chance.choice(("make", "make", "state", "time", "endpoint", "delete"))
            if kind == "make":
                WebhookDelivery.objects.bulk_create(
                    WebhookDelivery(event_id=ids.new(), endpoint_id=chance.choice([*own, stranger]),
                                    state=chance.choice(STATES), created_at=moment())
                    for _ in range(chance.randrange(12))
                )  # fmt: skip
            elif kind == "delete":
                WebhookDelivery.objects.filter(pk__in=some[:3]).delete()
            else:
                changed = {"state": chance.choice(STATES), "created_at": moment(), "endpoint_id": chance.choice(own)}
                column = {"state": "state", "time": "created_at", "endpoint": "endpoint_id"}[kind]
                WebhookDelivery.objects.filter(pk__in=some).update(**{column: changed[column]})
        if chance.random() < 0.3:
            add_up(shop)
        zone = chance.choice(("UTC", "Asia/Kathmandu", "Europe/Skopje"))
        assert shown(shop.caller, zone) == counted(shop.caller, zone), (seed, kind, zone)
    assert counted(shop.caller)


# --- what it is for ---------------------------------------------------------------------------------------------------


def test_what_was_there_before_the_counts_is_counted_by_the_migration(shop):
    shop.endpoint()
    for status in (200, 410):
        shop.publish()
        shop.fan_out()
        for outgoing in shop.claim():
            shop.answer(outgoing, status)
    before = shown(shop.caller)
    with use_environment(shop.caller.environment), connection.cursor() as cursor:
        WebhookDeliveryCount.objects.all().delete()
        cursor.execute(MIGRATION.count(f"{MIGRATION.ADDED} connect_webhook_delivery", is_total=True))
    assert shown(shop.caller) == before == counted(shop.caller)
    assert rows(shop)[1] == 0


def test_a_chart_reads_counts_and_no_delivery(shop, django_assert_num_queries):
    """So that a page costs the same however many there were."""
    shop.endpoint()
    with use_environment(shop.caller.environment):
        since = clock.wall() - timedelta(days=30)
        with django_assert_num_queries(1) as captured:
            activity.by_time(shop.caller, since, clock.wall(), unit="day", zone="Europe/Skopje")
        (asked,) = captured.captured_queries
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # in an empty table, reading all of it is cheap
            cursor.execute(f"EXPLAIN {asked['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "connect_webhook_count_time" in plan
    assert "on connect_webhook_delivery " not in plan
