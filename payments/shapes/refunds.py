"""A refund on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode


class RefundOut(msgspec.Struct, kw_only=True):
    """Captured money on its way back to the payer; `amount` is in minor units of `currency`."""

    expandable: ClassVar[dict[str, str]] = {
        "balance_transaction": "txn", "charge": "ch", "customer": "cus", "failure_balance_transaction": "txn",
        "payment_intent": "pi", "payment_method": "pm",
    }  # fmt: skip

    id: str
    object: Literal["refund"] = "refund"
    amount: int
    balance_transaction: str | None = None
    charge: str | None = None
    created: int
    currency: str
    customer: str | None = None
    customer_account: str | None = None
    description: str | None = None
    destination_details: dict[str, Any] | None = None
    failure_balance_transaction: str | None = None
    failure_reason: str | None = None
    instructions_email: str | None = None
    metadata: dict[str, str] | None = None
    next_action: dict[str, Any] | None = None
    payment_intent: str | None = None
    payment_method: str | None = None
    pending_reason: Literal["charge_pending", "insufficient_funds", "processing"] | None = None
    presentment_details: dict[str, Any] | None = None
    reason: Literal["duplicate", "expired_uncaptured_charge", "fraudulent", "requested_by_customer"] | None = None
    receipt_number: str | None = None
    source_transfer_reversal: str | None = None
    status: Literal["canceled", "failed", "pending", "requires_action", "succeeded"]
    transfer_reversal: str | None = None


def render(row: Any, *, livemode: bool) -> RefundOut:  # noqa: ARG001 - a refund has no `livemode` on the wire
    """The refund of `row`."""
    return RefundOut(
        id=encode("re", row.id),
        amount=row.amount_minor,
        balance_transaction=_id("txn", row.balance_transaction_id),
        charge=encode("ch", row.charge_id),
        created=unix(row.created_at),
        currency=row.currency,
        customer=_id("cus", row.customer_id),
        destination_details=_destination(row),
        failure_balance_transaction=_id("txn", row.failure_balance_transaction_id),
        failure_reason=row.failure_reason,
        metadata=row.metadata,
        next_action=row.next_action if row.status == "requires_action" else None,
        payment_intent=encode("pi", row.payment_intent_id),
        payment_method=_id("pm", row.payment_method_id),
        pending_reason="processing" if row.status == "pending" else None,
        reason=row.reason,
        status=row.status,
    )


def _id(prefix: str, identifier: Any) -> str | None:
    return encode(prefix, identifier) if identifier else None


def _destination(row: Any) -> dict[str, Any]:
    """Where the money goes: back to the card. The reference is the processor's, to ask the bank with."""
    done = row.status == "succeeded"
    return {
        "type": "card",
        "card": {
            "reference": row.processor_reference if done else None,
            "reference_status": "available" if done else "unavailable" if row.status == "failed" else "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund" if done else "pending",
        },
    }
