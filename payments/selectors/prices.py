"""Prices as they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange, require_cursor, slice_queryset
from payments.models import Price
from payments.shapes import prices as shapes
from payments.shapes.prices import PriceOut

PREFIX = "price"


def get(caller: Caller, price_id: str) -> PriceOut:
    """The caller's price. Raises `ResourceMissing`."""
    row = Price.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, price_id))
    if row is None:
        raise ResourceMissing(resource="price", id=price_id, param="price")
    return shape(caller, row)


def page(
    caller: Caller,
    page: Page,
    *,
    active: bool | None = None,
    currency: str | None = None,
    lookup_keys: Sequence[str] | None = None,
    product: UUID | None = None,
    type: str | None = None,  # noqa: A002 - Stripe's name
    recurring: Mapping[str, Any] | None = None,
    created: TimeRange | None = None,
) -> tuple[list[PriceOut], bool]:
    """A page of the caller's prices, newest first, and whether there are more."""
    rows = Price.objects.filter(account_id=caller.account)
    exact = {"active": active, "currency": currency, "product_id": product}
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if lookup_keys is not None:
        rows = rows.filter(lookup_key__in=lookup_keys)
    if type is not None:
        rows = rows.filter(recurring__isnull=type == "one_time")
    for name, value in (recurring or {}).items():
        rows = rows.filter(**{f"recurring__{name}": value})
    if created is not None:
        rows = rows.filter(**created.filters("created_at"))
    require_cursor(page, PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    return [shape(caller, row) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, PriceOut]:
    """Many at once, for expanding."""
    rows = Price.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def shape(caller: Caller, row: Price) -> PriceOut:
    """The price on the wire."""
    return shapes.render(row, livemode=caller.livemode)
