"""A customer on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from payments.shapes.billing_details import AddressOut, ShippingOut, optional_address, shipping


class InvoiceSettingsOut(msgspec.Struct, kw_only=True):
    """What invoices and payments of this customer use unless they say otherwise."""

    expandable: ClassVar[dict[str, str]] = {"default_payment_method": "pm"}

    custom_fields: list[dict[str, str]] | None = None
    default_payment_method: str | None = None
    footer: str | None = None
    rendering_options: dict[str, Any] | None = None


class CustomerOut(msgspec.Struct, kw_only=True):
    """Somebody who pays, now or again. `balance` is in minor units of `currency`; negative is credit."""

    expandable: ClassVar[dict[str, str]] = {"invoice_settings.default_payment_method": "pm", "test_clock": "clock"}

    id: str
    object: Literal["customer"] = "customer"
    address: AddressOut | None = None
    balance: int | None = None
    business_name: str | None = None
    cash_balance: dict[str, Any] | None = None
    created: int
    currency: str | None = None
    customer_account: str | None = None
    default_source: str | None = None
    delinquent: bool | None = None
    description: str | None = None
    discount: dict[str, Any] | None = None
    email: str | None = None
    individual_name: str | None = None
    invoice_credit_balance: dict[str, int] | None = None
    invoice_prefix: str | None = None
    invoice_settings: InvoiceSettingsOut | None = None
    livemode: bool
    metadata: dict[str, str] | None = None
    name: str | None = None
    next_invoice_sequence: int | None = None
    phone: str | None = None
    preferred_locales: list[str] | None = None
    shipping: ShippingOut | None = None
    sources: dict[str, Any] | None = None
    subscriptions: dict[str, Any] | None = None
    tax: dict[str, Any] | None = None
    tax_exempt: Literal["exempt", "none", "reverse"] | None = None
    tax_ids: dict[str, Any] | None = None
    test_clock: str | None = None


class DeletedCustomerOut(msgspec.Struct, kw_only=True, gc=False):
    """What is left of a customer that was deleted. Only this shape has `deleted`."""

    id: str
    object: Literal["customer"] = "customer"
    deleted: Literal[True] = True


def render(row: Any, *, livemode: bool) -> CustomerOut | DeletedCustomerOut:
    """The customer of `row`, or its deleted form when `row.deleted_at` is set."""
    if row.deleted_at:
        return DeletedCustomerOut(id=encode("cus", row.id))
    method_id = row.default_payment_method_id
    return CustomerOut(
        id=encode("cus", row.id),
        address=optional_address(row.address),
        balance=row.balance_minor,
        created=unix(row.created_at),
        delinquent=False,
        description=row.description or None,
        email=row.email or None,
        invoice_settings=InvoiceSettingsOut(default_payment_method=encode("pm", method_id) if method_id else None),
        livemode=livemode,
        metadata=row.metadata,
        name=row.name or None,
        phone=row.phone or None,
        preferred_locales=row.preferred_locales,
        shipping=shipping(row.shipping),
        tax_exempt="none",
        test_clock=encode("clock", row.test_clock_id) if row.test_clock_id else None,
    )
