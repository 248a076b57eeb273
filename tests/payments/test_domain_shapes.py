"""What goes over the wire has every field the official Stripe SDK reads."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import fields

from connect.kit import ids
from connect.kit.money import Money
from payments.domain import charge_details, errors, fees, test_instruments
from payments.shapes import (
    balance,
    balance_transactions,
    charges,
    customers,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
)

SDK = json.loads((Path(__file__).parent / "data" / "stripe_shapes.json").read_text())["resources"]
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
VISA = test_instruments.by_key("visa")
assert VISA is not None
CARD = test_instruments.card_from_name(VISA, at=AT, secret=bytes(32))
ONE = UUID("01936f3e-0000-7000-8000-000000000001")
ADDRESS = {"city": "Skopje", "country": "MK", "line1": "Makedonija 1", "postal_code": "1000"}

INTENT = SimpleNamespace(
    id=ONE, account_id=UUID(int=0), amount_minor=1999, amount_capturable_minor=0, amount_received_minor=1999,
    currency="eur", status="succeeded", capture_method="automatic", confirmation_method="automatic", customer_id=ONE,
    payment_method_id=ONE, latest_charge_id=ONE, description="Order 7", receipt_email="a@b.mk",
    statement_descriptor="", statement_descriptor_suffix="", setup_future_usage="", payment_method_types=["card"],
    metadata={"order": "7"}, last_payment_error=None, next_action=None, cancellation_reason="", canceled_at=None,
    payment_method_options=None, shipping={"address": ADDRESS, "name": "Ana"}, transfer_group="", created_at=AT,
)  # fmt: skip
CHARGE = SimpleNamespace(
    id=ONE, account_id=UUID(int=0), payment_intent_id=ONE, customer_id=None, payment_method_id=ONE, amount_minor=1999,
    amount_captured_minor=1999, amount_refunded_minor=0, currency="eur", status="succeeded", captured=True, paid=True,
    refunded=False, disputed=False, failure_code="", failure_message="", outcome=charge_details.approved_outcome(),
    payment_method_details=charge_details.card_details(CARD, amount_authorized_minor=1999, authorization_code="123456"),
    billing_details={"address": ADDRESS, "email": "a@b.mk"}, balance_transaction_id=ONE, processor="sandbox",
    processor_reference="sbx_1", receipt_email="", statement_descriptor="SHOP", statement_descriptor_suffix="",
    description="", metadata={}, transfer_group="", shipping=None, capture_before=None, created_at=AT,
)  # fmt: skip
CUSTOMER = SimpleNamespace(
    id=ONE, account_id=UUID(int=0), email="a@b.mk", name="Ana", phone="", description="", address=ADDRESS,
    shipping=None, preferred_locales=["mk"], balance_minor=0, default_payment_method_id=ONE, invoice_prefix="A1B2",
    metadata={}, deleted_at=None, test_clock_id=None, created_at=AT,
)  # fmt: skip
METHOD = SimpleNamespace(
    id=ONE, account_id=UUID(int=0), type="card", customer_id=ONE, card=CARD.stored(), billing_details={}, metadata={},
    created_at=AT, pay_by_bank=None,
)  # fmt: skip
TRANSACTION = SimpleNamespace(
    id=ONE, account_id=UUID(int=0), type="charge", amount_minor=1999, fee_minor=28, net_minor=1971, currency="eur",
    status="pending", available_on=fees.available_on(AT), source_id=ids.encode("ch", ONE), reporting_category="charge",
    description="", exchange_rate=None, fee_details=fees.fee_details(Money(28, "eur")), created_at=AT,
)  # fmt: skip
SETUP = SimpleNamespace(
    id=ONE, account_id=UUID(int=0), status="succeeded", usage="off_session", customer_id=ONE, payment_method_id=ONE,
    payment_method_types=["card"], payment_method_options=None, description="", last_setup_error=None, next_action=None,
    cancellation_reason="", canceled_at=None, metadata={}, created_at=AT,
)  # fmt: skip
REFUND = SimpleNamespace(
    id=ONE, account_id=UUID(int=0), amount_minor=500, currency="eur", charge_id=ONE, payment_intent_id=ONE,
    customer_id=None, payment_method_id=ONE, status="succeeded", reason="duplicate", failure_reason=None,
    next_action=None, processor_reference="sbx_2", balance_transaction_id=ONE, failure_balance_transaction_id=None,
    metadata={}, created_at=AT,
)  # fmt: skip
BALANCES = [balance.CurrencyBalance("rsd", 0, -5), balance.CurrencyBalance("eur", 100, 1971)]

RENDERED = {
    "payment_intent": payment_intents.render(INTENT, livemode=False, client_secret="pi_1_secret_x"),
    "charge": charges.render(CHARGE, livemode=False),
    "customer": customers.render(CUSTOMER, livemode=False),
    "payment_method": payment_methods.render(METHOD, livemode=False),
    "setup_intent": setup_intents.render(SETUP, livemode=False, client_secret="seti_1_secret_x"),
    "balance_transaction": balance_transactions.render(TRANSACTION, livemode=False),
    "balance": balance.render(BALANCES, livemode=False),
    "refund": refunds.render(REFUND, livemode=False),
}
TYPE_FIELDS = set(SDK["payment_method"]["type"]["enum"]) - {"card"}
ABSENT = {"customer": {"deleted"}, "payment_method": TYPE_FIELDS}
"""Fields the SDK knows that Stripe leaves out too: the mark of a deleted object, and those of other types."""


def wire(shape: Any) -> dict[str, Any]:
    """The object as a client reads it."""
    return json.loads(msgspec.json.encode(shape))


@pytest.mark.parametrize("name", RENDERED)
def test_every_field_of_the_sdk_is_there_and_none_that_is_not(name: str) -> None:
    assert set(wire(RENDERED[name])) == set(SDK[name]) - ABSENT.get(name, set())


@pytest.mark.parametrize("name", RENDERED)
def test_what_the_sdk_never_expects_null_is_never_null(name: str) -> None:
    sent = wire(RENDERED[name])
    empty = {field for field, facts in SDK[name].items() if not facts["nullable_or_optional"] and sent[field] is None}
    assert empty == set()


@pytest.mark.parametrize("name", RENDERED)
def test_enumerated_fields_hold_known_values(name: str) -> None:
    sent = wire(RENDERED[name])
    for field, facts in SDK[name].items():
        if facts.get("enum") and sent.get(field) is not None:
            assert sent[field] in facts["enum"], field


@pytest.mark.parametrize("name", RENDERED)
def test_a_schema_can_be_made_of_every_shape(name: str) -> None:
    _, components = msgspec.json.schema_components([type(RENDERED[name])])
    of_its_type = {field.name for field in fields(type(RENDERED[name])) if field.default is msgspec.UNSET}
    assert set(components[type(RENDERED[name]).__name__]["properties"]) - of_its_type == set(wire(RENDERED[name]))


@pytest.mark.parametrize("name", RENDERED)
def test_what_can_be_expanded_is_an_id_until_then(name: str) -> None:
    sent = wire(RENDERED[name])
    for path, prefix in getattr(type(RENDERED[name]), "expandable", {}).items():
        value: Any = sent
        for part in path.split("."):
            value = value[part]
        prefixes = (prefix,) if isinstance(prefix, str) else prefix
        assert value is None or value in [ids.encode(one, ONE) for one in prefixes]


def test_a_payment_intent_on_the_wire() -> None:
    sent = wire(RENDERED["payment_intent"])
    assert sent["id"] == ids.encode("pi", ONE)
    assert (sent["amount"], sent["currency"], sent["created"]) == (1999, "eur", int(AT.timestamp()))
    assert sent["client_secret"] == "pi_1_secret_x"
    assert sent["statement_descriptor"] is None
    assert sent["shipping"]["address"]["city"] == "Skopje"
    assert sent["shipping"]["address"]["line2"] is None
    assert wire(payment_intents.render(INTENT, livemode=True))["livemode"] is True


def test_an_expanded_charge_takes_the_place_of_its_id() -> None:
    intent = payment_intents.render(INTENT, livemode=False)
    intent.latest_charge = charges.render(CHARGE, livemode=False)
    intent.latest_charge.balance_transaction = balance_transactions.render(TRANSACTION, livemode=False)
    assert wire(intent)["latest_charge"]["balance_transaction"]["net"] == 1971


def test_a_declined_charge_tells_why() -> None:
    row = SimpleNamespace(**vars(CHARGE))
    row.status, row.captured, row.paid, row.balance_transaction_id = "failed", False, False, None
    row.failure_code, row.failure_message = "card_declined", errors.CardDeclined.message
    row.outcome = charge_details.declined_outcome("insufficient_funds")
    sent = wire(charges.render(row, livemode=False))
    assert sent["balance_transaction"] is None
    assert sent["failure_code"] == "card_declined"
    assert (sent["outcome"]["reason"], sent["outcome"]["advice_code"]) == ("insufficient_funds", "try_again_later")
    assert sent["outcome"]["type"] == "issuer_declined"


def test_a_blocked_charge_never_reached_the_network() -> None:
    outcome = charge_details.declined_outcome("fraudulent", blocked=True, risk_level="highest")
    assert (outcome["type"], outcome["network_status"]) == ("blocked", "not_sent_to_network")


def test_a_hold_says_until_when_it_can_be_captured() -> None:
    details = charge_details.card_details(
        CARD, amount_authorized_minor=5, capture_before=1_800_000_000, authenticated=True
    )
    assert details["card"]["capture_before"] == 1_800_000_000
    assert details["card"]["three_d_secure"]["result"] == "authenticated"


def test_a_deleted_customer_is_three_fields() -> None:
    row = SimpleNamespace(**vars(CUSTOMER))
    row.deleted_at = AT
    assert wire(customers.render(row, livemode=False)) == {
        "id": ids.encode("cus", ONE), "object": "customer", "deleted": True,
    }  # fmt: skip


def test_a_payment_method_never_shows_which_test_instrument_it_is() -> None:
    sent = wire(RENDERED["payment_method"])
    assert sent["card"]["last4"] == "4242"
    assert "test_token" not in sent["card"]
    assert sent["billing_details"]["address"]["country"] is None


def test_a_balance_lists_currencies_in_order_with_their_signs() -> None:
    sent = wire(RENDERED["balance"])
    assert [(row["currency"], row["amount"]) for row in sent["available"]] == [("eur", 100), ("rsd", 0)]
    assert [(row["currency"], row["amount"]) for row in sent["pending"]] == [("eur", 1971), ("rsd", -5)]
    assert sent["available"][0]["source_types"] == {"card": 100}
