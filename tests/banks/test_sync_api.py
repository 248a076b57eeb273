"""The sync over the API: what an app sends and gets. What the log itself promises is told in the tests of its selector."""

from __future__ import annotations

import pytest

from banks.models import BankTransaction, Change, Connection
from connect.kit.tenancy import use_environment
from tests.banks import rows

PATH = "/v1/banking/transactions/sync"


@pytest.fixture
def books(environment):
    """A connection whose log says that seven transactions came, one changed and one went."""
    with use_environment(environment):
        connection = rows.connection()
        account = rows.account(connection)
        made = [rows.transaction(account, remittance=str(number)) for number in range(7)]
        log = [(row.id, "added") for row in made] + [(made[1].id, "modified"), (made[2].id, "removed")]
        for position, (identifier, kind) in enumerate(log, start=1):
            Change.objects.create(connection_id=connection.id, position=position, transaction_id=identifier, kind=kind)
        BankTransaction.objects.filter(pk=made[2].id).update(status="removed")
        Connection.objects.filter(pk=connection.id).update(position=len(log))
    return rows.identifier(connection.id, "conn"), [rows.identifier(row.id, "btx") for row in made]


def asked(api, **query):
    answer = api.get(PATH, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_all_of_it_at_once(api, books):
    connection, made = books
    found = asked(api, connection=connection)
    assert {found["id"] for found in found["added"]} == {*made} - {made[2]}
    assert found | {"added": [], "next_cursor": ""} == {
        "object": "banking.transaction_sync",
        "added": [],
        "as_of": 1795161600,
        "connection": connection,
        "has_more": False,
        "livemode": False,
        "modified": [],
        "next_cursor": "",
        "removed": [],
        "stale": False,
    }
    assert found["added"][0] == api.get(f"/v1/banking/transactions/{found['added'][0]['id']}").json()
    assert asked(api, connection=connection, cursor="") == found
    again = asked(api, connection=connection, cursor=found["next_cursor"])
    assert again == found | {"added": []}


def synced(ask, connection, kept, cursor):
    """Bring `kept`, an app's copy by id, up to date; returns the cursor to keep together with it."""
    more = True
    while more:
        page = ask(connection=connection, **({"cursor": cursor} if cursor else {}))
        for found in page["added"] + page["modified"]:
            kept[found["id"]] = found
        for gone in page["removed"]:
            kept.pop(gone["id"], None)
        cursor, more = page["next_cursor"], page["has_more"]
    return cursor


@pytest.mark.parametrize("limit", [1, 2, 4, 500])
def test_the_loop_of_an_app_keeps_a_copy_and_a_lost_answer_loses_nothing(api, books, limit):
    """Every page is asked for twice, as if the first answer had been lost."""
    connection, made = books

    def ask(**query):
        lost = asked(api, limit=limit, **query)
        page = asked(api, limit=limit, **query)
        assert page == lost
        return page

    kept = {}
    cursor = synced(ask, connection, kept, None)
    assert set(kept) == {*made} - {made[2]}
    assert synced(ask, connection, kept, cursor) == cursor


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ({}, "connection", "parameter_missing"),
        ({"connection": "conn_1"}, "connection", "resource_missing"),
        ({"cursor": "bm9uc2Vuc2U"}, "cursor", "sync_cursor_invalid"),
        ({"limit": 501}, "limit", "parameter_invalid_integer"),
        ({"limit": 0}, "limit", "parameter_invalid_integer"),
        ({"starting_after": "btx_1"}, "starting_after", "parameter_unknown"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_name(api, books, query, param, code):
    given = {"connection": books[0], **query} if query else {}
    answer = api.get(PATH, given)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)


def test_another_connections_cursor_and_a_removed_connection_are_refused(api, books, environment):
    connection, _ = books
    cursor = asked(api, connection=connection)["next_cursor"]
    with use_environment(environment):
        other = rows.identifier(rows.connection().id, "conn")
    refused = api.get(PATH, {"connection": other, "cursor": cursor})
    assert refused.json()["error"]["code"] == "sync_cursor_invalid"
    assert api.delete(f"/v1/banking/connections/{connection}").status_code == 200
    assert api.get(PATH, {"connection": connection}).json()["error"]["code"] == "resource_missing"
