"""Charges, the balance and its transactions: what is shown is the ledger, to the cent and at every moment."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import connection

from connect.kit import clock
from connect.kit.clock import Clock
from connect.kit.tenancy import use_environment
from payments.services import balance_transactions
from tests.payments.books import AVAILABLE, PENDING, refused, types


def settle(books, at):
    """Run the settlement as of `at` until nothing is due. Returns how many lines it settled."""
    caller, settled = replace(books.caller, clock=Clock(frozen_at=at)), 0
    while True:
        with use_environment(books.environment):
            count = balance_transactions.settle_due(caller)
        settled += count
        if not count:
            return settled


def test_an_environment_without_payments_has_an_empty_balance(api, books):
    shown = api.get("/v1/balance").json()
    assert (shown["object"], shown["available"], shown["pending"], shown["livemode"]) == ("balance", [], [], False)


def test_pending_becomes_available_when_due_and_not_before(api, books, intent):
    paid = intent(payment_method="pm_card_visa", confirm=True)
    charge = api.get(f"/v1/charges/{paid['latest_charge']}", {"expand[]": "balance_transaction"}).json()
    due = clock.from_unix(charge["balance_transaction"]["available_on"])
    assert due == datetime.combine(
        clock.from_unix(charge["created"]).date() + timedelta(days=2), datetime.min.time(), UTC
    )
    with books.unchanged():
        assert settle(books, due - timedelta(seconds=1)) == 0
    with books.events() as events:
        assert settle(books, due) == 1
    assert types(events) == ["balance.available"]
    assert events[0].object_id == "balance"
    assert events[0].payload == api.get("/v1/balance").json()
    assert books.postings(charge["id"])[1] == ("charge.settlement", {PENDING: -986, AVAILABLE: 986})
    assert books.check_balance(api) == {"eur": (986, 0)}
    with books.unchanged():
        assert settle(books, due + timedelta(days=30)) == 0


def test_the_balance_is_the_sum_of_its_transactions_in_every_currency(api, books, held, intent, act):
    """Payments of many kinds, settled at three moments: `/v1/balance` equals the sum of the lines each time."""
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(25):
        currency, amount = dice.choice(["eur", "mkd", "rsd", "all", "jpy"]), dice.randrange(6000, 90_000)
        kind = dice.choice(["paid", "at_once", "part", "parts", "canceled", "declined"])
        if kind in ("paid", "at_once"):
            card = "pm_card_visa" if kind == "paid" else "pm_card_bypassPending"
            intent(amount=amount, currency=currency, payment_method=card, confirm=True)
        elif kind == "declined":
            act(intent(amount=amount, currency=currency), "confirm", payment_method="pm_card_chargeDeclined")
        else:
            found = held(amount=amount, currency=currency)
            if kind == "canceled":
                act(found, "cancel")
            elif kind == "part":
                act(found, "capture", amount_to_capture=dice.randrange(1, amount))
            else:
                act(found, "capture", amount_to_capture=dice.randrange(1, amount // 2), final_capture=False)
                act(found, "capture", amount_to_capture=dice.randrange(1, amount // 2), final_capture=False)
        books.check_balance(api)
    before = books.check_balance(api)
    settle(books, clock.wall() + timedelta(days=3))
    after = books.check_balance(api)
    assert {currency: sum(parts) for currency, parts in after.items()} == {
        currency: sum(parts) for currency, parts in before.items()
    }
    assert all(pending == 0 for _, pending in after.values())


def test_the_balance_is_read_from_the_ledger_not_from_the_payments(api, books, intent):
    intent(payment_method="pm_card_visa", confirm=True)
    shown = api.get("/v1/balance").content
    with use_environment(books.environment), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_payment_intent SET amount_minor = amount_minor * 7, amount_received_minor = 3")
        cursor.execute("UPDATE payments_charge SET amount_minor = amount_minor * 7, amount_captured_minor = 3")
        cursor.execute("UPDATE payments_balance_transaction SET amount_minor = 70, fee_minor = 7, net_minor = 63")
    assert api.get("/v1/balance").content == shown


def test_live_and_other_organizations_have_balances_of_their_own(api_as, intent):
    intent(payment_method="pm_card_visa", confirm=True)
    for slug, kind in (("acme", "live"), ("other", "test")):
        assert api_as(slug, kind).get("/v1/balance").json()["pending"] == []


def test_a_charge_can_be_annotated_and_nothing_else(send, api, books, intent):
    paid = intent(payment_method="pm_card_visa", confirm=True)
    path = f"/v1/charges/{paid['latest_charge']}"
    before = api.get(path).json()
    with books.events() as events:
        changed = send(
            path, {"description": "shipped", "receipt_email": "ana@example.com", "metadata": {"a": "1"}}
        ).json()
    assert changed == {**before, "description": "shipped", "receipt_email": "ana@example.com", "metadata": {"a": "1"}}
    assert types(events) == ["charge.updated"]
    with books.unchanged():
        for param in ("amount", "status", "amount_refunded", "customer"):
            refused(send(path, {param: 1}), 400, "parameter_unknown", param)
        refused(send("/v1/charges/ch_1", {"description": "x"}), 404, "resource_missing", "charge")
        refused(send("/v1/charges", {"amount": 1000}), 405, "method_not_allowed")


def test_shipping_and_transfer_group_of_a_charge_are_shown(api, intent):
    shipping = {"name": "Ana", "address": {"city": "Tirana"}}
    paid = intent(payment_method="pm_card_visa", confirm=True, shipping=shipping, transfer_group="g7",
                  statement_descriptor_suffix="SUFFIX")  # fmt: skip
    charge = api.get(f"/v1/charges/{paid['latest_charge']}").json()
    assert charge["shipping"]["address"]["city"] == "Tirana"
    assert (charge["transfer_group"], charge["statement_descriptor_suffix"]) == ("g7", "SUFFIX")


def test_expand_of_charges_and_lines(api, intent):
    paid = intent(payment_method="pm_card_visa", confirm=True)
    charge = api.get(f"/v1/charges/{paid['latest_charge']}", {"expand[]": "payment_intent"}).json()
    assert charge["payment_intent"]["id"] == paid["id"]
    line = api.get(f"/v1/balance_transactions/{charge['balance_transaction']}", {"expand[]": "source"}).json()
    assert line["source"]["id"] == charge["id"]


def test_unknown_charges_and_lines_are_missing(api):
    refused(api.get("/v1/charges/ch_1"), 404, "resource_missing", "id")
    refused(api.get("/v1/balance_transactions/txn_1"), 404, "resource_missing", "id")
