"""Linked accounts over the API: their lists, what is said of stale ones, and the one thing an app may change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from banks.domain.connection_state import Status
from connect.kit.tenancy import use_environment
from tests import paging
from tests.banks import rows

PATH = "/v1/banking/accounts"


@pytest.fixture
def connection(environment):
    with use_environment(environment):
        return rows.connection()


@pytest.fixture
def account(environment, connection):
    with use_environment(environment):
        return rows.account(connection)


def test_lists_and_their_filters(api, environment, connection):
    with use_environment(environment):
        other = rows.connection()
        made = [
            rows.account(
                connection if number % 2 else other,
                iban=f"MK07{number}",
                currency="eur" if number < 3 else "mkd",
                status="closed" if number == 4 else "open",
            )
            for number in range(7)
        ]
    names = {rows.identifier(row.id, "bka"): row for row in made}
    newest = sorted(names, reverse=True)
    paging.prove(api, PATH, newest)
    of_one = [name for name in newest if names[name].connection_id == connection.id]
    paging.prove(api, PATH, of_one, {"connection": rows.identifier(connection.id, "conn")})
    paging.prove(api, PATH, [name for name in newest if names[name].currency == "eur"], {"currency": "EUR"})
    paging.prove(api, PATH, [name for name in newest if names[name].status == "open"], {"status": "open"})
    paging.prove(api, PATH, newest, {"created[gte]": int(rows.NOW.timestamp())})
    assert api.get(PATH, {"created[gt]": int(rows.NOW.timestamp())}).json()["data"] == []


def test_one_is_shown_field_by_field(api, account):
    name = rows.identifier(account.id, "bka")
    shown = api.get(f"{PATH}/{name}").json()
    assert shown == {
        "id": name,
        "object": "banking.account",
        "as_of": 1795161600,
        "balances": [{"kind": "booked", "amount": 125000, "currency": "mkd"}],
        "connection": rows.identifier(account.connection_id, "conn"),
        "created": 1795161600,
        "currency": "mkd",
        "error": None,
        "iban": "MK07999000000012325",
        "last4": "2325",
        "livemode": False,
        "metadata": {},
        "name": "Тековна сметка",
        "national_number": None,
        "owner_name": "Ана Петровска",
        "product": None,
        "stale": False,
        "status": "open",
        "type": None,
    }
    whole = api.get(f"{PATH}/{name}", {"expand[]": "connection.institution"}).json()
    assert whole["connection"]["institution"]["slug"] == "sandbox-bank"


def test_a_bank_that_is_down_spoils_nobody_elses_data(api, environment, account, connection):
    """The list answers 200 with everything it has; each object says how old it is, and why."""
    down = rows.NOW + timedelta(hours=3)
    with use_environment(environment):
        stale = rows.account(rows.connection(), iban=None, error="institution_down", error_at=down)
    fresh, old = (api.get(PATH).json()["data"][place] for place in (1, 0))
    assert (fresh["stale"], fresh["error"], fresh["as_of"]) == (False, None, 1795161600)
    assert old["id"] == rows.identifier(stale.id, "bka")
    assert (old["stale"], old["as_of"]) == (True, 1795161600)
    assert (old["error"]["code"], old["error"]["since"]) == ("institution_down", int(down.timestamp()))
    assert old["error"]["message"]
    assert old["last4"] is None


def test_metadata_is_all_an_app_may_change(api, account):
    name = rows.identifier(account.id, "bka")
    changed = api.post(f"{PATH}/{name}", {"metadata": {"ledger": "1000"}})
    assert (changed.status_code, changed.json()["metadata"]) == (200, {"ledger": "1000"})
    assert api.get(f"{PATH}/{name}").json() == changed.json()
    (event,) = api.get("/v1/events", {"type": "banking.account.updated"}).json()["data"]
    assert event["data"]["object"] == changed.json()
    refused = api.post(f"{PATH}/{name}", {"name": "Mine"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "parameter_unknown")


@pytest.mark.parametrize("status", [Status.PENDING, Status.REMOVED])
def test_that_of_a_connection_which_is_not_there_is_missing(api, environment, account, connection, status):
    with use_environment(environment):
        connection.status = status
        connection.removed_at = rows.NOW if status is Status.REMOVED else None
        connection.save()
    name = rows.identifier(account.id, "bka")
    for answer in (api.get(f"{PATH}/{name}"), api.post(f"{PATH}/{name}", {"metadata": {"a": "b"}})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
    assert api.get(PATH).json()["data"] == []
