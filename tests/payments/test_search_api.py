"""Search of customers and payment intents: what each kind of clause finds, page by page."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from connect.kit import ids
from connect.kit.clock import unix
from connect.kit.pages import Page
from connect.kit.search import parse
from connect.kit.tenancy import use_environment
from payments.domain import searchable
from payments.models import Customer, PaymentIntent
from payments.selectors import customers as customer_selectors
from payments.selectors import payment_intents as intent_selectors

CUSTOMERS, INTENTS = "/v1/customers/search", "/v1/payment_intents/search"
BEGAN = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def found(api) -> Callable[[str, str], list[str]]:
    """`found(path, query)` are the ids, newest first, read two at a time."""

    def search(path: str, query: str) -> list[str]:
        ids: list[str] = []
        asked: dict[str, Any] = {"query": query, "limit": 2}
        while True:
            answer = api.get(path, asked)
            assert answer.status_code == 200, answer.content
            page = answer.json()
            assert list(page) == ["object", "url", "has_more", "next_page", "data"]
            assert (page["object"], page["url"]) == ("search_result", path)
            ids += [entry["id"] for entry in page["data"]]
            if not page["has_more"]:
                assert page["next_page"] is None
                return ids
            assert len(page["data"]) == 2
            asked["page"] = page["next_page"]

    return search


@pytest.fixture
def people(api, environment) -> dict[str, str]:
    """Six customers by their letter, made a second apart, and two that no search shows."""
    given: dict[str, dict[str, Any]] = {
        "a": {"email": "Ana@Example.com", "name": "Ана Петровска", "metadata": {"order": "7", "shop": "Skopje"}},
        "b": {"email": "beti@example.com", "name": "Beti", "phone": "+389 70 111 222", "metadata": {"order": "8"}},
        "c": {"email": "50%_off@example.org", "name": 'C "quoted" O\'Hara'},
        "d": {"name": "Beti Ana", "metadata": {"shop": "skopje"}},
        "e": {"email": "eva@example.com", "metadata": {"the 'key'": 'a "b" \\ c'}},
        "f": {},
    }
    made = {letter: api.post("/v1/customers", fields).json()["id"] for letter, fields in given.items()}
    gone = api.post("/v1/customers", {"email": "ana@example.com", "metadata": {"order": "7"}}).json()["id"]
    api.delete(f"/v1/customers/{gone}")
    clock = api.post("/v1/test_helpers/test_clocks", {"frozen_time": 1_800_000_000}).json()["id"]
    api.post("/v1/customers", {"email": "ana@example.com", "test_clock": clock})
    _second_by_second(environment, Customer)
    return made


def _second_by_second(environment: Any, model: Any) -> None:
    with use_environment(environment):
        for number, row in enumerate(model.objects.order_by("id")):
            model.objects.filter(pk=row.pk).update(created_at=BEGAN + timedelta(seconds=number))


T = unix(BEGAN)


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        ("email:'ana@example.com'", "a"),
        ("email:'ANA@EXAMPLE.COM'", "a"),
        ("email:'ana@example'", ""),
        ("email~'EXAMPLE.C'", "eba"),
        ("email~'%_o'", "c"),
        ("email~'xam_le'", ""),
        ("email:null", "fd"),
        ("-email:null", "ecba"),
        ("-email:'beti@example.com'", "fedca"),
        ("-email~'example'", "fd"),
        ("name:'beti'", "b"),
        ("name~'beti'", "db"),
        ("name~'ПЕТРОВ'", "a"),
        (r"name:'C \"quoted\" O\'Hara'", "c"),
        ("phone~'111'", "b"),
        ("metadata['order']:'7'", "a"),
        ("metadata['order']:'77'", ""),
        ("metadata['shop']:'skopje'", "d"),
        ("metadata['order']:null", "fedc"),
        ("-metadata['order']:null", "ba"),
        ("-metadata['order']:'7'", "fedcb"),
        (r"""metadata["the 'key'"]:"a \"b\" \\ c" """, "e"),
        (f"created:{T + 1}", "b"),
        (f"created>{T + 3}", "fe"),
        (f"created>={T + 3}", "fed"),
        (f"created<{T + 1}", "a"),
        (f"created<={T + 1}", "ba"),
        (f"-created:{T + 1}", "fedca"),
        (f"created>{T} AND created<{T + 3}", "cb"),
        ("email~'example.com' -metadata['order']:'7'", "eb"),
        ("email:'eva@example.com' OR metadata['shop']:'skopje' OR name:'Beti'", "edb"),
        ("created:null", ""),
        ("-created:null", "fedcba"),
    ],
)  # fmt: skip
def test_customers(people, found, query, letters):
    assert found(CUSTOMERS, query) == [people[letter] for letter in letters]


@pytest.fixture
def payments(api, environment) -> dict[str, str]:
    """Five intents by their letter, a second apart; `a`, `b` and `e` have a customer."""
    customers = [api.post("/v1/customers", {"name": name}).json()["id"] for name in ("Ana", "Beti")]
    given: dict[str, dict[str, Any]] = {
        "a": {"amount": 1000, "currency": "eur", "customer": customers[0], "metadata": {"order": "7"}},
        "b": {"amount": 2000, "currency": "eur", "customer": customers[1]},
        "c": {"amount": 300000, "currency": "mkd", "payment_method": "pm_card_visa", "confirm": True},
        "d": {"amount": 3000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True},
        "e": {"amount": 4000, "currency": "eur", "customer": customers[0]},
    }
    made = {letter: api.post("/v1/payment_intents", fields).json()["id"] for letter, fields in given.items()}
    api.post(f"/v1/payment_intents/{made['e']}/cancel")
    _second_by_second(environment, PaymentIntent)
    return {**made, "Ana": customers[0], "Beti": customers[1]}


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        ("amount:2000", "b"),
        ("amount>2000", "edc"),
        ("amount>=2000", "edcb"),
        ("amount<2000", "a"),
        ("amount<=2000", "ba"),
        ("-amount>2000", "ba"),
        ("amount<999999999999999", "edcba"),
        ("amount>999999999999999", ""),
        ("amount:null", ""),
        ("currency:'eur'", "edba"),
        ("currency:'MKD'", "c"),
        ("-currency:'eur'", "c"),
        ("status:'succeeded'", "dc"),
        ("status:'Canceled'", "e"),
        ("-status:'succeeded'", "eba"),
        ("customer:'{Ana}'", "ea"),
        ("customer:'{Beti}' OR customer:'{Ana}'", "eba"),
        ("-customer:'{Ana}'", "dcb"),
        ("customer:null", "dc"),
        ("customer:'cus_unknown'", ""),
        ("metadata['order']:'7'", "a"),
        (f"created>={T + 1} created<={T + 2}", "cb"),
        ("status:'succeeded' AND amount>2000 AND currency:'eur'", "d"),
        ("status:'canceled' OR amount<=1000", "ea"),
    ],
)  # fmt: skip
def test_payment_intents(payments, found, query, letters):
    assert found(INTENTS, query.format(**payments)) == [payments[letter] for letter in letters]


def test_what_is_found_is_what_is_retrieved_and_can_be_expanded(api, payments):
    paid = {"query": "amount:1000", "expand[]": "data.customer"}
    (intent,) = api.get(INTENTS, paid).json()["data"]
    assert intent["customer"] == api.get(f"/v1/customers/{payments['Ana']}").json()
    (intent,) = api.get(INTENTS, {"query": "amount:1000"}).json()["data"]
    assert intent == api.get(f"/v1/payment_intents/{payments['a']}").json()


def test_how_many_there_are_is_told_when_asked_for(api, payments):
    page = api.get(INTENTS, {"query": "currency:'eur'", "limit": 1, "expand[]": "total_count"}).json()
    assert (page["total_count"], len(page["data"]), page["has_more"]) == (4, 1, True)
    rest = api.get(INTENTS, {"query": "currency:'eur'", "page": page["next_page"], "expand[]": "total_count"}).json()
    assert (rest["total_count"], len(rest["data"]), rest["has_more"]) == (4, 3, False)


def test_a_page_goes_on_where_it_stopped_whatever_became_of_what_was_read(api, payments):
    first = api.get(INTENTS, {"query": "metadata['seen']:null", "limit": 2}).json()
    assert [found["id"] for found in first["data"]] == [payments["e"], payments["d"]]
    api.post(f"/v1/payment_intents/{payments['d']}", {"metadata": {"seen": "yes"}})
    rest = api.get(INTENTS, {"query": "metadata['seen']:null", "page": first["next_page"]}).json()
    assert [found["id"] for found in rest["data"]] == [payments[letter] for letter in "cba"]


@pytest.mark.parametrize(
    ("parameters", "param", "code", "told"),
    [
        ({}, "query", "parameter_missing", "Missing required param: query."),
        ({"query": ""}, "query", "parameter_invalid_empty", "You passed an empty string for 'query'"),
        ({"query": "x" * 1001}, "query", "parameter_invalid", "it can have up to 1000"),
        ({"query": "mail:'a'"}, "query", "search_query_invalid",
         "'mail' is not a field that can be searched here. Search by created, email, metadata['key'], name, phone"),
        ({"query": "name~'ab'"}, "query", "search_query_invalid", "~ needs at least 3 characters"),
        ({"query": "name:'abc'", "page": "nonsense"}, "page", "resource_missing", "No such page: 'nonsense'"),
        ({"query": "name:'abc'", "limit": 101}, "limit", "parameter_invalid_integer", "less than or equal to 100"),
        ({"query": "name:'abc'", "starting_after": "cus_1"}, "starting_after", "parameter_unknown", "starting_after"),
        ({"query": "name:'abc'", "expand[]": "data.nothing"}, "expand", "parameter_invalid", "data.nothing"),
        ({"query": "name:'abc'", "expand[]": "nothing"}, "expand", "parameter_invalid", "nothing"),
    ],
)  # fmt: skip
def test_what_is_refused(api, parameters, param, code, told):
    answer = api.get(CUSTOMERS, parameters)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert told in error["message"]


def test_a_status_that_no_intent_has_is_refused(api):
    error = api.get(INTENTS, {"query": "status:'paid'"}).json()["error"]
    assert error["code"] == "search_query_invalid"
    assert "It is one of requires_payment_method, requires_confirmation" in error["message"]


# --- indexes ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_picks_few_rows_has_an_index(environment, caller, django_assert_max_num_queries):
    """Read off the plans over some thousand rows whose statistics are known."""
    common = {"account_id": caller.account, "created_at": BEGAN}
    payer = ids.new()
    with use_environment(environment):
        Customer.objects.bulk_create(
            Customer(email=f"{n}@example.com", name=f"Number {n}", phone=str(n), metadata={"order": str(n)}, **common)
            for n in range(4000)
        )
        PaymentIntent.objects.bulk_create(
            PaymentIntent(
                amount_minor=n + 1, currency="eur", status="canceled", customer_id=payer if n == 77 else ids.new(),
                metadata={"order": str(n)}, **common,
            )
            for n in range(4000)
        )  # fmt: skip
    with psycopg.connect(_administration(), autocommit=True) as connected:
        connected.execute("VACUUM ANALYZE")

    def plan(search: Any, query: str, fields: Any) -> str:
        with use_environment(environment), django_assert_max_num_queries(10) as captured:
            hits = search(caller, query=parse(query, fields), page=Page(), count=False)
            assert len(hits.objects) == 1, query
            statement = captured.captured_queries[-1]["sql"]
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")  # in so small a table, reading all of it is cheap
                cursor.execute(f"EXPLAIN {statement}")
                return "\n".join(line for (line,) in cursor.fetchall())

    for query, index in (
        ("email:'77@EXAMPLE.com'", "payments_customer_email_upper"),
        ("email~'1277@ex'", "payments_customer_words"),
        ("name~'ber 1277'", "payments_customer_words"),
        ("phone:'1277'", "payments_customer_words"),
        ("metadata['order']:'77'", "payments_customer_metadata"),
    ):
        assert index in plan(customer_selectors.search, query, searchable.CUSTOMERS), query
    for query, index in (
        ("metadata['order']:'77'", "payments_intent_metadata"),
        (f"customer:'{ids.encode('cus', payer)}'", "payments_intent_customer"),
    ):
        assert index in plan(intent_selectors.search, query, searchable.PAYMENT_INTENTS), query


def _administration() -> str:
    return os.environ["FC_TEST_ADMIN_URL"].rpartition("/")[0] + f"/{os.environ['FC_TEST_DATABASE']}"
