"""Prices: exact amounts, lookup keys that have one owner, and nothing that changes behind a buyer's back."""

from __future__ import annotations

import pytest

from tests.paging import prove


@pytest.fixture
def product(api):
    return api.post("/v1/products", {"name": "Coffee"}).json()["id"]


@pytest.fixture
def price(api, product):
    """`price(unit_amount=…)` is a new price of 12.50 EUR unless told otherwise."""

    def create(**given):
        amount = {} if "unit_amount_decimal" in given else {"unit_amount": 1250}
        answer = api.post("/v1/prices", {"product": product, "currency": "eur", **amount, **given})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


def test_a_price_is_kept_as_it_was_described(send, api, product):
    body = {"product": product, "currency": "EUR", "unit_amount": 1250, "nickname": "bag", "metadata": {"a": "1"}}
    made = send("/v1/prices", body).json()
    assert made["id"].startswith("price_")
    expected = {**body, "currency": "eur", "type": "one_time", "unit_amount_decimal": "1250", "recurring": None,
                "active": True, "billing_scheme": "per_unit", "tax_behavior": "unspecified", "lookup_key": None}  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert api.get(f"/v1/prices/{made['id']}").json() == made
    expanded = api.get(f"/v1/prices/{made['id']}", {"expand[]": "product"}).json()
    assert expanded["product"]["id"] == product


@pytest.mark.parametrize(
    ("given", "whole", "exact"),
    [("0.5", None, "0.5"), ("1250.000", 1250, "1250"), ("0", 0, "0"), ("0.000000000001", None, "0.000000000001")],
)
def test_parts_of_a_minor_unit_are_kept_exactly(price, given, whole, exact):
    made = price(unit_amount_decimal=given)
    assert (made["unit_amount"], made["unit_amount_decimal"]) == (whole, exact)


def test_a_recurring_price_is_kept_for_billing(price):
    made = price(recurring={"interval": "month"})
    assert made["type"] == "recurring"
    assert made["recurring"] == {
        "interval": "month", "interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed",
    }  # fmt: skip


def test_a_price_makes_its_product_along(api, books):
    body = {"currency": "eur", "unit_amount": 100, "product_data": {"name": "Tea"}}
    with books.events() as published:
        made = api.post("/v1/prices", body).json()
    assert api.get(f"/v1/products/{made['product']}").json()["name"] == "Tea"
    assert [event.type for event in published] == ["product.created", "price.created"]


def test_words_change_and_the_amount_does_not(api, price, books):
    made = price(metadata={"a": "1"})
    body = {"active": False, "nickname": "old", "metadata": {"b": "2"}, "tax_behavior": "inclusive"}
    with books.events() as published:
        changed = api.post(f"/v1/prices/{made['id']}", body).json()
    assert (changed["active"], changed["nickname"], changed["metadata"]) == (False, "old", {"a": "1", "b": "2"})
    assert [event.type for event in published] == ["price.updated"]
    for body, param in (({"unit_amount": 1}, "unit_amount"), ({"tax_behavior": "exclusive"}, "tax_behavior")):
        refused = api.post(f"/v1/prices/{made['id']}", body)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
    assert api.get(f"/v1/prices/{made['id']}").json() == changed


def test_a_lookup_key_has_one_owner_until_it_is_taken_over(api, price):
    first, second = price(lookup_key="standard"), price()
    refused = api.post(f"/v1/prices/{second['id']}", {"lookup_key": "standard"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "resource_already_exists")
    assert first["id"] in refused.json()["error"]["message"]
    taken = api.post(f"/v1/prices/{second['id']}", {"lookup_key": "standard", "transfer_lookup_key": True}).json()
    assert taken["lookup_key"] == "standard"
    assert api.get(f"/v1/prices/{first['id']}").json()["lookup_key"] is None
    third = price(lookup_key="standard", transfer_lookup_key=True)
    found = api.get("/v1/prices", {"lookup_keys[]": "standard"}).json()["data"]
    assert [entry["id"] for entry in found] == [third["id"]]
    assert api.post(f"/v1/prices/{third['id']}", {"lookup_key": ""}).json()["lookup_key"] is None


def test_the_list_pages_and_filters(api, price, product):
    made = [
        price(active=False)["id"],
        price(currency="mkd", unit_amount=15000)["id"],
        price(recurring={"interval": "year"})["id"],
        price(lookup_key="k")["id"],
    ][::-1]
    prove(api, "/v1/prices", made)
    other = api.post("/v1/products", {"name": "Tea"}).json()["id"]

    def listed(**query):
        return [entry["id"] for entry in api.get("/v1/prices", query).json()["data"]]

    assert listed(active="false") == [made[3]]
    assert listed(currency="mkd") == [made[2]]
    assert listed(type="recurring") == [made[1]] == listed(**{"recurring[interval]": "year"})
    assert listed(**{"lookup_keys[0]": "k", "lookup_keys[1]": "unknown"}) == [made[0]]
    assert (listed(product=product), listed(product=other)) == (made, [])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"currency": "eur"}, "unit_amount"),
        ({"currency": "eur", "unit_amount": -1}, "unit_amount"),
        ({"currency": "eur", "unit_amount": 1, "unit_amount_decimal": "1"}, "unit_amount"),
        ({"currency": "eur", "unit_amount_decimal": "-0.5"}, "unit_amount_decimal"),
        ({"currency": "eur", "unit_amount_decimal": "1e3"}, "unit_amount_decimal"),
        ({"currency": "xxx", "unit_amount": 1}, "currency"),
        ({"currency": "eur", "unit_amount": 1, "recurring": {"interval": "hour"}}, "recurring[interval]"),
        ({"currency": "eur", "unit_amount": 1, "tiers": []}, "tiers"),
        ({"currency": "eur", "unit_amount": 1, "product_data": {"name": "x"}}, "product"),
    ],
)
def test_what_a_price_cannot_be_is_refused_by_name(api, product, body, param):
    refused = api.post("/v1/prices", {"product": product, **body})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
    assert api.get("/v1/prices").json()["data"] == []


def test_a_price_needs_a_product(api):
    for body in ({}, {"product": "prod_unknown"}):
        refused = api.post("/v1/prices", {"currency": "eur", "unit_amount": 1, **body})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "product")
