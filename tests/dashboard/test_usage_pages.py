"""Usage in the dashboard: the figures of the roll-ups, cut four ways, as a table, a chart and a file."""

from __future__ import annotations

import csv
import html
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from connect.domain import tiers
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from connect.models import ApiClient, Organization, UsageHour
from connect.services import api_keys

FAST, SLOW = [1] + [0] * 10, [0] * 8 + [1, 0, 0]


def address(name="usage", mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def use(
    environment,
    *,
    requests=1,
    at=None,
    method="GET",
    route="v1/balance",
    actor="key_a",
    status_class=2,
    latency=None,
    limited=0,
):
    """One row of the roll-up."""
    with use_environment(environment):
        UsageHour.objects.create(
            hour=(at or clock.wall()).replace(minute=0, second=0, microsecond=0), method=method, route=route, actor_id=actor,
            status_class=status_class, requests=requests, limited=limited, duration_us=3_000 * requests,
            latency=[requests * share for share in (latency or FAST)],
        )  # fmt: skip


@pytest.fixture
def used(environment, caller):
    """Two keys' names, an app, three endpoints, good and bad; and one hour that is a year old."""
    key = api_keys.create(caller, name="The shop", scopes=["*"])[0].id
    app = ApiClient.objects.create(
        name="Books by Ana", organization=Organization.objects.get(slug="other"), client_id="books",
        client_type="confidential", authorization_grant_type="authorization-code",
    )  # fmt: skip
    use(environment, requests=90, actor=key)
    use(environment, requests=6, actor=key, method="POST", route="v1/payment_intents", status_class=4)
    use(environment, requests=4, actor=app.client_id, route="v1/customers", status_class=5, latency=SLOW)
    use(environment, requests=7, actor=key, at=clock.wall() - timedelta(days=365))
    return key


def lines(answer):
    return [
        (line.label, line.total.requests, line.total.refused, line.total.errors) for line in answer.context["lines"]
    ]


def test_by_endpoint_with_the_most_used_first(pages, used):
    answer = pages.get(address())
    assert lines(answer) == [
        ("GET v1/balance", 90, 0, 0), ("POST v1/payment_intents", 6, 6, 0), ("GET v1/customers", 4, 0, 4),
    ]  # fmt: skip
    total = answer.context["total"]
    assert (total.requests, total.refused, total.errors) == (100, 6, 4)
    assert [line.share for line in answer.context["lines"]] == [90, 6, 4]
    assert (total.p50_ms, total.p95_ms) == (2.6, 4.9)
    assert total.p99_ms > 1_000, "the four slow ones are the last four of a hundred"


def test_by_key_and_by_app_with_their_names(pages, used):
    assert lines(pages.get(address(), {"by": "key"})) == [("The shop", 96, 6, 0)]
    assert lines(pages.get(address(), {"by": "app"})) == [("Books by Ana", 4, 0, 4)]
    assert reverse("dashboard:request_logs", args=["acme", "test"]) + f"?key={used}" in text_of(
        pages.get(address(), {"by": "key"})
    )


def test_by_outcome(pages, used):
    assert [line[:2] for line in lines(pages.get(address(), {"by": "status"}))] == [
        ("2xx: succeeded", 90), ("4xx: refused", 6), ("5xx: failed here", 4),
    ]  # fmt: skip


def test_the_chart_holds_the_same_sum(pages, used):
    for period in ("24h", "7d", "30d"):
        made = pages.get(address(), {"period": period}).context["chart"]
        assert [sum(series.values) for series in made.series] == [90, 6, 4], period
        assert made.series[0].values[-1] == 90, "what is asked now stands at the end"


def test_a_day_is_the_readers(environment, monkeypatch):
    """At 23:30 UTC it is tomorrow in Skopje."""
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    use(environment, requests=5, at=late)
    from connect.selectors import usage
    from dashboard import periods
    from dashboard.pages.usage import requests_chart

    with use_environment(environment), timezone.override(ZoneInfo("Europe/Skopje")):
        period = periods.of("7d", now=late + timedelta(hours=4))
        found = requests_chart(period, usage.moments(period.since, period.until, "day", period.zone_name))
        assert usage.moments(period.since, period.until, "day")[datetime(2026, 11, 20, tzinfo=UTC)].requests == 5
    assert [row.label for row in found.rows if row.values[0] == "5"] == ["21 Nov"]


def test_the_file_is_the_table(pages, used):
    answer = pages.get(address("usage_export"), {"period": "30d", "by": "app"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="usage-acme-test-30d-by-app.csv"' in answer["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["label"], row["id"], row["requests"], row["failed_5xx"]) == ("Books by Ana", "books", "4", "4")
    assert float(row["p99_ms"]) > float(row["p50_ms"]) > 500


def test_the_name_of_an_app_does_not_become_a_formula(pages, used):
    ApiClient.objects.filter(client_id="books").update(name="=HYPERLINK(1)")
    answer = pages.get(address("usage_export"), {"by": "app"})
    assert "\n'=HYPERLINK(1)," in answer.content.decode().replace("\r", "")


def test_an_empty_page_teaches_the_first_request(pages):
    answer = text_of(pages.get(address()))
    assert "Nothing was asked in this time" in answer
    assert "/v1/balance" in answer
    assert pages.get(address(), {"by": "app"}).context["lines"] == []
    assert "No app yet" in text_of(pages.get(address(), {"by": "app"}))


def test_the_month_of_a_live_environment_has_a_bar(pages, environments):
    Organization.objects.filter(slug="acme").update(tier="starter")
    use(environments["acme/live"], requests=80_000, limited=500)
    answer = pages.get(address(mode="live"))
    quota = answer.context["quota"]
    limit = tiers.TIERS["starter"].monthly_quota
    assert (quota.used, quota.limit) == (79_500, limit)
    assert f'max="{limit}" value="79500"' in text_of(answer)


def test_a_tier_without_a_quota_says_so(pages, environments):
    """Acme's tier is Enterprise."""
    assert "The Enterprise tier has no monthly quota" in text_of(pages.get(address(mode="live")))


def test_test_mode_has_no_quota(pages, environment):
    use(environment, requests=5)
    answer = pages.get(address())
    assert answer.context["quota"].limit is None
    assert "<progress" not in text_of(answer)


@pytest.mark.parametrize(
    ("used_up", "percent", "tone"),
    [(79, 79, ""), (80, 80, "warn"), (99, 99, "warn"), (100, 100, "bad"), (250, 250, "bad")],
)
def test_the_bar_warns_from_the_first_alert_on(used_up, percent, tone):
    from dashboard.pages.usage import Quota

    quota = Quota("Free", used_up, 100, clock.wall())
    assert (quota.percent, quota.tone) == (percent, tone)


def test_support_is_not_shown_usage(pages_as):
    assert pages_as("support").get(address()).status_code == 403
    assert pages_as("analyst").get(address()).status_code == 200


def test_an_unknown_key_is_shown_by_its_id(pages, environment):
    gone = ids.encode("key", ids.new())
    use(environment, actor=gone)
    assert lines(pages.get(address(), {"by": "key"})) == [(gone, 1, 0, 0)]
