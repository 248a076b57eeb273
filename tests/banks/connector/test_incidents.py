"""Banks that fail: noticed, told to everybody connected, asked again, and well again within one pause."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.conf import settings

from banks.clients.connector import ABSENT, BadResponse, ConnectorError, InstitutionDown
from banks.domain.profiles import Operation
from banks.models import Connection, InstitutionHealth, InstitutionIncident
from banks.selectors import institution_health as reads
from banks.services import bank_calls, incidents, institution_health
from banks.tasks import prune_health, watch_health
from connect.kit import clock
from connect.kit.caller import PLATFORM_ACCOUNT
from connect.kit.tenancy import use_environment
from connect.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def time(monkeypatch):
    """`time(60)` moves the wall clock on by a minute; it begins with a window."""
    now = [institution_health.window(clock.wall())]
    monkeypatch.setattr(clock, "wall", lambda: now[0])

    def move(seconds):
        now[0] += timedelta(seconds=seconds)
        return now[0]

    return move


@pytest.fixture
def call(sandbox, fake):
    """One unattended read of the bank: True when it answered."""

    def read():
        try:
            bank_calls.ask(
                sandbox, Operation.TRANSACTIONS,
                lambda connector, bank: connector.payment_state(bank, {"payment_id": "p"}, ABSENT, deadline_seconds=5),
                deadline_seconds=5, present=False,
            )  # fmt: skip
        except ConnectorError:
            return False
        return True

    fake.payments["p"] = type("Order", (), {"bank_status": "RCVD", "reason": None})()
    return read


@pytest.fixture
def connect_to(sandbox):
    """`connect_to(environment, status)` writes a connection to the sandbox bank."""

    def write(environment, status="active", account=PLATFORM_ACCOUNT):
        with use_environment(environment):
            Connection.objects.create(
                account_id=account, institution_id=sandbox.id, connector="berlin_group", status=status,
                history_days=90, consented_at=clock.wall(), created_at=clock.wall(), consent_until=date(2027, 1, 1),
            )  # fmt: skip

    return write


def told(environment):
    with use_environment(environment):
        found = Event.objects.filter(type="banking.institution.status_changed").order_by("id")
        return [event.payload["status"] for event in found]


def running():
    return InstitutionIncident.objects.filter(ended_at=None)


def test_a_healthy_bank_has_no_incident(sandbox, call, time):
    for _ in range(20):
        assert call()
    assert watch_health() == 0
    assert not InstitutionIncident.objects.exists()
    assert reads.statuses([sandbox.id])[sandbox.id] == "healthy"


def test_an_outage_is_told_once_and_its_end_once_to_whom_it_concerns(
    sandbox, fake, call, time, connect_to, environments
):
    acme, other = environments["acme/test"], environments["other/test"]
    connect_to(acme)
    connect_to(other, "removed")
    call()
    fake.is_down = True
    for _ in range(5):
        call()
    assert [watch_health(), watch_health()] == [1, 0]
    assert running().get().status == "down"
    assert (told(acme), told(other)) == (["down"], [])
    fake.is_down = False
    time(59)
    assert watch_health() == 0, "the pause is not over"
    time(1)
    assert watch_health() == 1
    assert not running().exists()
    assert told(acme) == ["down", "healthy"]
    assert call()
    assert fake.count("probe") == 1


def test_each_account_of_an_environment_is_told(sandbox, fake, call, time, connect_to, environments):
    from connect.kit import ids

    acme, shop = environments["acme/test"], ids.new()
    connect_to(acme)
    connect_to(acme, "login_required", shop)
    fake.is_down = True
    for _ in range(5):
        call()
    watch_health()
    with use_environment(acme):
        found = Event.objects.filter(type="banking.institution.status_changed")
        assert set(found.values_list("account_id", flat=True)) == {PLATFORM_ACCOUNT, shop}


def test_a_bank_down_for_an_hour_is_hardly_called_and_seen_well_within_one_pause(sandbox, fake, call, time):
    """200 connections are due every minute; the watch runs every half minute."""
    fake.is_down = True
    for tick in range(120):
        watch_health()
        if tick % 2 == 0:
            for _ in range(200):
                call()
        time(30)
    assert fake.count() <= 12, "five until it opened, then one for each pause"
    assert running().get().began_at <= clock.wall() - timedelta(minutes=59)
    fake.is_down = False
    before = fake.count()
    waited = 0
    while running().exists():
        time(30)
        waited += 30
        watch_health()
    assert waited <= 1800
    assert fake.count() - before == 1
    assert call()


def test_malformed_answers_are_degraded_or_down_without_a_breaker(sandbox, fake, call, time):
    fake.will("payment_state", *[BadResponse(http_status=200)] * 2, *[None] * 8)
    for _ in range(10):
        call()
    watch_health()
    assert running().get().status == "degraded"
    fake.will("payment_state", *[BadResponse(http_status=200)] * 10)
    for _ in range(10):
        call()
    assert watch_health() == 1
    assert running().get().status == "down"
    time(900)
    call()
    assert watch_health() == 1
    assert not running().exists()
    assert InstitutionIncident.objects.count() == 1, "one incident, first degraded, then down"


def test_what_was_not_told_is_told_by_the_next_run(sandbox, fake, call, time, connect_to, environments, monkeypatch):
    acme = environments["acme/test"]
    connect_to(acme)
    fake.is_down = True
    for _ in range(5):
        call()
    with monkeypatch.context() as broken:
        broken.setattr(incidents, "_tell", lambda *_: 1 / 0)
        watch_health()
    assert told(acme) == []
    watch_health()
    assert told(acme) == ["down"]


def test_an_environment_that_cannot_be_told_keeps_it_from_no_other_and_repeats_nothing(
    sandbox, fake, call, time, connect_to, environments, monkeypatch
):
    acme, other = environments["acme/test"], environments["other/test"]
    connect_to(acme)
    connect_to(other)
    fake.is_down = True
    for _ in range(5):
        call()
    tell = incidents._tell
    monkeypatch.setattr(incidents, "_tell", lambda found, row: 1 / 0 if found == acme else tell(found, row))
    for _ in range(3):
        watch_health()
    assert (told(acme), told(other)) == ([], ["down"])


def test_a_run_in_which_no_bank_answers_ends_before_the_next_one_begins():
    tick = next(tick for tick in settings.CELERY_BEAT_SCHEDULE.values() if tick["task"] == watch_health.name)
    assert tick["schedule"] > incidents.PROBES_MAX * incidents.PROBE_SECONDS


def test_a_probe_that_fails_doubles_the_pause(sandbox, fake, call, time):
    fake.is_down = True
    for _ in range(5):
        call()
    for pause in (60, 120, 240):
        time(pause - 1)
        watch_health()
        probes = fake.count("probe")
        time(1)
        watch_health()
        assert fake.count("probe") == probes + 1
    with pytest.raises(InstitutionDown) as refused:
        bank_calls.ask(sandbox, Operation.TRANSACTIONS, lambda *_: None, deadline_seconds=5, present=True)
    assert refused.value.retry_after_seconds == 480


def test_old_figures_go_and_incidents_stay(sandbox, fake, call, time):
    call()
    InstitutionIncident.objects.create(id=sandbox.id, institution_id=sandbox.id, status="down",
                                       began_at=datetime.fromtimestamp(0, clock.wall().tzinfo), ended_at=clock.wall(),
                                       announced_at=clock.wall())  # fmt: skip
    time(29 * 86_400)
    call()
    assert prune_health() == 0
    time(2 * 86_400)
    assert prune_health() == 1
    assert InstitutionHealth.objects.count() == 1
    assert InstitutionIncident.objects.count() == 1
