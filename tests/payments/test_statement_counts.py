"""How often the hot requests go to the database, BEGIN and COMMIT counted: nobody adds a round trip unnoticed.

A new statement is fine where it is needed. Then the list here says so, in the same change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/v1/payment_intents"
WANTED = {"amount": 2000, "currency": "eur"}
PAID = {**WANTED, "payment_method": "pm_card_visa", "confirm": True}


@pytest.fixture
def statements(api: Any) -> Callable[..., list[str]]:
    """What a request sends, each statement as its first word and its table. Key and accounts are known before."""
    assert api.post(PATH, PAID).status_code == 200

    def sent(method: str, *arguments: Any, **headers: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            response = getattr(api, method)(*arguments, **headers)
        assert response.status_code == 200, response.content
        return [_named(query["sql"]) for query in captured.captured_queries]

    return sent


def _named(sql: str) -> str:
    words = sql.replace('"', "").replace("(", " ").split()
    if "ledger_post" in words:
        return "SELECT ledger_post"
    if words[0].startswith(("BEGIN", "COMMIT")):
        return words[0].strip(";")
    before = {"SELECT": "FROM", "INSERT": "INTO", "UPDATE": "UPDATE", "DELETE": "FROM"}[words[0]]
    return f"{words[0]} {words[words.index(before) + 1]}"


def test_creating_takes_six(statements: Callable[..., list[str]]) -> None:
    """One commit: the key is looked up, intent and event are written, the answer is kept."""
    assert statements("post", PATH, WANTED, idempotency_key="create") == [
        "BEGIN",
        "SELECT connect_idempotency_key",
        "INSERT payments_payment_intent",
        "INSERT connect_event",
        "INSERT connect_idempotency_key",
        "COMMIT",
    ]


def test_creating_and_confirming_takes_twenty(statements: Callable[..., list[str]]) -> None:
    """Two commits: everything is claimed before the processor is called, and recorded after it."""
    assert statements("post", PATH, PAID, idempotency_key="pay") == [
        "BEGIN",
        "SELECT connect_idempotency_key",
        "INSERT payments_payment_method",
        "INSERT connect_event",
        "INSERT payments_payment_attempt",
        "INSERT payments_payment_intent",
        "INSERT connect_idempotency_key",
        "COMMIT",
        "BEGIN",
        "SELECT payments_payment_intent",
        "SELECT payments_payment_attempt",
        "UPDATE payments_payment_attempt",
        "SELECT payments_payment_method",
        "SELECT ledger_post",
        "INSERT payments_balance_transaction",
        "INSERT payments_charge",
        "UPDATE payments_payment_intent",
        "INSERT connect_event",
        "UPDATE connect_idempotency_key",
        "COMMIT",
    ]


def test_confirming_takes_twenty_too(statements: Callable[..., list[str]], api: Any) -> None:
    """As creating and confirming, on an intent that is there: it is locked, read and updated instead of written."""
    intent = api.post(PATH, WANTED).json()["id"]
    sent = statements("post", f"{PATH}/{intent}/confirm", {"payment_method": "pm_card_visa"}, idempotency_key="confirm")
    assert sent[:7] == [
        "BEGIN",
        "SELECT connect_idempotency_key",
        "SELECT payments_payment_intent",
        "INSERT payments_payment_method",
        "INSERT payments_payment_attempt",
        "UPDATE payments_payment_intent",
        "INSERT connect_idempotency_key",
    ]
    assert len(sent) == 20


@pytest.mark.parametrize("path", [PATH, f"{PATH}?limit=100", "/v1/charges", "/v1/balance_transactions"])
def test_a_first_page_takes_one_statement_in_its_transaction(path: str, statements: Callable[..., list[str]]) -> None:
    """Whatever its length: rows are never read one by one."""
    sent = statements("get", path)
    assert [sent[0], len(sent), sent[-1]] == ["BEGIN", 3, "COMMIT"]


def test_retrieving_takes_one_statement_in_its_transaction(statements: Callable[..., list[str]], api: Any) -> None:
    intent = api.post(PATH, WANTED).json()["id"]
    assert statements("get", f"{PATH}/{intent}") == ["BEGIN", "SELECT payments_payment_intent", "COMMIT"]
