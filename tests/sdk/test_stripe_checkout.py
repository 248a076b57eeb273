"""Products, prices and checkout sessions by the official SDK; the payer's part is done on the hosted page."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

import pytest
import requests
import stripe

SHOP = "https://shop.test/thanks"
HOUR = 3600


def pay(session: stripe.checkout.Session, number: str = "4242 4242 4242 4242") -> str:
    """Fill in the hosted page as a browser does. Where it leads to."""
    browser = requests.Session()
    key = re.search(r'name="key" value="([^"]+)"', browser.get(session.url, timeout=30).text)
    assert key, "the form is there"
    typed = {"email": "ana@example.com", "name": "Ana", "expiry": "12 / 40", "cvc": "123", "number": number}
    return browser.post(session.url, {**typed, "key": key[1]}, timeout=30, allow_redirects=False).headers["Location"]


def buy(v1: Any, **given: Any) -> stripe.checkout.Session:
    line = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}, "quantity": 2}
    return v1.checkout.sessions.create({"mode": "payment", "line_items": [line], "success_url": SHOP, **given})


@pytest.mark.sdk("products.create", "products.retrieve", "products.update", "products.delete", "products.list")
def test_products(v1):
    coffee = v1.products.create(
        {"name": "Coffee", "description": "Beans", "images": ["https://shop.test/a.png"], "metadata": {"shelf": "7"},
         "default_price_data": {"currency": "mkd", "unit_amount": 60000}, "expand": ["default_price"]}
    )  # fmt: skip
    assert isinstance(coffee, stripe.Product)
    assert isinstance(coffee.default_price, stripe.Price)
    assert (coffee.default_price.unit_amount, coffee.default_price.product) == (60000, coffee.id)
    assert (coffee.name, coffee.active, coffee.images, coffee.livemode) == (
        "Coffee", True, ["https://shop.test/a.png"], False,
    )  # fmt: skip
    changed = v1.products.update(coffee.id, {"description": "", "active": False, "metadata": {"shelf": "", "row": "2"}})
    assert (changed.description, changed.active, changed.metadata.to_dict()) == (None, False, {"row": "2"})
    assert v1.products.retrieve(coffee.id).to_dict() == changed.to_dict()

    teas = [v1.products.create({"name": f"Tea {number}", "url": "https://shop.test/tea"}).id for number in range(5)]
    listed = v1.products.list({"url": "https://shop.test/tea", "active": True, "limit": 2})
    assert [found.id for found in listed.auto_paging_iter()] == teas[::-1]
    assert [found.id for found in v1.products.list({"ids": [teas[0], coffee.id]})] == [teas[0], coffee.id]
    assert v1.products.list({"ids": [coffee.id], "active": True}).data == []

    gone = v1.products.delete(teas[0])
    assert (gone.id, gone.deleted) == (teas[0], True)
    assert v1.products.retrieve(teas[0]).deleted is True
    assert v1.products.list({"ids": [teas[0]]}).data == []
    with pytest.raises(stripe.InvalidRequestError) as sold:
        v1.products.delete(coffee.id)
    assert sold.value.http_status == 400, "a product with prices stays, with Stripe too"
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        v1.products.update("prod_unknown", {"name": "x"})
    assert (unknown.value.http_status, unknown.value.code) == (404, "resource_missing")


@pytest.mark.sdk("prices.create", "prices.retrieve", "prices.update", "prices.list")
def test_prices_and_their_lookup_keys(v1):
    product = v1.products.create({"name": "Club"}).id
    price = v1.prices.create(
        {"product": product, "currency": "eur", "unit_amount": 1250, "lookup_key": "club", "nickname": "Old",
         "recurring": {"interval": "month", "interval_count": 3}}
    )  # fmt: skip
    assert isinstance(price, stripe.Price)
    assert (price.type, price.recurring.interval, price.recurring.interval_count) == ("recurring", "month", 3)
    assert (price.unit_amount, price.unit_amount_decimal) == (1250, Decimal(1250))
    assert v1.prices.retrieve(price.id, {"expand": ["product"]}).product.name == "Club"
    exact = v1.prices.create({"product": product, "currency": "eur", "unit_amount_decimal": Decimal("0.0125")})
    assert (exact.unit_amount, exact.unit_amount_decimal, exact.type) == (None, Decimal("0.0125"), "one_time")

    assert [found.id for found in v1.prices.list({"lookup_keys": ["club", "nobody's"]})] == [price.id]
    with pytest.raises(stripe.InvalidRequestError) as taken:
        v1.prices.create({"product": product, "currency": "eur", "unit_amount": 1500, "lookup_key": "club"})
    assert taken.value.param == "lookup_key"
    heir = v1.prices.create(
        {"product": product, "currency": "eur", "unit_amount": 1500, "lookup_key": "club", "transfer_lookup_key": True}
    )
    assert [found.id for found in v1.prices.list({"lookup_keys": ["club"]})] == [heir.id]
    assert v1.prices.retrieve(price.id).lookup_key is None
    changed = v1.prices.update(price.id, {"active": False, "nickname": "", "metadata": {"until": "2026"}})
    assert (changed.active, changed.nickname, changed.metadata["until"]) == (False, None, "2026")

    every = v1.prices.list({"product": product, "limit": 1})
    assert [found.id for found in every.auto_paging_iter()] == [heir.id, exact.id, price.id]
    assert [found.id for found in v1.prices.list({"product": product, "type": "recurring"})] == [price.id]
    assert [found.id for found in v1.prices.list({"product": product, "active": False})] == [price.id]
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        v1.prices.create({"product": "prod_unknown", "currency": "eur", "unit_amount": 1})
    assert (nothing.value.code, nothing.value.param) == ("resource_missing", "product")


@pytest.mark.sdk(
    "checkout.sessions.create", "checkout.sessions.retrieve", "checkout.sessions.update",
    "checkout.sessions.line_items.list",
)  # fmt: skip
def test_a_session_that_is_paid(v1):
    price = v1.prices.create({"currency": "eur", "unit_amount": 500, "product_data": {"name": "Cup"}})
    lines = [{"price": price.id, "quantity": number} for number in (1, 2, 3)]
    customer = v1.customers.create({"email": "ana@example.com"}).id
    session = buy(
        v1, line_items=lines, customer=customer, client_reference_id="cart-7", metadata={"order": "7"},
        success_url=SHOP + "?s={CHECKOUT_SESSION_ID}", payment_intent_data={"metadata": {"a": "b"}},
        expand=["line_items"],
    )  # fmt: skip
    assert isinstance(session, stripe.checkout.Session)
    assert (session.status, session.payment_status, session.amount_total, session.currency) == (
        "open", "unpaid", 3000, "eur",
    )  # fmt: skip
    assert (session.payment_intent, session.ui_mode, session.client_reference_id) == (None, "hosted_page", "cart-7")
    assert session.expires_at - session.created == 24 * HOUR
    assert [line.quantity for line in session.line_items.data] == [1, 2, 3]
    assert [line.quantity for line in session.line_items.auto_paging_iter()] == [1, 2, 3]

    listed = v1.checkout.sessions.line_items.list(session.id, {"limit": 2, "expand": ["data.price.product"]})
    found = list(listed.auto_paging_iter())
    assert [(line.description, line.amount_total, line.price.id) for line in found] == [
        ("Cup", 500, price.id), ("Cup", 1000, price.id), ("Cup", 1500, price.id),
    ]  # fmt: skip
    assert isinstance(found[2].price.product, stripe.Product)
    assert v1.checkout.sessions.update(session.id, {"metadata": {"order": "8"}}).metadata["order"] == "8"

    assert pay(session) == f"{SHOP}?s={session.id}"
    done = v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge", "customer"]})
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert (done.payment_intent.status, done.payment_intent.metadata["a"]) == ("succeeded", "b")
    assert (done.payment_intent.latest_charge.amount, done.customer.id) == (3000, customer)
    assert done.customer_details.email == "ana@example.com"
    assert "line_items" not in done
    assert [found.id for found in v1.checkout.sessions.list({"payment_intent": done.payment_intent.id})] == [session.id]
    with pytest.raises(stripe.InvalidRequestError) as over:
        v1.checkout.sessions.expire(session.id)
    assert over.value.code == "checkout_session_not_open"


@pytest.mark.sdk("checkout.sessions.list", "checkout.sessions.expire")
def test_sessions_page_and_expire(v1):
    customer = v1.customers.create({"name": "Ana"}).id
    made = [buy(v1, customer=customer).id for _ in range(5)][::-1]
    listed = v1.checkout.sessions.list({"customer": customer, "limit": 2})
    assert [found.id for found in listed.auto_paging_iter()] == made
    assert requests.get(listed.data[0].url, timeout=30).status_code == 200
    expired = v1.checkout.sessions.expire(made[0])
    assert (expired.status, expired.payment_status, expired.url) == ("expired", "unpaid", None)
    assert [found.id for found in v1.checkout.sessions.list({"customer": customer, "status": "expired"})] == [made[0]]
    for wrong, param in (
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"price": "price_unknown"}]}, "line_items[0][price]"),
        ({"expires_at": int(time.time()) + 60}, "expires_at"),
        ({"mode": "subscription"}, "mode"),
        ({"sucess_url": SHOP}, "sucess_url"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            buy(v1, **wrong)
        assert (refused.value.http_status, refused.value.param) == (400, param)


def test_a_card_that_checkout_keeps_and_one_it_only_holds(v1):
    kept = v1.checkout.sessions.create(
        {"mode": "setup", "currency": "eur", "success_url": SHOP,
         "setup_intent_data": {"description": "For later", "metadata": {"a": "b"}}}
    )  # fmt: skip
    assert (kept.setup_intent, pay(kept)) == (None, SHOP)
    done = v1.checkout.sessions.retrieve(kept.id)
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "no_payment_required", None)
    setup = v1.setup_intents.retrieve(done.setup_intent, {"expand": ["payment_method"]})
    assert (setup.status, setup.usage, setup.customer) == ("succeeded", "off_session", done.customer)
    assert (setup.description, setup.metadata["a"], setup.payment_method.card.last4) == ("For later", "b", "4242")
    seen = v1.checkout.sessions.retrieve(kept.id, {"expand": ["setup_intent"]}).setup_intent
    assert isinstance(seen, stripe.SetupIntent)
    assert seen.payment_method == setup.payment_method.id
    (method,) = v1.customers.payment_methods.list(done.customer)
    assert (method.card.last4, method.billing_details.email) == ("4242", "ana@example.com")

    held = buy(v1, payment_intent_data={"capture_method": "manual"})
    assert pay(held) == SHOP
    done = v1.checkout.sessions.retrieve(held.id)
    assert (done.status, done.payment_status) == ("complete", "unpaid")
    assert v1.payment_intents.capture(done.payment_intent).amount_received == 2500


def test_the_module_style_does_the_same(module):
    product = module.Product.create(name="Coffee")
    assert module.Product.modify(product.id, name="Tea").name == "Tea"
    price = module.Price.create(product=product.id, currency="eur", unit_amount=700, lookup_key="module")
    assert module.Price.modify(price.id, nickname="Tin").nickname == "Tin"
    assert module.Price.list(lookup_keys=["module"]).data[0].id == price.id
    session = module.checkout.Session.create(
        mode="payment", line_items=[{"price": price.id, "quantity": 1}], success_url=SHOP
    )
    assert module.checkout.Session.list_line_items(session.id).data[0].price.id == price.id
    assert module.checkout.Session.modify(session.id, metadata={"a": "b"}).metadata["a"] == "b"
    assert session.expire().status == "expired"
