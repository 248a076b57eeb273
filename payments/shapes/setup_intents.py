"""A setup intent on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode


class SetupIntentOut(msgspec.Struct, kw_only=True):
    """The wish to keep a payment method for later payments, and how far it got. No money moves."""

    expandable: ClassVar[dict[str, str]] = {"customer": "cus", "payment_method": "pm"}

    id: str
    object: Literal["setup_intent"] = "setup_intent"
    allowed_payment_method_types: list[str] | None = None
    application: str | None = None
    attach_to_self: bool | None = None
    automatic_payment_methods: dict[str, Any] | None = None
    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None
    client_secret: str | None = None
    created: int
    customer: str | None = None
    customer_account: str | None = None
    description: str | None = None
    excluded_payment_method_types: list[str] | None = None
    flow_directions: list[str] | None = None
    last_setup_error: dict[str, Any] | None = None
    latest_attempt: str | None = None
    livemode: bool
    managed_payments: dict[str, Any] | None = None
    mandate: str | None = None
    metadata: dict[str, str]
    next_action: dict[str, Any] | None = None
    on_behalf_of: str | None = None
    payment_method: str | None = None
    payment_method_configuration_details: dict[str, Any] | None = None
    payment_method_options: dict[str, Any] | None = None
    payment_method_types: list[str]
    single_use_mandate: str | None = None
    status: Literal[
        "canceled", "processing", "requires_action", "requires_confirmation", "requires_payment_method", "succeeded"
    ]
    usage: Literal["off_session", "on_session"]


def render(
    row: Any, *, livemode: bool, client_secret: str | None = None, next_action: dict[str, Any] | None = None
) -> SetupIntentOut:
    """The intent of `row`. `client_secret` and `next_action` hold secrets, which are derived and not in the row."""
    return SetupIntentOut(
        id=encode("seti", row.id),
        cancellation_reason=row.cancellation_reason or None,
        client_secret=client_secret,
        created=unix(row.created_at),
        customer=encode("cus", row.customer_id) if row.customer_id else None,
        description=row.description or None,
        last_setup_error=row.last_setup_error,
        livemode=livemode,
        metadata=row.metadata,
        next_action=next_action if row.status == "requires_action" else None,
        payment_method=encode("pm", row.payment_method_id) if row.payment_method_id else None,
        payment_method_options=row.payment_method_options,
        payment_method_types=row.payment_method_types,
        status=row.status,
        usage=row.usage,
    )
