"""A checkout session and its lines on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from connect.kit.pages import ListObject
from payments.shapes.billing_details import AddressOut, optional_address
from payments.shapes.prices import PriceOut


class LineItemOut(msgspec.Struct, kw_only=True):
    """One line of what is bought. Amounts are in minor units of `currency`."""

    id: str
    object: Literal["item"] = "item"
    amount_discount: int = 0
    amount_subtotal: int
    amount_tax: int = 0
    amount_total: int
    currency: str
    description: str | None = None
    metadata: dict[str, str] | None = None
    price: PriceOut | None = None
    quantity: int | None = None


class AutomaticTaxOut(msgspec.Struct, kw_only=True, gc=False):
    """Tax is not computed; amounts are taken as they are."""

    enabled: bool = False
    liability: str | None = None
    provider: str | None = None
    status: str | None = None


class CustomTextOut(msgspec.Struct, kw_only=True, gc=False):
    """Texts of the app on the page: none."""

    after_submit: str | None = None
    shipping_address: str | None = None
    submit: str | None = None
    terms_of_service_acceptance: str | None = None


class CustomerDetailsOut(msgspec.Struct, kw_only=True):
    """What the payer typed on the page; before that, the address the app knows."""

    address: AddressOut | None = None
    business_name: str | None = None
    email: str | None = None
    individual_name: str | None = None
    name: str | None = None
    phone: str | None = None
    tax_exempt: Literal["exempt", "none", "reverse"] | None = None
    tax_ids: list[dict[str, str]] | None = None


class PhoneNumberCollectionOut(msgspec.Struct, kw_only=True, gc=False):
    """Whether the page asks for a phone number."""

    enabled: bool


class TotalDetailsOut(msgspec.Struct, kw_only=True, gc=False):
    """What stands between subtotal and total, in minor units."""

    amount_discount: int = 0
    amount_shipping: int = 0
    amount_tax: int = 0


class CheckoutSessionOut(msgspec.Struct, kw_only=True):
    """One visit of a payer to the hosted page. `url` is there while the session is open; amounts are in minor units."""

    expandable: ClassVar[dict[str, str]] = {"customer": "cus", "payment_intent": "pi", "setup_intent": "seti"}

    id: str
    object: Literal["checkout.session"] = "checkout.session"
    adaptive_pricing: dict[str, Any] | None = None
    after_expiration: dict[str, Any] | None = None
    allow_promotion_codes: bool | None = None
    allowed_payment_method_types: list[str] | None = None
    amount_subtotal: int | None = None
    amount_total: int | None = None
    automatic_tax: AutomaticTaxOut
    billing_address_collection: Literal["auto", "required"] | None = None
    branding_settings: dict[str, Any] | None = None
    cancel_url: str | None = None
    client_reference_id: str | None = None
    client_secret: str | None = None
    collected_information: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None
    consent_collection: dict[str, Any] | None = None
    created: int
    currency: str | None = None
    currency_conversion: dict[str, Any] | None = None
    custom_fields: list[dict[str, Any]]
    custom_text: CustomTextOut
    customer: str | None = None
    customer_account: str | None = None
    customer_creation: Literal["always", "if_required"] | None = None
    customer_details: CustomerDetailsOut | None = None
    customer_email: str | None = None
    discounts: list[dict[str, Any]] | None = None
    excluded_payment_method_types: list[str] | None = None
    expires_at: int
    integration_identifier: str | None = None
    invoice: str | None = None
    invoice_creation: dict[str, Any] | None = None
    line_items: ListObject[LineItemOut] | msgspec.UnsetType = msgspec.UNSET
    livemode: bool
    locale: str | None = None
    managed_payments: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None
    mode: Literal["payment", "setup", "subscription"]
    name_collection: dict[str, Any] | None = None
    optional_items: list[dict[str, Any]] | None = None
    origin_context: Literal["mobile_app", "web"] | None = None
    payment_intent: str | None = None
    payment_link: str | None = None
    payment_method_collection: Literal["always", "if_required"] | None = None
    payment_method_configuration_details: dict[str, Any] | None = None
    payment_method_options: dict[str, Any] | None = None
    payment_method_types: list[str]
    payment_status: Literal["no_payment_required", "paid", "unpaid"]
    permissions: dict[str, Any] | None = None
    phone_number_collection: PhoneNumberCollectionOut | None = None
    presentment_details: dict[str, Any] | None = None
    recovered_from: str | None = None
    redirect_on_completion: Literal["always", "if_required", "never"] | None = None
    return_url: str | None = None
    saved_payment_method_options: dict[str, Any] | None = None
    setup_intent: str | None = None
    shipping_address_collection: dict[str, Any] | None = None
    shipping_cost: dict[str, Any] | None = None
    shipping_options: list[dict[str, Any]]
    status: Literal["complete", "expired", "open"] | None = None
    submit_type: Literal["auto", "book", "donate", "pay", "subscribe"] | None = None
    subscription: str | None = None
    success_url: str | None = None
    tax_id_collection: dict[str, Any] | None = None
    total_details: TotalDetailsOut | None = None
    ui_mode: Literal["elements", "embedded_page", "form", "hosted_page"] | None = "hosted_page"
    url: str | None = None
    wallet_options: dict[str, Any] | None = None


def render(row: Any, *, livemode: bool, url: str | None) -> CheckoutSessionOut:
    """The session of `row`. `url` is the page's address, or None when the session is not open."""
    return CheckoutSessionOut(
        id=encode("cs", row.id),
        amount_subtotal=row.amount_subtotal_minor,
        amount_total=row.amount_total_minor,
        automatic_tax=AutomaticTaxOut(),
        billing_address_collection=row.billing_address_collection or None,
        cancel_url=row.cancel_url or None,
        client_reference_id=row.client_reference_id or None,
        created=unix(row.created_at),
        currency=row.currency or None,
        custom_fields=[],
        custom_text=CustomTextOut(),
        customer=encode("cus", row.customer_id) if row.customer_id else None,
        customer_creation=row.customer_creation or None,
        customer_details=_details(row.customer_details, row.customer_email),
        customer_email=row.customer_email or None,
        discounts=[],
        expires_at=unix(row.expires_at),
        livemode=livemode,
        locale=row.locale or None,
        metadata=row.metadata,
        mode=row.mode,
        payment_intent=encode("pi", row.payment_intent_id) if row.payment_intent_id else None,
        payment_method_collection="always" if row.mode == "payment" and row.amount_total_minor else "if_required",
        payment_method_types=row.payment_method_types,
        payment_status=row.payment_status,
        phone_number_collection=PhoneNumberCollectionOut(enabled=row.phone_number_collection),
        setup_intent=encode("seti", row.setup_intent_id) if row.setup_intent_id else None,
        shipping_options=[],
        status=row.status,
        submit_type=row.submit_type or None,
        success_url=row.success_url or None,
        total_details=TotalDetailsOut() if row.mode == "payment" else None,
        url=url,
    )


def render_line(row: Any, price: PriceOut | None) -> LineItemOut:
    """The line of `row`, with its price as it is now."""
    return LineItemOut(
        id=encode("li", row.id),
        amount_subtotal=row.amount_total_minor,
        amount_total=row.amount_total_minor,
        currency=row.currency,
        description=row.description,
        metadata=row.metadata,
        price=price,
        quantity=row.quantity,
    )


def _details(stored: Mapping[str, Any] | None, email: str | None) -> CustomerDetailsOut | None:
    if stored is None:
        return CustomerDetailsOut(email=email, tax_exempt="none") if email else None
    return CustomerDetailsOut(
        address=optional_address(stored.get("address")),
        email=stored.get("email") or email,
        name=stored.get("name"),
        phone=stored.get("phone"),
        tax_exempt="none",
        tax_ids=[],
    )
