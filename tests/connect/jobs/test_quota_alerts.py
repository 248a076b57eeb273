"""A month that runs out is told of: once for each share, by mail and by an event, whatever dies or comes twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail

from connect.domain import tiers
from connect.kit import clock, valkey
from connect.kit.tenancy import use_environment
from connect.models import Environment, Event, Membership, Organization, UsageHour, User
from connect.services import quota_alerts

QUOTA = 1_000


@pytest.fixture
def live(environments, monkeypatch):
    """Acme's live environment in a tier with a thousand requests a month, and one person of every role."""
    small = replace(tiers.TIERS["free"], monthly_quota=QUOTA)
    monkeypatch.setattr(tiers, "TIERS", {**tiers.TIERS, "free": small})
    Organization.objects.filter(slug="acme").update(tier="free")
    acme = Organization.objects.get(slug="acme")
    for role in ("admin", "developer", "analyst", "support"):
        person = User.objects.create_user(f"{role}@acme.example", "a password nobody types")
        Membership.objects.create(organization=acme, user=person, role=role)
    return replace(environments["acme/live"], tier="free")


def use(environment, requests, *, limited=0):
    with use_environment(environment):
        UsageHour.objects.create(
            hour=clock.wall().replace(minute=0, second=0, microsecond=0), method="GET", route=f"r{requests}", actor_id="key_a",
            status_class=2, requests=requests, limited=limited, duration_us=1, latency=[requests] + [0] * 10,
        )  # fmt: skip


def told(environment):
    with use_environment(environment):
        return list(Event.objects.filter(type="usage.quota_alert").order_by("id").values_list("payload", flat=True))


def row(environment):
    found = Environment.objects.get(pk=environment.id)
    return found.quota_alert_month, found.quota_alert_share


def test_nothing_is_told_below_the_first_share(live):
    use(live, 799)
    assert quota_alerts.send(live) == 0
    assert (mail.outbox, told(live), row(live)) == ([], [], ("", 0))


def test_what_a_limit_refused_does_not_count(live):
    use(live, 900, limited=101)
    assert quota_alerts.send(live) == 0


def test_owners_and_admins_are_told_once_for_each_share(live):
    use(live, 800)
    assert [quota_alerts.send(live) for _ in range(3)] == [1, 0, 0]
    (message,) = mail.outbox
    assert sorted(message.bcc) == ["admin@acme.example", "owner@acme.example"]
    assert "Acme has used 80 % of this month's requests" in message.subject
    assert "800 of the 1,000 requests" in message.body
    assert "refused with quota_exceeded" in message.body, "the free tier is a hard one"
    use(live, 200)
    assert [quota_alerts.send(live) for _ in range(3)] == [1, 0, 0]
    month = f"{clock.wall():%Y-%m}"
    assert told(live) == [
        {"object": "usage", "livemode": True, "month": month, "percent": share, "quota": QUOTA, "requests": used}
        for share, used in ((80, 800), (100, 1000))
    ]
    assert row(live) == (month, 100)


def test_a_name_cannot_break_the_mail(live):
    Organization.objects.filter(slug="acme").update(name="Acme\nBcc: victim@example.com")
    use(live, 800)
    assert quota_alerts.send(live) == 1
    assert "Acme Bcc: victim@example.com has used" in mail.outbox[0].subject


def test_a_leap_over_both_shares_tells_of_the_last(live):
    use(live, 5_000)
    assert quota_alerts.send(live) == 1
    assert [event["percent"] for event in told(live)] == [100]
    assert len(mail.outbox) == 1


def test_a_new_month_begins_anew(live):
    Environment.objects.filter(pk=live.id).update(quota_alert_month="2020-01", quota_alert_share=100)
    use(live, 800)
    assert quota_alerts.send(live) == 1
    assert row(live) == (f"{clock.wall():%Y-%m}", 80)


def test_a_mail_server_that_is_away_costs_time_and_no_second_event(live, monkeypatch):
    use(live, 800)
    with monkeypatch.context() as away:

        def broken(self, fail_silently=False):
            raise ConnectionRefusedError

        away.setattr("django.core.mail.EmailMessage.send", broken)
        assert quota_alerts.send(live) == 0
    assert quota_alerts.send(live) == 0, "its lease is still on"
    valkey.client().flushdb()  # as if the lease had ended
    assert quota_alerts.send(live) == 1
    assert (len(mail.outbox), len(told(live))) == (1, 1)


def test_two_messages_at_the_same_time_send_one_mail(live, monkeypatch):
    """The second comes while the first is with the mail server."""
    use(live, 800)
    original = quota_alerts._message

    def meanwhile(*given, **named):
        monkeypatch.setattr(quota_alerts, "_message", original)
        assert quota_alerts.send(live) == 0
        return original(*given, **named)

    monkeypatch.setattr(quota_alerts, "_message", meanwhile)
    assert quota_alerts.send(live) == 1
    assert (len(mail.outbox), len(told(live))) == (1, 1)


def test_test_mode_has_no_quota(environment, live):
    use(environment, 5_000)
    assert quota_alerts.send(environment) == 0
    assert told(environment) == []


@pytest.mark.django_db(transaction=True)
def test_the_tick_finds_who_is_to_be_told_and_nobody_else(worker, live, environment):
    use(environment, 5_000)
    use(live, 799)
    assert worker.tasks["connect.watch_quotas"]() == 0
    use(live, 1)
    assert worker.tasks["connect.watch_quotas"]() == 1
    assert len(mail.outbox) == 1
    assert worker.tasks["connect.watch_quotas"]() == 0, "it was told"
    use(live, 200)
    assert worker.tasks["connect.watch_quotas"]() == 1
    assert [event["percent"] for event in told(live)] == [80, 100]
