"""A charge on the wire: one attempt that reached the processor."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from connect.kit.pages import ListObject
from payments.shapes.billing_details import BillingDetailsOut, ShippingOut, billing_details, shipping
from payments.shapes.refunds import RefundOut


class ChargeOut(msgspec.Struct, kw_only=True):
    """An attempt to take an amount with one payment method. Amounts are in minor units of `currency`."""

    expandable: ClassVar[dict[str, str]] = {"balance_transaction": "txn", "customer": "cus", "payment_intent": "pi"}

    id: str
    object: Literal["charge"] = "charge"
    amount: int
    amount_captured: int
    amount_refunded: int
    application: str | None = None
    application_fee: str | None = None
    application_fee_amount: int | None = None
    authorization_code: str | None = None
    balance_transaction: str | None = None
    billing_details: BillingDetailsOut
    calculated_statement_descriptor: str | None = None
    captured: bool
    created: int
    currency: str
    customer: str | None = None
    description: str | None = None
    disputed: bool
    failure_balance_transaction: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    fraud_details: dict[str, Any] | None = None
    level3: dict[str, Any] | None = None
    livemode: bool
    metadata: dict[str, str]
    on_behalf_of: str | None = None
    outcome: dict[str, Any] | None = None
    paid: bool
    payment_intent: str | None = None
    payment_method: str | None = None
    payment_method_details: dict[str, Any] | None = None
    presentment_details: dict[str, Any] | None = None
    radar_options: dict[str, Any] | None = None
    receipt_email: str | None = None
    receipt_number: str | None = None
    receipt_url: str | None = None
    refunded: bool
    refunds: ListObject[RefundOut] | None = None
    review: str | None = None
    shipping: ShippingOut | None = None
    source: str | None = None
    source_transfer: str | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    status: Literal["failed", "pending", "succeeded"]
    transfer: str | None = None
    transfer_data: dict[str, Any] | None = None
    transfer_group: str | None = None


def render(row: Any, *, livemode: bool) -> ChargeOut:
    """The charge of `row`."""
    details = row.payment_method_details
    card = details.get("card") if details else None
    return ChargeOut(
        id=encode("ch", row.id),
        amount=row.amount_minor,
        amount_captured=row.amount_captured_minor,
        amount_refunded=row.amount_refunded_minor,
        authorization_code=card.get("authorization_code") if card else None,
        balance_transaction=encode("txn", row.balance_transaction_id) if row.balance_transaction_id else None,
        billing_details=billing_details(row.billing_details),
        calculated_statement_descriptor=row.statement_descriptor or None,
        captured=row.captured,
        created=unix(row.created_at),
        currency=row.currency,
        customer=encode("cus", row.customer_id) if row.customer_id else None,
        description=row.description or None,
        disputed=row.disputed,
        failure_code=row.failure_code or None,
        failure_message=row.failure_message or None,
        fraud_details={},
        livemode=livemode,
        metadata=row.metadata,
        outcome=row.outcome or None,
        paid=row.paid,
        payment_intent=encode("pi", row.payment_intent_id) if row.payment_intent_id else None,
        payment_method=encode("pm", row.payment_method_id) if row.payment_method_id else None,
        payment_method_details=details or None,
        receipt_email=row.receipt_email or None,
        refunded=row.refunded,
        shipping=shipping(row.shipping),
        statement_descriptor=row.statement_descriptor or None,
        statement_descriptor_suffix=row.statement_descriptor_suffix or None,
        status=row.status,
        transfer_group=row.transfer_group or None,
    )
