"""What the bank itself saw: how little a second sync asks for, and how seldom a bank that is down is called."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from banks.domain.profiles import Capabilities
from connect.kit import ids
from tests.product import Product
from tests.scenarios import customer

pytestmark = pytest.mark.stack
CALLS_MAX = 12
"""Of an interface that answers 503: one reading with its repetitions, and those that the page of its health makes."""


@pytest.fixture
def connection(product: Product) -> Any:
    """One that was read; `consent` is what the bank knows it by, among those of other tests that are read meanwhile."""
    before = consents(product)
    linked = customer.link(product, product.acme)
    (consent,) = consents(product) - before
    return {**customer.read_until(product, product.acme, linked["id"], 1), "consent": consent}


def consents(product: Product) -> set[str]:
    return {one["consent"] for one in product.bank.state()["consents"]}


def read_again(product: Product, connection: Any) -> None:
    """Have it read, and wait until that has begun a second later than what is known."""
    product.stack.rest(1)
    product.acme.post(f"/v1/banking/connections/{connection['id']}/refresh")


def calls_since(product: Product, number: int) -> list[dict[str, Any]]:
    return [call for call in product.bank.log() if call["number"] > number]


def newest_call(product: Product) -> int:
    return max(call["number"] for call in product.bank.log())


def rows(product: Product, connection: Any) -> list[Any]:
    """Every transaction with the place and the transaction of its last write: what is written at all is seen."""
    where = "SELECT id, version, xmin::text, ctid::text FROM banks_transaction WHERE connection_id = %s ORDER BY id"
    return product.server.query(where, [ids.decode("conn", connection["id"])])


def test_a_second_sync_writes_no_transaction_and_asks_for_the_overlap_only(product: Product, connection: Any) -> None:
    before, known = rows(product, connection), newest_call(product)
    assert before
    read_again(product, connection)
    customer.read_until(product, product.acme, connection["id"], connection["as_of"] + 1)
    assert rows(product, connection) == before

    ours = [call for call in calls_since(product, known) if call["consent"] == connection["consent"]]
    lists = [call for call in ours if call["endpoint"] == "transactions"]
    newest: dict[str, str] = {}
    for one in product.acme.everything("/v1/banking/transactions", connection=connection["id"], status="booked"):
        newest[one["account"]] = max(newest.get(one["account"], ""), one["booking_date"])
    overlap = timedelta(days=Capabilities().overlap_days)
    asked = [parse_qs(urlsplit(call["path"]).query)["dateFrom"][0] for call in lists]
    assert sorted(asked) == sorted(str(date.fromisoformat(day) - overlap) for day in newest.values())


def test_while_the_bank_is_down_what_is_known_is_served_with_its_age(product: Product, connection: Any) -> None:
    app, of_it = product.acme, f"/v1/banking/connections/{connection['id']}"
    known = newest_call(product)
    product.bank.control("misbehave", {"kind": "down"})
    try:
        read_again(product, connection)
        product.stack.until(lambda: app.get(of_it)["stale"], "the connection is stale")
        stale = app.get(of_it)
        assert (stale["status"], stale["error"]["code"]) == ("active", "institution_down")
        assert (stale["as_of"], stale["error"]["needs_customer"]) == (connection["as_of"], False)
        assert app.everything("/v1/banking/transactions", connection=connection["id"])
        answer = app.get(f"/v1/banking/transactions/sync?connection={connection['id']}")
        assert (answer["stale"], answer["as_of"], bool(answer["added"])) == (True, connection["as_of"], True)
        assert 0 < len(calls_since(product, known)) <= CALLS_MAX
    finally:
        product.bank.control("behave")
    read_again(product, connection)
    customer.read_until(product, app, connection["id"], connection["as_of"] + 1)
