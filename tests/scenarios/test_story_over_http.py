"""The story that must always work, from signing up to the dashboard that shows all of it, over HTTP and nothing else."""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from connect.domain import webhook_signatures
from tests.live_server import Answered
from tests.product import App, Product
from tests.scenarios import customer
from tests.scenarios.developer import Developer
from tests.scenarios.sink import Sink
from tests.scenarios.visitor import Visitor

pytestmark = pytest.mark.stack

SUCCEEDED = "payment_intent.succeeded"
CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123", "email": "ana@example.com", "name": "Ana"}


def test_the_whole_story(product: Product) -> None:
    developer = Developer(product)
    developer.sign_up()
    developer.make_organization("Story Shop")
    app = product.app(developer.make_key())
    with Sink() as good, Sink(failures=1) as failing:
        secrets = {sink: developer.listen(sink) for sink in (good, failing)}

        connection = link_a_bank(product, app)
        sync_brings_only_what_changed(product, app, connection)
        paid = pay_by_card(app)
        session = pay_on_the_hosted_page(app)
        by_bank = pay_by_bank(product, app)
        on_page = app.get(f"/v1/payment_intents/{session['payment_intent']}")
        books_are_right(app, [paid.json(), on_page, by_bank])

        intent_id = paid.json()["id"]
        event = is_told(product, good, secrets[good], intent_id)
        is_told(product, good, secrets[good], by_bank["id"])
        is_told_at_the_second_attempt(product, failing, intent_id)
        developer.sees(event, request_id=paid.headers["request-id"], object_id=intent_id)
        developer.replays(failing, SUCCEEDED, intent_id)


def link_a_bank(product: Product, app: App) -> Any:
    """The customer links all accounts; the app reads what the bank has, to the cent."""
    connection = customer.link(product, app, client_reference_id="ana", purpose="To show you your money")
    assert (connection["status"], connection["client_reference_id"]) == ("active", "ana")
    connection = customer.read_until(product, app, connection["id"], 1)
    at_bank = {one["iban"]: one for one in product.bank.accounts()}
    linked = app.everything("/v1/banking/accounts", connection=connection["id"])
    assert {one["iban"] for one in linked} == set(at_bank)
    for one in linked:
        (booked,) = [balance for balance in one["balances"] if balance["kind"] == "booked"]
        shown = at_bank[one["iban"]]
        assert Decimal(booked["amount"]) / 100 == Decimal(shown["booked"])
        assert booked["currency"] == shown["currency"].lower()
    return connection


def sync_brings_only_what_changed(product: Product, app: App, connection: Any) -> None:
    """First everything of the time that was asked for; then one new line, and nothing else; then nothing."""
    first, cursor = customer.changes(app, connection["id"])
    listed = app.everything("/v1/banking/transactions", connection=connection["id"])
    assert {one["id"] for one in first["added"]} == {one["id"] for one in listed} != set()
    assert (first["modified"], first["removed"]) == ([], [])

    line = {"amount": "-12.30", "counterparty": "Кафе Форум", "remittance": "Две кафиња"}
    product.bank.control("transactions", {"account": product.bank.iban("EUR"), **line})
    app.post(f"/v1/banking/connections/{connection['id']}/refresh")

    def arrived() -> Any:
        found, position = customer.changes(app, connection["id"], cursor)
        return (found, position) if any(found.values()) else None

    found, after = product.stack.until(arrived, "the new line arrives")
    (added,) = found["added"]
    assert (added["amount"], added["currency"], added["direction"]) == (-1230, "eur", "out")
    assert (added["counterparty"]["name_latin"], added["description"]) == ("Kafe Forum", "Две кафиња")
    assert (found["modified"], found["removed"]) == ([], [])
    assert customer.changes(app, connection["id"], after) == ({"added": [], "modified": [], "removed": []}, after)


def pay_by_bank(product: Product, app: App) -> Any:
    """From one of the linked accounts; the customer agrees at their bank."""
    (account,) = [one for one in app.everything("/v1/banking/accounts") if one["currency"] == "eur"]
    intent = app.post("/v1/payment_intents", {
        "amount": 1500, "currency": "eur", "confirm": True, "return_url": f"{customer.SHOP}/paid",
        "payment_method_data": {"type": "pay_by_bank", "pay_by_bank": {"account": account["id"]}},
    })  # fmt: skip
    assert intent["status"] == "requires_action"
    ana = customer.Customer(product)
    ana.pay(intent["next_action"]["redirect_to_url"]["url"])
    assert (ana.left_to or "").startswith(f"{customer.SHOP}/paid?"), str(ana.page)

    def settled() -> Any:
        now = app.get(f"/v1/payment_intents/{intent['id']}")
        return now if now["status"] == "succeeded" else None

    paid = product.stack.until(settled, "the payment by bank succeeds")
    assert (paid["amount_received"], paid["currency"]) == (1500, "eur")
    return paid


def pay_by_card(app: App) -> Answered:
    """With the key that makes it safe to ask twice; the second answer is the first one."""
    order = {"amount": 2000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    paid = app.answer("/v1/payment_intents", order, Idempotency_Key="order-1")
    assert (paid.status, paid.json()["status"]) == (200, "succeeded")
    again = app.answer("/v1/payment_intents", order, Idempotency_Key="order-1")
    assert again.body == paid.body
    return paid


def pay_on_the_hosted_page(app: App) -> Any:
    line = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}, "quantity": 2}
    session = app.post("/v1/checkout/sessions", {
        "mode": "payment", "line_items": [line], "success_url": "https://shop.example/thanks?s={CHECKOUT_SESSION_ID}",
    })  # fmt: skip
    ana = Visitor()
    ana.open(session["url"])
    ana.submit("Pay", **CARD)
    assert ana.left_to == f"https://shop.example/thanks?s={session['id']}"
    done = app.get(f"/v1/checkout/sessions/{session['id']}")
    assert (done["status"], done["payment_status"], done["amount_total"]) == ("complete", "paid", 2500)
    return done


def books_are_right(app: App, intents: list[Any]) -> None:
    """Every posting is balanced, the balance is the sum of what was paid less fees, and nothing drifts."""
    for intent in intents:
        charge = app.get(f"/v1/charges/{intent['latest_charge']}")
        postings = app.get(f"/v1/ledger/transactions?reference={charge['id']}")["data"]
        assert postings
        for posting in postings:
            sums = Counter({"debit": 0, "credit": 0})
            for line in posting["lines"]:
                sums[line["direction"]] += line["amount"]
            assert sums["debit"] == sums["credit"] > 0, posting
    moves = app.everything("/v1/balance_transactions")
    balance = app.get("/v1/balance")
    for currency in {move["currency"] for move in moves}:
        held = sum(
            part["amount"]
            for name in ("available", "pending")
            for part in balance[name]
            if part["currency"] == currency
        )
        assert held == sum(move["net"] for move in moves if move["currency"] == currency) > 0
    drift = app.get("/v1/ledger/drift")
    assert (drift["ok"], drift["faults"]) == (True, [])


def is_told(product: Product, sink: Sink, secret: str, intent_id: str) -> Any:
    """The event arrived, signed by both schemes. Returns it."""
    product.stack.until(lambda: sink.of(SUCCEEDED, intent_id), "the app is told")
    (arrived,) = sink.of(SUCCEEDED, intent_id)
    assert {"stripe-signature", "webhook-signature"} <= arrived.headers.keys()
    now = int(time.time())
    assert webhook_signatures.verify(arrived.headers, arrived.body, secrets=[secret], now=now) == "valid"
    assert webhook_signatures.verify(arrived.headers, arrived.body + b" ", secrets=[secret], now=now) == "invalid"
    return arrived.event


def is_told_at_the_second_attempt(product: Product, failing: Sink, intent_id: str) -> None:
    """An endpoint that failed hears of everything once more."""
    (failed,) = [one for one in failing.arrived if one.answered == 500]
    product.stack.until(lambda: len(failing.again(failed)) == 2, "what failed is sent again")
    first, second = failing.again(failed)
    assert second.answered == 200
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    product.stack.until(lambda: failing.of(SUCCEEDED, intent_id), "the failing endpoint is told too")
