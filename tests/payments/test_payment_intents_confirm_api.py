"""Confirming: every test card in the table, what each leaves behind, and who may not confirm."""

from __future__ import annotations

import pytest

from payments.domain import decline_codes
from payments.domain.test_instruments import (
    AFTERWARDS,
    AUTHENTICATION,
    BRANDS,
    COUNTRIES,
    DECLINES,
    RISK,
    Authorization,
    Follow,
    ThreeDSecure,
)
from tests.payments.books import CLEARING, FEES, PENDING, refused, types
from tests.payments.conftest import CARD, PAYMENT

PATH = "/v1/payment_intents"
GOOD = [
    instrument
    for instrument in (*BRANDS, *COUNTRIES, *RISK, *AFTERWARDS, *AUTHENTICATION)
    if instrument.authorization is Authorization.APPROVED and instrument.three_d_secure is ThreeDSecure.NEVER
]
BAD = [
    instrument
    for instrument in (*DECLINES, *RISK)
    if instrument.authorization is Authorization.DECLINED and instrument.three_d_secure is ThreeDSecure.NEVER
]
ASKING = [instrument for instrument in AUTHENTICATION if instrument.three_d_secure is not ThreeDSecure.NEVER]


def test_the_tables_are_not_empty():
    assert (len(GOOD), len(BAD), len(ASKING)) >= (30, 10, 7)


@pytest.mark.parametrize("instrument", GOOD, ids=lambda instrument: instrument.key)
def test_a_good_card_pays(api, books, intent, act, instrument):
    found = intent()
    with books.events() as events:
        paid = act(found, "confirm", payment_method=instrument.payment_method).json()
    assert (paid["status"], paid["amount_received"], paid["last_payment_error"]) == ("succeeded", 1000, None)
    assert types(events)[:2] == ["charge.succeeded", "payment_intent.succeeded"]
    charge = api.get(f"/v1/charges/{paid['latest_charge']}").json()
    card = charge["payment_method_details"]["card"]
    assert (card["brand"], card["country"]) == (instrument.brand, instrument.country)
    assert card["last4"] == instrument.number[-4:]
    assert (charge["outcome"]["type"], charge["outcome"]["risk_level"]) == ("authorized", instrument.risk_level)
    postings = books.postings(charge["id"])
    assert postings[0] == ("charge.capture", {CLEARING: -1000, PENDING: 986, FEES: 14})
    at_once = instrument.follow is Follow.AVAILABLE_AT_ONCE
    assert len(postings) == 1 + at_once
    assert books.check_balance(api) == {"eur": (986, 0) if at_once else (0, 986)}


@pytest.mark.parametrize("instrument", BAD, ids=lambda instrument: instrument.key)
def test_a_bad_card_is_declined_and_moves_nothing(api, books, intent, act, instrument):
    found = intent()
    ledger_tables = "payments_payment_intent", "payments_payment_method", "payments_payment_attempt", "payments_charge"
    with books.events() as events, books.unchanged(*ledger_tables, "connect_event"):
        answer = act(found, "confirm", payment_method=instrument.payment_method)
    error = refused(answer, 402, instrument.code)
    assert (error["type"], error.get("decline_code")) == ("card_error", instrument.decline_code)
    expected = decline_codes.lookup(instrument.decline_code or instrument.code)
    assert (error["message"], error.get("advice_code")) == (expected.message, expected.advice)
    after = api.get(f"{PATH}/{found['id']}").json()
    assert error["payment_intent"] == after
    assert (after["status"], after["payment_method"]) == ("requires_payment_method", None)
    last = after["last_payment_error"]
    assert (last["code"], last["charge"]) == (instrument.code, after["latest_charge"])
    assert last["payment_method"]["card"]["last4"] == instrument.number[-4:]
    charge = api.get(f"/v1/charges/{error['charge']}").json()
    assert (charge["status"], charge["paid"], charge["captured"]) == ("failed", False, False)
    assert (charge["failure_code"], charge["balance_transaction"]) == (instrument.code, None)
    assert charge["outcome"]["type"] == ("blocked" if instrument.blocked else "issuer_declined")
    assert types(events) == ["charge.failed", "payment_intent.payment_failed"]
    assert events[1].payload == {**after, "client_secret": None}
    assert books.attempts(found["id"]) == [("authorize", "declined")]
    books.check()


def test_after_a_decline_another_card_pays(api, books, intent, act):
    found = intent()
    assert act(found, "confirm", payment_method="pm_card_chargeDeclined").status_code == 402
    paid = act(found, "confirm", payment_method="pm_card_visa").json()
    assert (paid["status"], paid["last_payment_error"]) == ("succeeded", None)
    charges = api.get("/v1/charges", {"payment_intent": found["id"]}).json()["data"]
    assert [charge["status"] for charge in charges] == ["succeeded", "failed"]
    assert paid["latest_charge"] == charges[0]["id"]
    books.check_balance(api)


@pytest.mark.parametrize("instrument", ASKING, ids=lambda instrument: instrument.key)
def test_a_card_that_asks_for_authentication_waits_for_the_payer(books, intent, act, instrument):
    found = intent()
    with books.events() as events:
        waiting = act(
            found, "confirm", payment_method=instrument.payment_method, return_url="https://shop.test/"
        ).json()
    assert (waiting["status"], waiting["latest_charge"]) == ("requires_action", None)
    assert waiting["next_action"]["type"] == "redirect_to_url"
    assert waiting["next_action"]["redirect_to_url"]["return_url"] == "https://shop.test/"
    assert types(events) == ["payment_intent.requires_action"]
    assert books.attempts(found["id"]) == [("authorize", "action_required")]
    books.check()


def test_without_the_payer_authentication_is_a_decline(books, intent, act):
    found = intent()
    answer = act(found, "confirm", payment_method="pm_card_authenticationRequired", off_session=True)
    error = refused(answer, 402, "authentication_required")
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_intent"]["next_action"] is None


def test_a_decline_after_authentication_was_asked_forgets_the_page(api, intent, act):
    found = intent(payment_method="pm_card_authenticationRequired", confirm=True)
    assert found["next_action"] is not None
    error = refused(act(found, "confirm", payment_method="pm_card_chargeDeclined"), 402, "card_declined")
    assert error["payment_intent"]["next_action"] is None


def test_manual_capture_holds_the_amount(api, books, intent, act):
    found = intent(capture_method="manual")
    with books.events() as events:
        held = act(found, "confirm", payment_method="pm_card_visa").json()
    assert (held["status"], held["amount_capturable"], held["amount_received"]) == ("requires_capture", 1000, 0)
    charge = api.get(f"/v1/charges/{held['latest_charge']}").json()
    assert (charge["paid"], charge["captured"], charge["balance_transaction"]) == (True, False, None)
    assert charge["payment_method_details"]["card"]["capture_before"] > charge["created"]
    assert types(events) == ["charge.succeeded", "payment_intent.amount_capturable_updated"]
    assert books.postings(charge["id"]) == []
    assert books.hold(charge["id"]) == ("pending", 1000, 0, 0)
    assert books.check_balance(api) == {"eur": (0, 0)}


@pytest.mark.parametrize("state", ["succeeded", "requires_capture", "canceled", "processing"])
def test_confirm_is_refused_in_every_other_state(books, intent, held, act, state):
    if state == "requires_capture":
        found = held()
    elif state == "canceled":
        found = act(intent(), "cancel").json()
    else:
        found = intent(
            payment_method="pm_card_visa" if state == "succeeded" else "pm_card_outcomeUnknown", confirm=True
        )
    assert found["status"] == state
    with books.unchanged():
        error = refused(act(found, "confirm", payment_method="pm_card_visa"), 400, "payment_intent_unexpected_state")
    assert error["payment_intent"] == found
    if state == "succeeded":
        assert error["message"].endswith("because it has already succeeded after being previously confirmed.")
    else:
        assert f"because it has a status of {state}." in error["message"]


def test_without_a_payment_method_nothing_is_tried(books, intent, act, api):
    customer = api.post("/v1/customers").json()
    for found in (intent(), intent(customer=customer["id"])):
        with books.unchanged():
            refused(act(found, "confirm"), 400, "payment_intent_unexpected_state", "payment_method")


@pytest.mark.parametrize("currency", ["rsd", "mkd", "all", "bam", "jpy", "kwd"])
def test_every_region_currency_is_taken_in_its_own_minor_units(api, books, intent, currency):
    paid = intent(amount=12340, currency=currency, payment_method="pm_card_rs", confirm=True)
    charge = api.get(f"/v1/charges/{paid['latest_charge']}", {"expand[]": "balance_transaction"}).json()
    assert charge["balance_transaction"]["fee"] == 173  # 1.4 % of 12340 is 172.76
    assert books.check_balance(api) == {currency: (0, 12340 - 173)}


def test_card_data_typed_in_pays_and_is_never_kept(send, api, books):
    method = {"type": "card", "card": {**CARD, "number": "5555 5555 5555 4444"}, "billing_details": {"name": "Ana"}}
    answer = send(PATH, {**PAYMENT, "confirm": True, "payment_method_data": method})
    assert answer.json()["status"] == "succeeded"
    charge = api.get(f"/v1/charges/{answer.json()['latest_charge']}").json()
    assert (charge["billing_details"]["name"], charge["payment_method_details"]["card"]["brand"]) == (
        "Ana",
        "mastercard",
    )
    from django.db import connection

    from connect.kit.tenancy import use_environment

    with use_environment(books.environment), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [books.environment.schema_name])
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~ '5555 ?5555 ?5555 ?4444'")
            assert cursor.fetchone() == (0,), table


def test_expand_brings_charge_method_and_their_objects(api, intent):
    customer = api.post("/v1/customers", {"payment_method": "pm_card_visa"}).json()
    method = customer["invoice_settings"]["default_payment_method"]
    paid = intent(customer=customer["id"], payment_method=method, confirm=True,
                  expand=["latest_charge.balance_transaction", "customer", "payment_method"])  # fmt: skip
    assert paid["latest_charge"]["balance_transaction"]["net"] == 986
    assert (paid["customer"]["id"], paid["payment_method"]["customer"]) == (customer["id"], customer["id"])
