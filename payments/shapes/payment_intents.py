"""A payment intent on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from payments.shapes.billing_details import ShippingOut, shipping


class PaymentIntentOut(msgspec.Struct, kw_only=True):
    """The wish to collect an amount, and how far it got. Amounts are in minor units of `currency`."""

    expandable: ClassVar[dict[str, str]] = {"customer": "cus", "latest_charge": "ch", "payment_method": "pm"}

    id: str
    object: Literal["payment_intent"] = "payment_intent"
    allowed_payment_method_types: list[str] | None = None
    amount: int
    amount_capturable: int
    amount_details: dict[str, Any] | None = None
    amount_received: int
    application: str | None = None
    application_fee_amount: int | None = None
    automatic_payment_methods: dict[str, Any] | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    capture_method: Literal["automatic", "automatic_async", "manual"]
    client_secret: str | None = None
    confirmation_method: Literal["automatic", "manual"]
    created: int
    currency: str
    customer: str | None = None
    customer_account: str | None = None
    description: str | None = None
    excluded_payment_method_types: list[str] | None = None
    hooks: dict[str, Any] | None = None
    last_payment_error: dict[str, Any] | None = None
    latest_charge: str | None = None
    livemode: bool
    managed_payments: dict[str, Any] | None = None
    metadata: dict[str, str]
    next_action: dict[str, Any] | None = None
    on_behalf_of: str | None = None
    payment_details: dict[str, Any] | None = None
    payment_method: str | None = None
    payment_method_configuration_details: dict[str, Any] | None = None
    payment_method_options: dict[str, Any] | None = None
    payment_method_types: list[str]
    payment_record: str | None = None
    presentment_details: dict[str, Any] | None = None
    processing: dict[str, Any] | None = None
    receipt_email: str | None = None
    review: str | None = None
    setup_future_usage: Literal["off_session", "on_session"] | None = None
    shipping: ShippingOut | None = None
    source: str | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    status: Literal[
        "canceled", "processing", "requires_action", "requires_capture", "requires_confirmation",
        "requires_payment_method", "succeeded",
    ]  # fmt: skip
    transfer_data: dict[str, Any] | None = None
    transfer_group: str | None = None


def render(
    row: Any, *, livemode: bool, client_secret: str | None = None, next_action: dict[str, Any] | None = None
) -> PaymentIntentOut:
    """The intent of `row`. `client_secret` and `next_action` hold secrets, which are derived and not in the row."""
    return PaymentIntentOut(
        id=encode("pi", row.id),
        amount=row.amount_minor,
        amount_capturable=row.amount_capturable_minor,
        amount_received=row.amount_received_minor,
        canceled_at=unix(row.canceled_at) if row.canceled_at else None,
        # Kept from the moment somebody wants to cancel; shown once it is a fact.
        cancellation_reason=(row.cancellation_reason or None) if row.status == "canceled" else None,
        capture_method=row.capture_method,
        client_secret=client_secret,
        confirmation_method=row.confirmation_method,
        created=unix(row.created_at),
        currency=row.currency,
        customer=encode("cus", row.customer_id) if row.customer_id else None,
        description=row.description or None,
        last_payment_error=row.last_payment_error,
        latest_charge=encode("ch", row.latest_charge_id) if row.latest_charge_id else None,
        livemode=livemode,
        metadata=row.metadata,
        next_action=next_action if row.status == "requires_action" else None,
        payment_method=encode("pm", row.payment_method_id) if row.payment_method_id else None,
        payment_method_options=row.payment_method_options,
        payment_method_types=row.payment_method_types,
        receipt_email=row.receipt_email or None,
        setup_future_usage=row.setup_future_usage or None,
        shipping=shipping(row.shipping),
        statement_descriptor=row.statement_descriptor or None,
        statement_descriptor_suffix=row.statement_descriptor_suffix or None,
        status=row.status,
        transfer_group=row.transfer_group or None,
    )
