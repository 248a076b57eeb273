"""A payment method on the wire.

Stripe's SDK knows some fifty fields named after a type, of which one object ever carries one: as there, only the field
of the method's own `type` is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from payments.shapes.billing_details import BillingDetailsOut, billing_details


class CardChecksOut(msgspec.Struct, kw_only=True, gc=False):
    """Results of the issuer's checks: pass, fail, unavailable, unchecked, or null when nothing was given to check."""

    address_line1_check: str | None = None
    address_postal_code_check: str | None = None
    cvc_check: str | None = None


class CardNetworksOut(msgspec.Struct, kw_only=True):
    """Networks the card can be charged through."""

    available: list[str]
    preferred: str | None = None


class ThreeDSecureUsageOut(msgspec.Struct, kw_only=True, gc=False):
    """Whether the card can be authenticated with 3D Secure."""

    supported: bool


class CardOut(msgspec.Struct, kw_only=True):
    """What may be shown of a card."""

    brand: str
    checks: CardChecksOut | None = None
    country: str | None = None
    description: str | None = None
    display_brand: str | None = None
    exp_month: int
    exp_year: int
    fingerprint: str | None = None
    funding: str
    generated_from: dict[str, Any] | None = None
    iin: str | None = None
    issuer: str | None = None
    last4: str
    networks: CardNetworksOut | None = None
    regulated_status: Literal["regulated", "unregulated"] | None = None
    three_d_secure_usage: ThreeDSecureUsageOut | None = None
    wallet: dict[str, Any] | None = None


class PayByBankOut(msgspec.Struct, kw_only=True, gc=False):
    """Which bank, or which linked account, the payer is to pay with; null where they choose on the page."""

    institution: str | None = None
    account: str | None = None


class PaymentMethodOut(msgspec.Struct, kw_only=True):
    """What a customer pays with."""

    expandable: ClassVar[dict[str, str]] = {"customer": "cus"}

    id: str
    object: Literal["payment_method"] = "payment_method"
    allow_redisplay: Literal["always", "limited", "unspecified"] | None = None
    billing_details: BillingDetailsOut
    card: CardOut | None = None
    created: int
    customer: str | None = None
    customer_account: str | None = None
    livemode: bool
    metadata: dict[str, str] | None = None
    pay_by_bank: PayByBankOut | msgspec.UnsetType = msgspec.UNSET
    radar_options: dict[str, Any] | None = None
    type: str


def render(row: Any, *, livemode: bool) -> PaymentMethodOut:
    """The payment method of `row`; its `card` column is `CardDetails.stored()`."""
    return PaymentMethodOut(
        id=encode("pm", row.id),
        allow_redisplay="unspecified",
        billing_details=billing_details(row.billing_details),
        card=render_card(row.card) if row.card else None,
        created=unix(row.created_at),
        customer=encode("cus", row.customer_id) if row.customer_id else None,
        livemode=livemode,
        metadata=row.metadata,
        pay_by_bank=msgspec.UNSET if row.pay_by_bank is None else PayByBankOut(**row.pay_by_bank),
        type=row.type,
    )


def render_card(stored: Mapping[str, Any]) -> CardOut:
    """The card as shown; which test instrument it is stays inside."""
    brand = stored["brand"]
    return CardOut(
        brand=brand,
        checks=CardChecksOut(cvc_check=stored.get("cvc_check")),
        country=stored["country"],
        display_brand=brand,
        exp_month=stored["exp_month"],
        exp_year=stored["exp_year"],
        fingerprint=stored["fingerprint"],
        funding=stored["funding"],
        last4=stored["last4"],
        networks=CardNetworksOut(available=[brand]),
        regulated_status="unregulated",
        three_d_secure_usage=ThreeDSecureUsageOut(supported=True),
    )
