"""Every list of payments: paging both ways, filters, and only one's own."""

from __future__ import annotations

import pytest

from connect.kit import clock
from tests import paging
from tests.payments.books import refused


@pytest.fixture
def payments(intent, act):
    """Seven payments, newest first: five paid, one canceled, one open."""
    made = [intent(amount=1000 + n, payment_method="pm_card_visa", confirm=True) for n in range(5)]
    made.append(act(intent(), "cancel").json())
    made.append(intent())
    return made[::-1]


def test_payment_intents(api, payments):
    paging.prove(api, "/v1/payment_intents", [found["id"] for found in payments])
    succeeded = [found["id"] for found in payments if found["status"] == "succeeded"]
    paging.prove(api, "/v1/payment_intents", succeeded, {"status": "succeeded"})
    shown = api.get("/v1/payment_intents", {"limit": 100}).json()["data"]
    assert shown == payments


def test_charges(api, payments):
    charges = [found["latest_charge"] for found in payments if found["latest_charge"]]
    paging.prove(api, "/v1/charges", charges)
    one = api.get("/v1/charges", {"payment_intent": payments[-1]["id"]}).json()["data"]
    assert [charge["id"] for charge in one] == charges[-1:]


def test_balance_transactions(api, payments):
    lines = [
        api.get(f"/v1/charges/{found['latest_charge']}").json()["balance_transaction"]
        for found in payments
        if found["latest_charge"]
    ]
    paging.prove(api, "/v1/balance_transactions", lines, {"type": "charge"})
    paging.prove(api, "/v1/balance_transactions", lines, {"currency": "eur"})
    assert api.get("/v1/balance_transactions", {"currency": "usd"}).json()["data"] == []
    newest = payments[2]["latest_charge"]
    assert [line["source"] for line in api.get("/v1/balance_transactions", {"source": newest}).json()["data"]] == [
        newest
    ]


def test_customers_and_what_belongs_to_them(api, intent):
    customers = [api.post("/v1/customers", {"email": f"{n % 2}@example.com"}).json()["id"] for n in range(6)][::-1]
    paging.prove(api, "/v1/customers", customers)
    paging.prove(api, "/v1/customers", customers[::2], {"email": "1@example.com"})
    owner = customers[0]
    methods = [api.post("/v1/payment_methods/pm_card_visa/attach", {"customer": owner}).json()["id"] for _ in range(3)][
        ::-1
    ]
    paging.prove(api, f"/v1/customers/{owner}/payment_methods", methods, {"type": "card"})
    paging.prove(api, "/v1/payment_methods", methods, {"customer": owner})
    theirs = [intent(customer=owner, payment_method=method, confirm=True) for method in methods][::-1]
    paging.prove(api, "/v1/payment_intents", [found["id"] for found in theirs], {"customer": owner})
    paging.prove(api, "/v1/charges", [found["latest_charge"] for found in theirs], {"customer": owner})
    assert api.get("/v1/payment_intents", {"customer": customers[1]}).json()["data"] == []


def test_created_counts_in_whole_seconds(api, payments):
    moment = payments[0]["created"]
    for bounds, all_of_them in (
        ({"created[gte]": payments[-1]["created"], "created[lte]": moment}, True),
        ({"created[gt]": moment + 5}, False),
        ({"created[lt]": payments[-1]["created"]}, False),
    ):
        found = api.get("/v1/payment_intents", {"limit": 100, **bounds}).json()["data"]
        assert [entry["id"] for entry in found] == ([entry["id"] for entry in payments] if all_of_them else [])
    assert clock.from_unix(moment).tzinfo is not None


@pytest.mark.parametrize(
    ("path", "query", "code", "param"),
    [
        ("payment_intents", {"customer": "nobody"}, "resource_missing", "customer"),
        ("payment_intents", {"status": "paid"}, "parameter_invalid", "status"),
        ("payment_intents", {"created[at]": "1"}, "parameter_invalid", "created[at]"),
        ("charges", {"payment_intent": "ch_1"}, "resource_missing", "payment_intent"),
        ("customers", {"name": "Ana"}, "parameter_unknown", "name"),
        ("balance_transactions", {"currency": "euro"}, "parameter_invalid", "currency"),
        ("payment_methods", {"type": "sepa"}, "parameter_invalid", "type"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_by_name(api, path, query, code, param):
    refused(api.get(f"/v1/{path}", query), 400, code, param)


def test_lists_show_only_ones_own_environment(api, api_as, payments):
    for path in ("payment_intents", "charges", "customers", "payment_methods", "balance_transactions"):
        for slug, kind in (("acme", "live"), ("other", "test")):
            assert api_as(slug, kind).get(f"/v1/{path}").json()["data"] == []
    cursor = payments[0]["id"]
    answer = api_as("other", "test").get("/v1/payment_intents", {"starting_after": cursor})
    refused(answer, 400, "resource_missing", "starting_after")


def test_expand_in_a_list_needs_data(api, payments):
    shown = api.get("/v1/payment_intents", {"expand[]": "data.latest_charge.balance_transaction"}).json()["data"]
    assert [found["latest_charge"]["balance_transaction"]["net"] for found in shown[2:]] == [990, 989, 988, 987, 986]
    refused(api.get("/v1/payment_intents", {"expand[]": "latest_charge"}), 400, "parameter_invalid", "expand")
