"""The small shapes that several resources share: addresses, billing details, cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class AddressOut(msgspec.Struct, kw_only=True, gc=False):
    """A postal address; `country` is an ISO 3166 two-letter code."""

    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None


class BillingDetailsOut(msgspec.Struct, kw_only=True):
    """Who the payer is, as entered with the payment method."""

    address: AddressOut
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    tax_id: str | None = None


class ShippingOut(msgspec.Struct, kw_only=True):
    """Where the goods go."""

    address: AddressOut | None = None
    carrier: str | None = None
    name: str | None = None
    phone: str | None = None
    tracking_number: str | None = None


def address(stored: Mapping[str, Any] | None) -> AddressOut:
    """All six fields, null where nothing is stored."""
    return AddressOut(**stored) if stored else AddressOut()


def optional_address(stored: Mapping[str, Any] | None) -> AddressOut | None:
    """The address, or null when none was given at all."""
    return AddressOut(**stored) if stored else None


def billing_details(stored: Mapping[str, Any] | None) -> BillingDetailsOut:
    """Complete billing details from what is stored, which may be nothing."""
    if not stored:
        return BillingDetailsOut(address=AddressOut())
    return BillingDetailsOut(
        address=address(stored.get("address")),
        email=stored.get("email"),
        name=stored.get("name"),
        phone=stored.get("phone"),
        tax_id=stored.get("tax_id"),
    )


def shipping(stored: Mapping[str, Any] | None) -> ShippingOut | None:
    """The shipping details, or null when none were given."""
    if not stored:
        return None
    return ShippingOut(
        address=optional_address(stored.get("address")),
        carrier=stored.get("carrier"),
        name=stored.get("name"),
        phone=stored.get("phone"),
        tracking_number=stored.get("tracking_number"),
    )
