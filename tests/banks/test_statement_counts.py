"""How often the hot reads go to the database, BEGIN and COMMIT counted: nobody adds a round trip unnoticed."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from banks.models import Change, Connection
from connect.kit.tenancy import use_environment
from tests.banks import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(api, environment):
    """The statements of a request. Key and rows are known before."""
    with use_environment(environment):
        made = rows.connection()
        account = rows.account(made)
        found = [rows.transaction(account, booking_date=date(2026, 11, day)) for day in range(1, 6)]
        for position, row in enumerate(found, start=1):
            Change.objects.create(connection_id=made.id, position=position, transaction_id=row.id, kind="added")
        Connection.objects.filter(pk=made.id).update(position=len(found))
    names = {
        "connection": rows.identifier(made.id, "conn"),
        "account": rows.identifier(account.id, "bka"),
        "transaction": rows.identifier(found[2].id, "btx"),
    }

    def ask(path: str) -> list[str]:
        path = path.format(**names)
        assert api.get(path).status_code == 200
        with CaptureQueriesContext(connection) as captured:
            assert api.get(path).status_code == 200
        return [query["sql"].split()[0].strip(";") for query in captured.captured_queries]

    return ask


ONE = ["BEGIN", "SELECT", "COMMIT"]


@pytest.mark.parametrize(
    "path",
    [
        "transactions",
        "transactions?limit=100",
        "transactions?account={account}&booking_date[gte]=2026-11-02&direction=in",
        "transactions?connection={connection}&query=evn",
        "transactions/{transaction}",
        "accounts",
        "accounts?connection={connection}",
        "accounts/{account}",
        "connections",
        "connections/{connection}",
    ],
)
def test_a_first_page_and_one_object_take_one_statement(path, sent):
    assert sent(f"/v1/banking/{path}") == ONE


def test_a_later_page_takes_two(sent):
    """Its cursor is looked up first."""
    assert sent("/v1/banking/transactions?starting_after={transaction}") == ["BEGIN", "SELECT", "SELECT", "COMMIT"]


def test_a_sync_takes_three_however_much_changed(sent):
    """The connection, the stretch of its log, and the transactions it names."""
    assert sent("/v1/banking/transactions/sync?connection={connection}") == [
        "BEGIN", "SELECT", "SELECT", "SELECT", "COMMIT",
    ]  # fmt: skip


def test_the_catalogue_takes_two_however_many_banks_are_shown(sent):
    """The banks, and what is heard of them: their calls of the last day with the incidents that are going on."""
    for path in ("institutions", "institutions?limit=100", "institutions/sandbox-bank"):
        assert sent(f"/v1/banking/{path}") == ["BEGIN", "SELECT", "(SELECT", "COMMIT"]
