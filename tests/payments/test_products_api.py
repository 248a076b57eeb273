"""Products: what is kept, what is refused, what is announced."""

from __future__ import annotations

import pytest

from tests.paging import prove


@pytest.fixture
def product(api):
    """`product(name=…)` is a new product."""

    def create(**given):
        answer = api.post("/v1/products", {"name": "Coffee", **given})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


def test_a_product_is_kept_as_it_was_described(send, api):
    body = {"name": "Кафе", "description": "Ground", "images": ["https://shop.example/a.png"], "unit_label": "bag",
            "metadata": {"sku": "7"}, "shippable": True, "url": "https://shop.example/coffee"}  # fmt: skip
    made = send("/v1/products", body).json()
    assert made["id"].startswith("prod_")
    assert {name: made[name] for name in body} == body
    assert (made["object"], made["active"], made["default_price"], made["livemode"]) == ("product", True, None, False)
    assert made["created"] == made["updated"]
    assert api.get(f"/v1/products/{made['id']}").json() == made


def test_a_default_price_is_made_along(api, product):
    made = product(default_price_data={"currency": "mkd", "unit_amount": 15000})
    price = api.get(f"/v1/prices/{made['default_price']}").json()
    assert (price["product"], price["unit_amount"], price["currency"]) == (made["id"], 15000, "mkd")
    expanded = api.get(f"/v1/products/{made['id']}", {"expand[]": "default_price"}).json()
    assert expanded["default_price"] == price


def test_a_product_changes_and_unsets(api, product):
    made = product(description="Ground", metadata={"a": "1", "b": "2"})
    changed = api.post(f"/v1/products/{made['id']}", {"active": False, "description": "", "metadata": {"a": ""}}).json()
    assert (changed["active"], changed["description"], changed["metadata"]) == (False, None, {"b": "2"})


def test_only_a_price_of_its_own_becomes_the_default(api, product):
    mine, other = product(), product(default_price_data={"currency": "eur", "unit_amount": 100})
    refused = api.post(f"/v1/products/{mine['id']}", {"default_price": other["default_price"]})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "default_price")
    body = {"product": mine["id"], "currency": "eur", "unit_amount": 200}
    own = api.post("/v1/prices", body).json()
    assert api.post(f"/v1/products/{mine['id']}", {"default_price": own["id"]}).json()["default_price"] == own["id"]


def test_a_product_without_prices_is_deleted_and_stays_known_as_such(api, product):
    made = product()
    gone = {"id": made["id"], "object": "product", "deleted": True}
    assert api.delete(f"/v1/products/{made['id']}").json() == gone
    assert api.get(f"/v1/products/{made['id']}").json() == gone
    assert api.get("/v1/products").json()["data"] == []
    for again in (api.delete(f"/v1/products/{made['id']}"), api.post(f"/v1/products/{made['id']}", {"name": "x"})):
        assert (again.status_code, again.json()["error"]["code"]) == (404, "resource_missing")


def test_a_product_with_a_price_is_not_deleted(api, product):
    made = product(default_price_data={"currency": "eur", "unit_amount": 100})
    refused = api.delete(f"/v1/products/{made['id']}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "product_has_prices")
    assert api.get(f"/v1/products/{made['id']}").json() == made


def test_every_change_is_announced(api, product, books):
    with books.events() as published:
        made = product(default_price_data={"currency": "eur", "unit_amount": 100})
        api.post(f"/v1/products/{made['id']}", {"name": "Tea"})
        api.delete(f"/v1/products/{product()['id']}")
    assert [event.type for event in published] == [
        "product.created",
        "price.created",
        "product.updated",
        "product.created",
        "product.deleted",
    ]


def test_the_list_pages_and_filters(api, product):
    made = [product(name=f"p{number}", active=number % 2 == 0, shippable=number == 1)["id"] for number in range(5)][
        ::-1
    ]
    prove(api, "/v1/products", made)
    assert listed(api, active="true") == made[::2]
    assert listed(api, active="false") == made[1::2]
    assert listed(api, shippable="true") == [made[3]]
    assert listed(api, **{"ids[0]": made[0], "ids[1]": made[4]}) == [made[0], made[4]]


def listed(api, **query):
    return [entry["id"] for entry in api.get("/v1/products", query).json()["data"]]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 251}, "name"),
        ({"name": "x", "id": "mine"}, "id"),
        ({"name": "x", "images": ["javascript:alert(1)"]}, "images[0]"),
        ({"name": "x", "default_price_data": {"currency": "eur"}}, "unit_amount"),
    ],
)
def test_what_a_product_cannot_be_is_refused_by_name(api, body, param, books):
    with books.unchanged():
        refused = api.post("/v1/products", body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
