"""Limits of one environment: set with a reason, held by the limiter within seconds, ended by themselves, removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connect.domain import tiers
from connect.kit import clock, ids
from connect.kit.caller import Actor
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import Environment, LimitOverride, Organization, OrganizationAuditEntry
from connect.selectors import credentials, environments
from connect.services import limit_overrides

STAFF = Actor("system", "tests")
EMPTY = {"per_second": "", "burst": "", "monthly_quota": "", "expires_at_0": "", "expires_at_1": "", "reason": "Pilot"}


@pytest.fixture
def page(environment: Any) -> str:
    return f"/admin/connect/environment/{ids.encode('env', environment.id)}"


def put(environment: Any, **given: Any) -> None:
    usual: dict[str, Any] = {"per_second": None, "burst": None, "monthly_quota": None, "expires_at": None}
    limit_overrides.put(environment_id=environment.id, actor=STAFF, reason="Pilot", **(usual | given))


def test_the_form_sets_them_and_the_next_request_is_held_by_them(
    staff_client: Client, page: str, api: Any, environment: Any
) -> None:
    assert api.get("/v1/customers")["RateLimit-Limit"] == "2000"
    until = clock.wall() + timedelta(days=2)
    sent = {**EMPTY, "per_second": "2.5", "burst": "3", "expires_at_0": f"{until:%Y-%m-%d}", "expires_at_1": "10:00:00"}
    assert b"Enterprise has it: 2000 requests a second" in staff_client.get(f"{page}/set_limits/").content
    answer = staff_client.post(f"{page}/set_limits/", sent)
    assert answer["Location"] == f"{page}/change/"
    first = api.get("/v1/customers")
    assert (first.status_code, first["RateLimit-Limit"]) == (200, "3")
    assert first["RateLimit-Policy"].startswith("2.5;")
    answers = [api.get("/v1/customers").status_code for _ in range(4)]
    assert answers[-1] == 429
    shown = staff_client.get(f"{page}/change/").content.decode()
    assert "2.5 a second, 3 at once" in shown
    assert "Pilot (staff@platform.example, until" in shown
    entry = OrganizationAuditEntry.objects.get(action="environment.limits_set")
    assert (entry.environment_id, entry.target) == (environment.id, environment.short_id)
    assert entry.data["before"] == {}
    assert entry.data["after"] == {"per_second": 2.5, "burst": 3, "until": f"{until:%Y-%m-%d}T10:00:00+00:00"}
    assert entry.data["reason"] == "Pilot"
    assert entry.actor_id.startswith("usr_")


def test_another_process_holds_them_once_it_asks_again(api: Any, environment: Any, monkeypatch: Any) -> None:
    """A process that knew the key goes on by what it knows for `CACHE_SECONDS`, and by the new limits after that."""
    api.get("/v1/customers")
    monkeypatch.setattr(credentials, "forget", lambda: None)  # what the other process did is not told to this one
    put(environment, burst=7)
    assert api.get("/v1/customers")["RateLimit-Limit"] == "2000"
    now = credentials.time.monotonic()
    monkeypatch.setattr(credentials.time, "monotonic", lambda: now + credentials.CACHE_SECONDS)
    assert api.get("/v1/customers")["RateLimit-Limit"] == "7"


def test_they_end_in_time_also_in_a_process_that_remembers_them(environment: Any, monkeypatch: Any) -> None:
    put(environment, per_second=9.0, burst=5, monthly_quota=10, expires_at=clock.wall() + timedelta(hours=1))
    known = environments.by_id(environment.id)
    assert known is not None
    own = tiers.of(known)
    assert (own.environment, own.key, own.monthly_quota) == (tiers.Rate(9.0, 5), tiers.Rate(9.0, 5), 10)
    later = clock.wall() + timedelta(hours=1)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert tiers.of(known) == tiers.TIERS["enterprise"]


def test_what_is_not_given_stays_the_tiers(environment: Any) -> None:
    put(environment, burst=77)
    known = environments.by_id(environment.id)
    assert known is not None
    own, tier = tiers.of(known), tiers.TIERS["enterprise"]
    assert own.environment == tiers.Rate(tier.environment.per_second, 77)
    assert own.key == tiers.Rate(tier.key.per_second, 77)
    assert (own.monthly_quota, own.hard, own.log_days) == (tier.monthly_quota, tier.hard, tier.log_days)


def test_a_quota_is_as_hard_as_the_tiers(api_as: Any, environments: Any) -> None:
    """Free refuses beyond it in live mode, and there only; a tier that only counts goes on counting."""
    live = environments["acme/live"]
    put(live, monthly_quota=2)
    assert [api_as("acme", "live").get("/v1/customers").status_code for _ in range(3)] == [200] * 3
    Organization.objects.filter(pk=live.organization_id).update(tier="free")
    credentials.forget()
    answers = [api_as("acme", "live").get("/v1/customers") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["error"]["code"] == "quota_exceeded"
    known = environments["acme/test"]
    assert tiers.hard_quota(replace(known, tier="free")) is None


def test_they_are_removed_with_a_reason(staff_client: Client, page: str, environment: Any) -> None:
    assert b"remove_limits" not in staff_client.get(f"{page}/change/").content
    assert staff_client.post(f"{page}/remove_limits/", {"reason": "Over"}).status_code == 403
    put(environment, burst=7)
    assert b"remove_limits" in staff_client.get(f"{page}/change/").content
    assert staff_client.post(f"{page}/remove_limits/", {"reason": ""}).status_code == 422
    assert LimitOverride.objects.exists()
    assert staff_client.post(f"{page}/remove_limits/", {"reason": "Over"}).status_code == 302
    assert not LimitOverride.objects.exists()
    entry = OrganizationAuditEntry.objects.get(action="environment.limits_removed")
    assert entry.data == {"before": {"burst": 7}, "after": {}, "reason": "Over"}
    limit_overrides.remove(environment_id=environment.id, actor=STAFF, reason="Again")
    assert OrganizationAuditEntry.objects.filter(action="environment.limits_removed").count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "per_second"),
        ({"per_second": "0"}, "per_second"),
        ({"per_second": "nan"}, "per_second"),
        ({"per_second": "1e9"}, "per_second"),
        ({"burst": "0"}, "burst"),
        ({"burst": "100001"}, "burst"),
        ({"monthly_quota": "-1"}, "monthly_quota"),
        ({"burst": "9", "expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "expires_at"),
        ({"burst": "9", "expires_at_0": "soon", "expires_at_1": ""}, "expires_at"),
        ({"burst": "9", "reason": " "}, "reason"),
        ({"burst": "9", "reason": "x" * 301}, "reason"),
    ],
)
def test_limits_that_make_no_sense_are_refused_at_their_field(
    staff_client: Client, page: str, given: dict[str, str], field: str
) -> None:
    answer = staff_client.post(f"{page}/set_limits/", {**EMPTY, **given})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not LimitOverride.objects.exists()


def test_the_service_refuses_what_the_form_would(environment: Any) -> None:
    with pytest.raises(ParameterInvalid, match="at least one"):
        put(environment)
    with pytest.raises(ParameterInvalid, match="a second"):
        put(environment, per_second=float("nan"))
    with pytest.raises(ResourceMissing):
        limit_overrides.remove(environment_id=ids.new(), actor=STAFF, reason="x")


def test_limits_need_their_permission(staff: Any, client: Client, page: str) -> None:
    client.force_login(staff("connect.view_environment"))
    assert b"set_limits" not in client.get(f"{page}/change/").content
    assert client.post(f"{page}/set_limits/", {**EMPTY, "burst": "9"}).status_code == 403
    assert not LimitOverride.objects.exists()


def test_setting_them_twice_keeps_one_and_tells_both_figures(environment: Any) -> None:
    put(environment, burst=7)
    put(environment, per_second=3.0)
    row = LimitOverride.objects.get()
    assert (row.per_second, row.burst) == (3.0, None)
    entry = OrganizationAuditEntry.objects.filter(action="environment.limits_set").latest("id")
    assert (entry.data["before"], entry.data["after"]) == ({"burst": 7}, {"per_second": 3.0})


def test_environments_are_filtered_by_limits_and_tier(staff_client: Client, environment: Any) -> None:
    put(environment, burst=7)

    def found(**query: str) -> set[Any]:
        return {row.pk for row in staff_client.get("/admin/connect/environment/", query).context["cl"].result_list}

    assert found(limits="own") == {environment.id}
    assert environment.id not in found(limits="tier")
    assert found(tier="starter") == set()
    assert len(found(tier="enterprise")) == Environment.objects.count()


def test_an_environment_with_and_without_them_is_read_by_one_statement(environment: Any) -> None:
    from django.db import connection

    put(environment, burst=7)
    with CaptureQueriesContext(connection) as captured:
        assert len(list(environments.ready())) == 4
    assert len(captured) == 1
