"""Home: the list that turns green as calls arrive, the figures beneath it, and what each role sees of them."""

from __future__ import annotations

import html
import re
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from banks.domain import institution_ids
from banks.models import InstitutionIncident
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from connect.models import ApiKey, Event, InboxMessage, UsageHour, WebhookDelivery, WebhookEndpoint
from connect.services import request_log_drain, request_logs, webhook_inbox
from tests.banks import rows as bank_rows

PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
ONCE = {"idempotency_key": "0123456789abcdef" * 2}
HTMX = {"HX-Request": "true", "HX-Target": "first-steps"}
OTHER = {"idempotency_key": "fedcba9876543210" * 2}


def address(name="home", mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def done(answer):
    return {step.name: step.is_done for step in answer.context["first_run"].steps}


@pytest.fixture
def keyless(environment):
    """Acme's test environment before anybody made a key."""
    ApiKey.objects.filter(environment_id=environment.id).update(revoked_at=clock.wall())


def arrive(environment):
    """An event that was delivered to the inbox."""
    with use_environment(environment):
        event = Event.objects.values_list("id", flat=True).first()
        endpoint = WebhookEndpoint.objects.values_list("id", flat=True).get()
        WebhookDelivery.objects.create(event_id=event, endpoint_id=endpoint, state="succeeded", created_at=clock.wall())
        InboxMessage.objects.create(received_at=clock.wall(), headers={}, verdict="valid")


# --- the list ---------------------------------------------------------------------------------------------------------


def test_it_turns_green_as_things_are_done(pages, api, environment, keyless):
    """From nothing to a payment that can be followed, each step by what really happened."""
    steps = ("key", "request", "payment", "endpoint", "event", "bank", "money")
    answer = pages.get(address())
    assert done(answer) == dict.fromkeys(steps, False)
    assert answer.context["first_run"].next == "key"

    made = pages.post(address("first_key"), ONCE)
    secret = made.context["secret"]
    assert done(made)["key"]
    api.headers["authorization"] = f"Bearer {secret}"
    assert api.get("/v1/balance").status_code == 200
    request_logs.buffer.flush()
    request_log_drain.drain()
    assert done(pages.get(address())) == dict.fromkeys(steps, False) | {"key": True, "request": True}

    api.post("/v1/payment_intents", PAID)
    answer = pages.get(address())
    assert done(answer)["payment"]
    assert (answer.context["first_run"].next, done(answer)["money"]) == ("endpoint", False)

    assert pages.post(address("first_endpoint"), OTHER).status_code == 302
    assert done(pages.get(address()))["endpoint"]
    arrive(environment)
    answer = pages.get(address())
    assert [name for name, is_done in done(answer).items() if not is_done] == ["bank"]
    assert not answer.context["first_run"].is_urgent, "what is left is folded away: not everybody links banks"

    with use_environment(environment):
        bank_rows.connection()
    answer = pages.get(address())
    assert not answer.context["first_run"].is_open
    assert "Start here" not in text_of(answer)


def test_one_click_makes_one_key_and_shows_it_in_the_commands(pages, keyless, environment):
    """Sent twice, as by a double click, the form answers twice with the same secret."""
    answers = [pages.post(address("first_key"), ONCE) for _ in range(2)]
    secret = answers[0].context["secret"]
    assert [answer.context["secret"] for answer in answers] == [secret, secret]
    page = text_of(answers[0])
    assert f'-u "{secret}:"' in page
    assert "$FC_SECRET_KEY" not in page
    assert ApiKey.objects.filter(environment_id=environment.id, revoked_at=None).count() == 1
    again = text_of(pages.get(address()))
    assert secret not in again
    assert '-u "$FC_SECRET_KEY:"' in again
    assert "FC_SECRET_KEY stands for your secret key" in again


def test_the_commands_keep_the_secret_while_the_list_is_drawn_anew(pages, keyless):
    """htmx leaves what is marked so in its place: the secret is on no later answer of ours."""
    page = text_of(pages.post(address("first_key"), ONCE))
    fresh = text_of(pages.get(address("first_steps"), headers=HTMX))
    for name in ("request", "payment"):
        assert f'<div id="code-{name}" hx-preserve>' in page
        assert f'<div id="code-{name}" hx-preserve>' in fresh


def test_a_live_key_is_not_made_by_one_click(pages, environments):
    live = environments["acme/live"]
    before = ApiKey.objects.filter(environment_id=live.id).count()
    assert pages.post(address("first_key", "live"), ONCE).status_code == 404
    assert pages.post(address("first_endpoint", "live"), ONCE).status_code == 404
    assert ApiKey.objects.filter(environment_id=live.id).count() == before


def test_a_form_without_its_key_makes_nothing(pages, keyless, environment):
    assert pages.post(address("first_key"), {}).status_code == 302
    assert not ApiKey.objects.filter(environment_id=environment.id, revoked_at=None).exists()


def test_the_inbox_is_connected_to_every_event(pages, environment):
    for _ in range(2):
        assert pages.post(address("first_endpoint"), OTHER).status_code == 302
    with use_environment(environment):
        (row,) = WebhookEndpoint.objects.all()
    assert (row.url, row.enabled_events) == (webhook_inbox.address(environment), ["*"])


def test_the_list_asks_again_and_nothing_moves_until_something_was_done(pages, api, environment):
    page = text_of(pages.get(address()))
    asked = re.search(r'hx-get="([^"]+)" hx-trigger="every 4s"', page)[1]
    quiet = pages.get(asked, headers=HTMX)
    assert (quiet.status_code, quiet.content) == (204, b"")
    api.post("/v1/payment_intents", PAID)
    changed = text_of(pages.get(asked, headers=HTMX))
    assert changed.lstrip().startswith("<section")
    assert 'hx-swap-oob="innerHTML">First steps: 2 of 7 done' in changed
    assert "hx-trigger" in changed


def test_the_lists_address_is_the_home_page_for_a_person(pages):
    assert "<h1>Acme</h1>" in text_of(pages.get(address("first_steps"), {"seen": "1000000"}))


def test_a_list_that_is_done_asks_no_more(pages, api, environment):
    api.post("/v1/payment_intents", PAID)
    request_logs.buffer.flush()
    request_log_drain.drain()
    pages.post(address("first_endpoint"), OTHER)
    arrive(environment)
    with use_environment(environment):
        bank_rows.connection()
    answer = text_of(pages.get(address("first_steps"), {"seen": "1111110"}, headers=HTMX))
    assert "7 of 7 done" in answer
    assert "hx-trigger" not in answer


def test_a_customer_who_is_done_at_the_bank_waits_for_the_exchange(pages, environment, caller):
    from datetime import timedelta

    from banks.models import LinkSession
    from banks.services import link_sessions

    with use_environment(environment):
        made = link_sessions.create(caller)
        LinkSession.objects.filter(pk=ids.decode("lks", made.id)).update(
            public_token_hash=b"x" * 32, public_token_expires_at=clock.wall() + timedelta(minutes=9)
        )
    page = text_of(pages.get(address()))
    assert f"/v1/banking/link_sessions/{made.id}" in page
    assert '-d public_token="$TOKEN"' in page


def test_live_mode_has_no_sandbox_steps(pages):
    answer = pages.get(address(mode="live"))
    assert list(done(answer)) == ["key", "request", "payment", "endpoint", "money"]
    assert "Break something" not in text_of(answer)


@pytest.mark.parametrize(("role", "steps"), [
    ("developer", ["key", "request", "payment", "endpoint", "event", "bank", "money"]),
    ("analyst", ["payment", "money"]), ("support", ["payment", "money"]),
])  # fmt: skip
def test_a_role_sees_the_steps_it_can_take(pages_as, role, steps):
    assert list(done(pages_as(role).get(address()))) == steps


# --- figures ----------------------------------------------------------------------------------------------------------


def test_volume_is_what_was_taken_in_each_currency(pages, api):
    api.post("/v1/payment_intents", PAID)
    api.post("/v1/payment_intents", {**PAID, "amount": 1000})
    api.post("/v1/payment_intents", {**PAID, "amount": 90000, "currency": "mkd"})
    api.post("/v1/payment_intents", {**PAID, "payment_method": "pm_card_chargeDeclined"})
    api.post("/v1/payment_intents", {**PAID, "capture_method": "manual"})
    for period in ("24h", "7d", "30d"):
        shown = pages.get(address(), {"period": period}).context["charts"]
        assert (shown["currency"], shown["currencies"]) == ("eur", ["eur", "mkd"])
        assert (sum(shown["volume"].series[0].values), shown["volume_count"]) == (3500, 2), period
        assert shown["volume"].series[0].values[-1] == 3500
    other = pages.get(address(), {"currency": "mkd"}).context["charts"]
    assert other["volume"].total.replace("\u00a0", " ") == "900.00 MKD"


@pytest.mark.parametrize("period", ["24h", "7d"])
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Europe/Skopje", "America/St_Johns"])
def test_nothing_falls_between_the_hours_and_days_of_a_time_zone(api, environment, caller, period, zone):
    """Also where the zone is half an hour off."""
    from connect.selectors import activity
    from dashboard import periods
    from payments.selectors import volume

    api.post("/v1/payment_intents", PAID)
    with use_environment(environment), timezone.override(ZoneInfo(zone)):
        UsageHour.objects.create(
            hour=clock.wall().replace(minute=0, second=0, microsecond=0), method="GET", route="r", actor_id="key_a",
            status_class=2, requests=3, limited=0, duration_us=1, latency=[3] + [0] * 10,
        )  # fmt: skip
        known = periods.of(period)
        cut = {"unit": known.unit, "zone": known.zone_name}
        asked = activity.by_time(caller, known.since, known.until, **cut).requests
        taken = volume.by_time(caller, known.since, known.until, **cut)["eur"]
    assert [asked[start].requests for start in known.starts if start in asked] == [3]
    assert [taken[start].taken_minor for start in known.starts if start in taken] == [2500]


def test_volume_lives_by_the_environments_clock(pages, api):
    """A year ahead, today's payments are today's."""
    ahead = clock.unix(clock.wall()) + 365 * 86400
    api.post("/v1/test_helpers/test_clocks", {"frozen_time": ahead, "applies_to": "environment"})
    api.post("/v1/payment_intents", PAID)
    shown = pages.get(address()).context["charts"]["volume"]
    assert shown.series[0].values[-1] == 2500


def test_requests_and_deliveries_are_drawn_with_what_failed(pages, api, environment):
    api.post("/v1/payment_intents", PAID)
    pages.post(address("first_endpoint"), OTHER)
    with use_environment(environment):
        UsageHour.objects.create(
            hour=clock.wall().replace(minute=0, second=0, microsecond=0), method="GET", route="r", actor_id="key_a",
            status_class=5, requests=3, limited=0, duration_us=1, latency=[3] + [0] * 10,
        )  # fmt: skip
        endpoint = WebhookEndpoint.objects.get().id
        for state, event in zip(("succeeded", "failed"), Event.objects.order_by("id")[:2], strict=True):
            WebhookDelivery.objects.create(
                event_id=event.id, endpoint_id=endpoint, state=state, created_at=clock.wall()
            )
    shown = pages.get(address()).context["charts"]
    assert [sum(series.values) for series in shown["requests"].series] == [0, 0, 3]
    assert [sum(series.values) for series in shown["deliveries"].series] == [1, 0, 1]
    assert text_of(pages.get(address())).count('role="img"') == 3


def test_an_empty_home_says_so_instead_of_drawing(pages):
    page = text_of(pages.get(address()))
    for text in (
        "No payment succeeded in this time.",
        "Nothing was asked in this time.",
        "Nothing was sent in this time.",
    ):
        assert text in page
    assert 'role="img"' not in page


def test_the_period_is_in_the_address(pages):
    page = text_of(pages.get(address(), {"period": "30d"}))
    assert '<a href="?period=30d" aria-current="page">30 days</a>' in page
    assert '<a href="?period=24h">24 hours</a>' in page


def test_banks_in_trouble_are_named(pages):
    bank = institution_ids.of_slug("sandbox-bank")
    assert "No bank is in trouble now." in text_of(pages.get(address()))
    made = InstitutionIncident.objects.create(id=ids.new(), institution_id=bank, status="down", began_at=clock.wall())
    page = text_of(pages.get(address()))
    assert "Sandbox Bank" in page
    assert "No bank is in trouble now." not in page
    InstitutionIncident.objects.filter(pk=made.pk).update(ended_at=clock.wall())
    assert "No bank is in trouble now." in text_of(pages.get(address()))


@pytest.mark.parametrize(("role", "charts"), [
    ("owner", {"volume", "requests", "deliveries"}), ("developer", {"volume", "requests", "deliveries"}),
    ("analyst", {"volume", "requests"}), ("support", {"requests"}),
])  # fmt: skip
def test_a_role_sees_the_figures_it_may_read(pages_as, role, charts):
    shown = pages_as(role).get(address()).context["charts"]
    assert {name for name in ("volume", "requests", "deliveries") if name in shown} == charts
