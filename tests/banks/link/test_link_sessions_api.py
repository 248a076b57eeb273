"""`/v1/banking/link_sessions`: what an app may ask for, what it is told, and what it may not do."""

from __future__ import annotations

import pytest

from banks.models import Institution, LinkSession
from banks.services import connections, link_tokens
from connect.kit import clock
from connect.kit.tenancy import use_environment

PATH = "/v1/banking/link_sessions"


def error(answer, status=400):
    assert answer.status_code == status, answer.content
    return answer.json()["error"]


@pytest.fixture
def connection(api, session, customer, now, caller):
    made = session()
    customer(made).link()
    with use_environment(caller.environment):
        return link_tokens.exchange(caller, public_token=now(made)["public_token"]).id


def test_a_session_has_defaults_and_shows_its_page_while_it_can_be_used(api, bank, told):
    made = api.post(PATH, {}).json()
    assert made["id"].startswith("lks_")
    known = {"object": "banking.link_session", "mode": "link", "status": "open", "countries": [], "history_days": 90,
             "permissions": ["accounts", "balances", "transactions"], "institution": None, "connection": None,
             "public_token": None, "last_error": None, "livemode": False, "metadata": {}}  # fmt: skip
    assert {name: made[name] for name in known} == known
    assert made["expires_at"] - made["created"] == 4 * 3600
    assert "/link/" in made["url"]
    assert api.get(f"{PATH}/{made['id']}").json() == made
    assert [one["id"] for one in api.get(PATH).json()["data"]] == [made["id"]]
    canceled = api.post(f"{PATH}/{made['id']}/cancel").json()
    assert (canceled["status"], canceled["url"], told()) == ("canceled", None, ["link_session.canceled"])
    assert error(api.post(f"{PATH}/{made['id']}/cancel"))["code"] == "link_session_not_open"


def test_a_session_keeps_what_it_was_given(api, bank):
    given = {
        "institution": "sandbox-bank", "client_reference_id": "user-1", "permissions": ["transactions"],
        "countries": ["rs", "mk", "rs"], "history_days": 730, "purpose": "Bookkeeping", "recurring": False,
        "return_url": "https://app.example/back", "locale": "sr-Latn", "metadata": {"a": "b"},
    }  # fmt: skip
    made = api.post(PATH, given).json()
    assert made["permissions"] == ["accounts", "transactions"], "transactions are of accounts"
    assert (made["countries"], made["history_days"], made["purpose"]) == (["rs", "mk"], 730, "Bookkeeping")
    assert made["institution"].startswith("inst_")
    again = api.post(PATH, {"institution": made["institution"]}).json()
    assert again["institution"] == made["institution"]
    found = api.get(PATH, {"client_reference_id": "user-1", "status": "open"}).json()["data"]
    assert [one["id"] for one in found] == [made["id"]]
    assert api.get(PATH, {"client_reference_id": "user-1", "status": "complete"}).json()["data"] == []


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({"institution": "no-such-bank"}, "institution", "resource_missing"),
        ({"institution": "stopanska-mk"}, "institution", "institution_unavailable"),
        ({"permissions": ["payments"]}, "permissions[0]", "parameter_invalid"),
        ({"permissions": []}, "permissions", "parameter_invalid_empty"),
        ({"countries": ["de"]}, "countries[0]", "parameter_invalid"),
        ({"history_days": 731}, "history_days", "parameter_invalid_integer"),
        ({"history_days": 0}, "history_days", "parameter_invalid_integer"),
        ({"return_url": "http://app.example/back"}, "return_url", "redirect_url_invalid"),
        ({"return_url": "javascript:alert(1)"}, "return_url", None),
        ({"locale": "xx"}, "locale", "parameter_invalid"),
        ({"mode": "repair"}, "mode", "parameter_invalid"),
        ({"mode": "update"}, "connection", "parameter_missing"),
        ({"mode": "update", "connection": "conn_0000000000000000000000"}, "connection", "resource_missing"),
        ({"connection": "conn_0000000000000000000000"}, "connection", "parameter_invalid"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(api, bank, given, param, code):
    found = error(api.post(PATH, given))
    assert found["param"] == param
    assert code in (None, found["code"])


def test_a_bank_that_staff_took_off_the_list_cannot_be_named(api, bank):
    Institution.objects.filter(slug="sandbox-bank").update(is_enabled=False)
    assert error(api.post(PATH, {"institution": "sandbox-bank"}))["code"] == "institution_unavailable"


def test_live_mode_has_no_sandbox(api_as, bank):
    live = api_as("acme", "live")
    assert error(live.post(PATH, {"institution": "sandbox-bank"}))["code"] == "resource_missing"
    assert live.post(PATH, {}).json()["livemode"] is True


def test_update_mode_takes_everything_from_the_connection(api, session, connection, caller):
    made = session(mode="update", connection=connection)
    assert (made["mode"], made["connection"], made["client_reference_id"]) == ("update", connection, "user-7")
    assert made["expires_at"] - made["created"] == 1800
    for name, value in (("institution", "sandbox-bank"), ("permissions", ["accounts"]), ("history_days", 30)):
        refused = error(api.post(PATH, {"mode": "update", "connection": connection, name: value}))
        assert (refused["param"], refused["code"]) == (name, "parameter_invalid")
    assert [one["id"] for one in api.get(PATH, {"connection": connection, "status": "open"}).json()["data"]] == [
        made["id"]
    ]
    with use_environment(caller.environment):
        connections.remove(caller, connection)
    assert error(api.post(PATH, {"mode": "update", "connection": connection}))["code"] == "resource_missing"


def test_no_event_carries_a_secret(api, session, customer, now, environment):
    from connect.models import Event

    made = session()
    customer(made).link()
    done = now(made)
    with use_environment(environment):
        (payload,) = Event.objects.filter(type="banking.link_session.completed").values_list("payload", flat=True)
        row = LinkSession.objects.get()
    assert (payload["url"], payload["public_token"]) == (None, None)
    assert made["url"].rpartition(".")[2] not in str(payload)
    assert done["public_token"] not in str(payload)
    assert (row.handle_sealed, row.offered, row.bank_url) == (None, None, None)
    assert row.agreed_text == "2026-11"
    assert row.agreed_at is not None
    assert row.agreed_at <= clock.wall()
