"""A price on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode


class RecurringOut(msgspec.Struct, kw_only=True, gc=False):
    """How often a price is due: every `interval_count` times `interval`."""

    interval: Literal["day", "week", "month", "year"]
    interval_count: int
    meter: str | None = None
    trial_period_days: int | None = None
    usage_type: Literal["licensed", "metered"]


class PriceOut(msgspec.Struct, kw_only=True):
    """What one unit of a product costs.

    `unit_amount_decimal` is exact, in minor units of `currency`; `unit_amount` is null when it has parts of one.
    """

    expandable: ClassVar[dict[str, str]] = {"product": "prod"}

    id: str
    object: Literal["price"] = "price"
    active: bool
    billing_scheme: Literal["per_unit", "tiered"] = "per_unit"
    created: int
    currency: str
    custom_unit_amount: dict[str, Any] | None = None
    livemode: bool
    lookup_key: str | None = None
    metadata: dict[str, str]
    nickname: str | None = None
    product: str
    recurring: RecurringOut | None = None
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] | None = None
    tiers_mode: Literal["graduated", "volume"] | None = None
    transform_quantity: dict[str, Any] | None = None
    type: Literal["one_time", "recurring"]
    unit_amount: int | None = None
    unit_amount_decimal: str | None = None


def render(row: Any, *, livemode: bool) -> PriceOut:
    """The price of `row`."""
    exact = row.unit_amount_decimal
    return PriceOut(
        id=encode("price", row.id),
        active=row.active,
        created=unix(row.created_at),
        currency=row.currency,
        livemode=livemode,
        lookup_key=row.lookup_key or None,
        metadata=row.metadata,
        nickname=row.nickname or None,
        product=encode("prod", row.product_id),
        recurring=RecurringOut(**row.recurring) if row.recurring else None,
        tax_behavior=row.tax_behavior,
        type="recurring" if row.recurring else "one_time",
        unit_amount=int(exact) if exact == exact.to_integral_value() else None,
        unit_amount_decimal=plain(exact),
    )


def plain(number: Decimal) -> str:
    """A decimal without an exponent and without zeros at its end: `0.5`, `1999`."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
