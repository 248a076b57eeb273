"""What the platform does, in figures: asked of all environments at once, live and test apart, and kept for a while."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.test import Client

from connect.admin import figures
from connect.kit import clock
from connect.kit.tenancy import use_environment
from connect.models import Organization, UsageHour
from connect.selectors import sweeps
from tests.banks import rows as bank_rows

pytestmark = pytest.mark.django_db(transaction=True)


def lines() -> dict[str, tuple[str, str]]:
    figures.forget()
    board = figures.board()
    assert board is not None
    return {line.title: (line.live, line.test) for line in board.lines}


def used(environment: Any, hour: Any, requests: int) -> None:
    with use_environment(environment):
        UsageHour.objects.create(
            hour=hour, method="GET", route="/v1/customers", actor_id=f"key_{requests}", status_class=2,
            requests=requests, limited=0, duration_us=1, latency=[0] * 11,
        )  # fmt: skip


def test_an_empty_platform_has_figures_too(environments: Any) -> None:
    assert lines() == {
        "Environments": ("2", "2"),
        "API calls, today": ("0", "0"),
        "API calls, 30 days": ("0", "0"),
        "Banks connected": ("0", "0"),
        "Active connections": ("0", "0"),
        "Countries": ("-", "-"),
    }


def test_calls_are_added_up_over_organizations_and_days(environments: Any) -> None:
    today = clock.wall().replace(minute=0, second=0, microsecond=0)
    used(environments["acme/test"], today, 1200)
    used(environments["other/test"], today, 34)
    used(environments["acme/live"], today - timedelta(days=2), 5)
    used(environments["acme/live"], today - timedelta(days=40), 7000)
    found = lines()
    assert found["API calls, today"] == ("0", "1\N{NO-BREAK SPACE}234")
    assert found["API calls, 30 days"] == ("5", "1\N{NO-BREAK SPACE}234")


def test_volume_is_what_was_captured_and_not_given_back_by_currency(environments: Any, api: Any, api_as: Any) -> None:
    def pay(by: Any, amount: int, currency: str, **more: Any) -> dict[str, Any]:
        body = {"amount": amount, "currency": currency, "payment_method": "pm_card_visa", "confirm": True, **more}
        return by.post("/v1/payment_intents", body).json()

    paid = pay(api, 2500, "eur")
    pay(api_as("other", "test"), 1050, "eur")
    pay(api, 990000, "mkd")
    pay(api, 7700, "eur", capture_method="manual")  # promised, and not taken
    assert api.post("/v1/refunds", {"payment_intent": paid["id"], "amount": 500}).status_code == 200
    found = lines()
    assert found["Payment volume, EUR"] == ("0.00\N{NO-BREAK SPACE}EUR", "30.50\N{NO-BREAK SPACE}EUR")
    assert found["Payment volume, MKD"] == ("0.00\N{NO-BREAK SPACE}MKD", "9900.00\N{NO-BREAK SPACE}MKD")


def test_banks_are_counted_once_and_named_by_country(environments: Any) -> None:
    from banks.models import Institution

    for name in ("acme/test", "other/test"):
        with use_environment(environments[name]):
            bank_rows.connection()
    sandbox = lines()
    assert (sandbox["Banks connected"], sandbox["Active connections"]) == (("0", "1"), ("0", "2"))
    assert sandbox["Countries"] == ("-", "-"), "the sandbox bank is of no country"
    from banks.models import Connection

    with use_environment(environments["acme/test"]):
        Connection.objects.update(institution_id=Institution.objects.get(slug="stopanska-mk").pk)
    found = lines()
    assert (found["Banks connected"], found["Countries"]) == (("0", "2"), ("-", "MK"))


def test_all_environments_are_asked_in_one_statement_and_then_not_for_ten_minutes(
    environments: Any, monkeypatch: Any
) -> None:
    sent = []
    original = psycopg.connect

    def connect(*given: Any, **named: Any) -> Any:
        opened = original(*given, **named)
        execute = opened.execute
        opened.execute = lambda statement, *more, **options: (
            sent.append(statement) or execute(statement, *more, **options)
        )
        return opened

    monkeypatch.setattr(sweeps, "psycopg", SimpleNamespace(connect=connect))
    figures.forget()
    first = figures.board()
    assert figures.board() is first
    assert len(sent) == 1
    monkeypatch.setattr(sweeps, "SCHEMAS_PER_QUERY", 3)
    later = clock.wall() + figures.KEPT + timedelta(seconds=1)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert figures.board() is not first
    assert len(sent) == 1 + 2, "one for each three of four"


def test_the_first_page_shows_them_to_whoever_may_see_environments(
    staff: Any, client: Client, environments: Any
) -> None:
    Organization.objects.filter(slug="acme").update(activated_at=clock.wall())
    client.force_login(staff())
    text = " ".join(client.get("/admin/").content.decode().split())
    assert "2 organizations, 1 activated for live mode" in text
    assert "API calls, today" in text
    client.force_login(staff("connect.view_apikey", email="other@platform.example"))
    assert b"API calls, today" not in client.get("/admin/").content


def test_when_they_cannot_be_read_the_page_says_so_and_stands(
    staff: Any, client: Client, environments: Any, monkeypatch: Any
) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise psycopg.OperationalError("no route")

    monkeypatch.setattr(sweeps, "psycopg", SimpleNamespace(connect=down))
    client.force_login(staff())
    page = client.get("/admin/")
    assert page.status_code == 200
    assert b"could not be read" in page.content
    assert environments["acme/test"].schema_name.encode() in page.content
