"""Checkout sessions as the app sees them: what is asked for, what is refused, how they end."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from connect.domain import redirects
from payments.domain import checkout_state
from tests.paging import prove

HOUR = 3600


@pytest.fixture
def price(api):
    body = {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}
    return api.post("/v1/prices", body).json()


@pytest.fixture
def session(api, price):
    """`session(locale="mk")` is a new session over two coffees for 25.00 EUR, unless told otherwise."""

    def create(**given):
        body = {"mode": "payment", "line_items": [{"price": price["id"], "quantity": 2}], **given}
        answer = api.post("/v1/checkout/sessions", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


def test_a_session_is_kept_as_it_was_described(send, api, price):
    customer = api.post("/v1/customers", {"email": "ana@example.com"}).json()["id"]
    body = {
        "mode": "payment", "line_items": [{"price": price["id"], "quantity": 2}], "customer": customer,
        "success_url": "https://shop.example/ok?session={CHECKOUT_SESSION_ID}", "cancel_url": "https://shop.example/",
        "client_reference_id": "cart-7", "locale": "sr-Latn", "submit_type": "book", "ui_mode": "hosted_page",
        "billing_address_collection": "required", "phone_number_collection": {"enabled": True},
        "metadata": {"order": "7"},
    }  # fmt: skip
    made = send("/v1/checkout/sessions", body).json()
    assert made["id"].startswith("cs_")
    assert {name: made[name] for name in body if name != "line_items"} == {
        name: value for name, value in body.items() if name != "line_items"
    }
    facts = {"object": "checkout.session", "status": "open", "payment_status": "unpaid", "amount_subtotal": 2500,
             "amount_total": 2500, "currency": "eur", "payment_intent": None, "livemode": False,
             "customer_creation": None, "customer_email": "ana@example.com"}  # fmt: skip
    assert {name: made[name] for name in facts} == facts
    assert made["expires_at"] - made["created"] == 24 * HOUR
    assert "line_items" not in made
    assert api.get(f"/v1/checkout/sessions/{made['id']}").json() == made


def test_the_lines_come_by_their_list_and_by_expanding(api, price):
    data = {"currency": "eur", "unit_amount_decimal": "33.5", "product_data": {"name": "Bean"}}
    items = [{"price": price["id"], "quantity": 2}, {"price_data": data, "quantity": 3}, {"price": price["id"]}]
    body = {"mode": "payment", "line_items": items, "expand": ["line_items.data.price.product"]}
    made = api.post("/v1/checkout/sessions", body).json()
    lines = made["line_items"]["data"]
    assert [(line["description"], line["quantity"], line["amount_total"]) for line in lines] == [
        ("Coffee", 2, 2500), ("Bean", 3, 101), ("Coffee", 1, 1250),
    ]  # fmt: skip
    assert made["amount_total"] == 3851
    assert [line["price"]["product"]["name"] for line in lines] == ["Coffee", "Bean", "Coffee"]
    assert lines[1]["price"]["active"] is False, "a price for one session is sold in no other"
    assert lines[1]["price"]["product"]["active"] is False
    path = f"/v1/checkout/sessions/{made['id']}/line_items"
    prove(api, path, [line["id"] for line in lines])
    assert made["line_items"]["url"] == path


def test_the_address_is_there_while_the_session_is_open_and_its_secret_is_not_kept_in_clear(api, session, books):
    made = session()
    assert made["url"] == session_of(api, made)["url"]
    secret = made["url"].rpartition(".")[2]
    assert len(secret) == 33
    assert api.post(f"/v1/checkout/sessions/{made['id']}/expire").json()["url"] is None
    assert session_of(api, made)["url"] is None


def session_of(api, made):
    return api.get(f"/v1/checkout/sessions/{made['id']}").json()


def test_metadata_changes_at_any_time(api, session):
    made = session(metadata={"a": "1"})
    assert api.post(f"/v1/checkout/sessions/{made['id']}", {"metadata": {"b": "2"}}).json()["metadata"] == {
        "a": "1", "b": "2",
    }  # fmt: skip
    api.post(f"/v1/checkout/sessions/{made['id']}/expire")
    assert api.post(f"/v1/checkout/sessions/{made['id']}", {"metadata": {"a": ""}}).json()["metadata"] == {"b": "2"}


def test_expiring_is_announced_once(api, session, books):
    made = session()
    with books.events() as published:
        expired = api.post(f"/v1/checkout/sessions/{made['id']}/expire").json()
        again = api.post(f"/v1/checkout/sessions/{made['id']}/expire")
    assert expired["status"] == "expired"
    assert (again.status_code, again.json()["error"]["code"]) == (400, "checkout_session_not_open")
    assert [(event.type, event.object_id) for event in published] == [("checkout.session.expired", made["id"])]
    assert published[0].payload["url"] is None


def test_the_list_pages_and_filters(api, session):
    customer = api.post("/v1/customers", {"name": "Ana"}).json()["id"]
    made = [session(customer=customer)["id"], session()["id"], session()["id"], session()["id"]][::-1]
    api.post(f"/v1/checkout/sessions/{made[0]}/expire")
    prove(api, "/v1/checkout/sessions", made)

    def listed(**query):
        return [entry["id"] for entry in api.get("/v1/checkout/sessions", query).json()["data"]]

    assert listed(customer=customer) == [made[3]]
    assert listed(status="expired") == [made[0]]
    assert listed(status="open") == made[1:]
    assert listed(payment_intent="pi_" + "0" * 22) == []


def test_an_order_for_nothing_asks_for_no_payment(session):
    free = {"currency": "eur", "unit_amount": 0, "product_data": {"name": "Sample"}}
    made = session(line_items=[{"price_data": free}])
    assert (made["amount_total"], made["payment_status"]) == (0, "no_payment_required")


def test_words_for_the_setup_intent_are_for_setup_mode_only(api, session, price, books):
    setup = {"mode": "setup", "setup_intent_data": {"description": "For later", "metadata": {"a": "b"}}}
    assert api.post("/v1/checkout/sessions", setup).json()["setup_intent"] is None
    for body, param in (
        ({"mode": "payment", "line_items": [{"price": price["id"]}], "setup_intent_data": {"description": "x"}},
         "setup_intent_data"),
        ({"mode": "setup", "payment_intent_data": {"description": "x"}}, "payment_intent_data"),
        ({"mode": "setup", "setup_intent_data": {"description": "x" * 1001}}, "setup_intent_data[description]"),
        ({"mode": "setup", "setup_intent_data": {"usage": "on_session"}}, "setup_intent_data[usage]"),
    ):  # fmt: skip
        with books.unchanged():
            answer = api.post("/v1/checkout/sessions", body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_card_is_kept_without_lines(api):
    made = api.post("/v1/checkout/sessions", {"mode": "setup", "currency": "eur"}).json()
    facts = {"amount_total": None, "payment_status": "no_payment_required", "customer_creation": "always"}
    assert {name: made[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"mode": "subscription"}, "mode", "parameter_invalid"),
        ({"mode": "setup"}, "line_items", "parameter_invalid"),
        ({"line_items": []}, "line_items", "parameter_missing"),
        ({"line_items": [{}]}, "line_items[0][price]", "parameter_missing"),
        ({"line_items": [{"price": "price_unknown"}]}, "line_items[0][price]", "resource_missing"),
        ({"line_items": [{"price_data": {"currency": "eur", "unit_amount": 100}}]},
         "line_items[0][price_data][product]", "parameter_missing"),
        ({"line_items": [{"price_data": {"currency": "eur", "unit_amount": 1, "product_data": {"name": "x"}}}]},
         "line_items", "amount_too_small"),
        ({"line_items": [{"price_data": {"currency": "eur", "unit_amount": 10**11, "product_data": {"name": "x"}},
                          "quantity": 1000}]}, "line_items", "amount_too_large"),
        ({"success_url": "http://shop.example/"}, "success_url", "redirect_url_invalid"),
        ({"cancel_url": "http://shop.example/"}, "cancel_url", "redirect_url_invalid"),
        ({"success_url": "https://shop.example;script-src/"}, "success_url", "redirect_url_invalid"),
        ({"success_url": "javascript:alert(1)"}, "success_url", "parameter_invalid"),
        ({"customer": "cus_unknown"}, "customer", "resource_missing"),
        ({"customer_email": "nobody"}, "customer_email", "parameter_invalid"),
        ({"locale": "tlh"}, "locale", "parameter_invalid"),
        ({"automatic_tax": {"enabled": True}}, "automatic_tax", "parameter_unknown"),
        ({"discounts": [{"coupon": "x"}]}, "discounts", "parameter_unknown"),
    ],
)  # fmt: skip
def test_what_a_session_cannot_be_is_refused_by_name(api, price, books, change, param, code):
    body = {"mode": "payment", "line_items": [{"price": price["id"]}], **change}
    with books.unchanged():
        refused = api.post("/v1/checkout/sessions", body)
    assert (refused.status_code, refused.json()["error"]["param"], refused.json()["error"]["code"]) == (
        400,
        param,
        code,
    )


def test_a_customer_is_given_or_made_but_not_both(api, price):
    customer = api.post("/v1/customers", {"name": "Ana"}).json()["id"]
    for other in ({"customer_email": "a@example.com"}, {"customer_creation": "always"}):
        body = {"mode": "payment", "line_items": [{"price": price["id"]}], "customer": customer, **other}
        assert api.post("/v1/checkout/sessions", body).json()["error"]["param"] == next(iter(other))


def test_only_what_is_for_sale_once_in_one_currency_is_sold(api, price):
    def refusal(*items):
        body = {"mode": "payment", "line_items": [{"price": item} for item in items]}
        answer = api.post("/v1/checkout/sessions", body)
        assert answer.status_code == 400
        return answer.json()["error"]["code"]

    def another(**given):
        body = {"product": price["product"], "currency": "eur", "unit_amount": 900, **given}
        return api.post("/v1/prices", body).json()["id"]

    assert refusal(price["id"], another(currency="mkd", unit_amount=90000)) == "checkout_currencies_mixed"
    assert refusal(another(recurring={"interval": "month"})) == "checkout_price_recurring"
    assert refusal(another(active=False)) == "price_inactive"
    api.post(f"/v1/products/{price['product']}", {"active": False})
    assert refusal(price["id"]) == "price_inactive"


def test_a_session_lives_between_half_an_hour_and_a_day(api, price):
    def answer(seconds):
        body = {"mode": "payment", "line_items": [{"price": price["id"]}], "expires_at": int(time.time()) + seconds}
        return api.post("/v1/checkout/sessions", body)

    assert answer(HOUR // 2).status_code == answer(24 * HOUR).status_code == 200
    for seconds in (-HOUR, HOUR // 2 - 120, 24 * HOUR + 120):
        refused = answer(seconds).json()["error"]
        assert (refused["code"], refused["param"]) == ("checkout_expiry_invalid", "expires_at")


def test_a_live_environment_without_a_processor_has_no_page(api_as):
    live = api_as("acme", "live")
    price = live.post("/v1/prices", {"currency": "eur", "unit_amount": 900, "product_data": {"name": "x"}}).json()["id"]
    refused = live.post("/v1/checkout/sessions", {"mode": "payment", "line_items": [{"price": price}]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "testmode_only")


LOCAL = ["localhost:*", "127.0.0.1:9000", "[::1]:*"]


@pytest.mark.parametrize(
    ("url", "live", "test"),
    [
        ("https://shop.example/a?b=c#d", True, True),
        ("https://localhost/", True, True),
        ("http://shop.example/", False, False),
        ("http://localhost:3000/ok", False, True),
        ("http://localhost", False, True),
        ("http://127.0.0.1:9000/", False, True),
        ("http://127.0.0.1:9001/", False, False),
        ("http://[::1]:5000/", False, True),
        ("http://localhost.shop.example/", False, False),
        ("https://user@shop.example/", False, False),
        ("https://{CHECKOUT_SESSION_ID}.shop.example/", False, False),
        ("https://shop.example:99999/", False, False),
        ("ftp://shop.example/", False, False),
    ],
)
def test_where_a_payer_may_be_sent(url, live, test):
    assert redirects.is_allowed(url, livemode=True, local_hosts=LOCAL) is live
    assert redirects.is_allowed(url, livemode=False, local_hosts=LOCAL) is test


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Shop.Example:443/a", "https://shop.example"),
        ("https://shop.example:8443/", "https://shop.example:8443"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://продавница.мкд/", "https://xn--80aafgw3adhj0e.xn--d1alf"),
        ("https://shop.example; img-src *", None),
        ("https://'unsafe-inline'/", None),
    ],
)
def test_an_origin_is_fit_for_a_policy(url, origin):
    assert redirects.origin(url) == origin


@pytest.mark.parametrize(
    ("unit", "quantity", "minor"), [("33.5", 3, 101), ("33.5", 1, 34), ("0.4", 1, 0), ("0.4", 2, 1)]
)
def test_a_line_is_rounded_once_half_up(unit, quantity, minor):
    assert checkout_state.line_amount(Decimal(unit), quantity) == minor
