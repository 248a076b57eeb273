"""Connections over the API: listed, read, annotated, refreshed and removed."""

from __future__ import annotations

import pytest

from banks.models import Connection
from connect.kit import clock
from connect.kit.tenancy import use_environment
from connect.models import Event
from tests import paging
from tests.banks import rows

PATH = "/v1/banking/connections"


@pytest.fixture
def made(environment):
    """Six that are there, newest first, and two that nobody may see in a list."""
    from banks.domain import institution_ids

    erste = institution_ids.of_slug("erste-rs")
    with use_environment(environment):
        rows.connection(status="pending")
        rows.connection(status="removed", removed_at=rows.NOW)
        kinds = [
            {"client_reference_id": "ana"},
            {"client_reference_id": "ana", "institution_id": erste},
            {"client_reference_id": "ana", "status": "expired"},
            {"status": "login_required", "institution_id": erste},
            {"status": "expired", "institution_id": erste},
            {"status": "expired"},
        ]
        return [rows.connection(**kind) for kind in kinds][::-1]


def name_of(row) -> str:
    return rows.identifier(row.id, "conn")


def test_lists_and_their_filters(api, made):
    newest = [name_of(row) for row in made]
    paging.prove(api, PATH, newest)
    expired = [name_of(row) for row in made if row.status == "expired"]
    paging.prove(api, PATH, expired, {"status": "expired"})
    ana = [name_of(row) for row in made if row.client_reference_id == "ana"]
    paging.prove(api, PATH, ana, {"client_reference_id": "ana"})
    erste = made[1].institution_id
    at_erste = [name_of(row) for row in made if row.institution_id == erste]
    paging.prove(api, PATH, at_erste, {"institution": rows.identifier(erste, "inst")})
    paging.prove(api, PATH, at_erste, {"institution": "erste-rs"})
    unknown = api.get(PATH, {"institution": "no-bank"})
    assert (unknown.status_code, unknown.json()["error"]["param"]) == (400, "institution")
    paging.prove(api, PATH, newest, {"created[lte]": int(rows.NOW.timestamp())})
    refused = api.get(PATH, {"status": "pending"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "status")


def test_one_is_shown_field_by_field(api, made):
    shown = api.get(f"{PATH}/{name_of(made[5])}").json()
    assert shown == {
        "id": name_of(made[5]),
        "object": "banking.connection",
        "as_of": 1795161600,
        "client_reference_id": "ana",
        "consent_expires_at": 1802995199,
        "consented_at": 1795161600,
        "created": 1795161600,
        "error": None,
        "history_complete": False,
        "history_days": 90,
        "institution": rows.identifier(made[5].institution_id, "inst"),
        "livemode": False,
        "metadata": {},
        "permissions": ["accounts", "balances", "transactions"],
        "stale": False,
        "status": "active",
    }
    whole = api.get(f"{PATH}/{name_of(made[1])}", {"expand[]": "institution"}).json()
    assert whole["institution"]["slug"] == "erste-rs"


def test_a_public_token_is_exchanged_once(api, environment, caller):
    with use_environment(environment):
        token = rows.public_token(caller)
        account = rows.account(Connection.objects.get())
    assert api.get(PATH).json()["data"] == []
    made = api.post(PATH, {"public_token": token}, Idempotency_Key="exchange-1")
    assert made.status_code == 200, made.content
    assert made.json()["status"] == "active"
    assert [found["id"] for found in api.get(PATH).json()["data"]] == [made.json()["id"]]
    assert api.get(f"/v1/banking/accounts/{rows.identifier(account.id, 'bka')}").status_code == 200
    names = [event["type"] for event in api.get("/v1/events").json()["data"]]
    assert names == ["banking.account.created", "banking.connection.created"]
    again = api.post(PATH, {"public_token": token}, Idempotency_Key="exchange-1")
    assert (again.content, again["Idempotent-Replayed"]) == (made.content, "true")
    for wrong, code in ((token, "public_token_exchanged"), (f"{token}x", "public_token_invalid")):
        refused = api.post(PATH, {"public_token": wrong})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"], error["param"]) == (400, code, "public_token")


def test_what_an_app_notes_is_kept(api, made):
    where = f"{PATH}/{name_of(made[0])}"
    changed = api.post(where, {"metadata": {"crm": "7"}, "client_reference_id": "luan"}).json()
    assert (changed["metadata"], changed["client_reference_id"]) == ({"crm": "7"}, "luan")
    assert api.get(where).json() == changed
    (event,) = api.get("/v1/events", {"type": "banking.connection.updated"}).json()["data"]
    assert event["data"]["object"] == changed
    assert api.post(where, {"client_reference_id": ""}).json()["client_reference_id"] is None
    assert api.post(where, {"status": "active"}).json()["error"]["code"] == "parameter_unknown"


def test_a_removed_one_is_gone_with_all_that_was_read(api, environment, made):
    where = f"{PATH}/{name_of(made[5])}"
    with use_environment(environment):
        account = rows.account(made[5])
        row = rows.transaction(account)
    assert api.get(f"/v1/banking/transactions/{rows.identifier(row.id, 'btx')}").status_code == 200
    gone = {"id": name_of(made[5]), "object": "banking.connection", "deleted": True}
    assert api.delete(where).json() == gone
    assert api.get(where).json() == gone
    assert name_of(made[5]) not in [found["id"] for found in api.get(PATH).json()["data"]]
    for path in (f"transactions/{rows.identifier(row.id, 'btx')}", f"accounts/{rows.identifier(account.id, 'bka')}"):
        assert api.get(f"/v1/banking/{path}").status_code == 404
    assert api.delete(where).status_code == 404
    assert api.post(where, {"metadata": {"a": "b"}}).status_code == 404
    assert api.post(f"{where}/refresh").status_code == 404
    with use_environment(environment):
        assert Event.objects.filter(type="banking.connection.removed").count() == 1


def test_a_refresh_makes_the_next_sync_due_and_answers_at_once(api, environment, made):
    """No call to a bank is made here: none answers at this address."""
    before = clock.wall()
    answer = api.post(f"{PATH}/{name_of(made[5])}/refresh")
    assert answer.status_code == 200, answer.content
    assert answer.json() == api.get(f"{PATH}/{name_of(made[5])}").json()
    with use_environment(environment):
        due = Connection.objects.get(pk=made[5].id).sync_due_at
    assert before <= due <= clock.wall()
    assert api.post(f"{PATH}/{name_of(made[5])}/refresh", {"wait": True}).json()["error"]["code"] == "parameter_unknown"


def test_one_that_is_not_exchanged_yet_is_missing(api, environment):
    with use_environment(environment):
        pending = rows.connection(status="pending")
    for answer in (
        api.get(f"{PATH}/{name_of(pending)}"),
        api.post(f"{PATH}/{name_of(pending)}", {"metadata": {"a": "b"}}),
        api.post(f"{PATH}/{name_of(pending)}/refresh"),
        api.delete(f"{PATH}/{name_of(pending)}"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
