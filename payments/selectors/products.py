"""Products as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange, require_cursor, slice_queryset
from payments.models import Product
from payments.shapes import products as shapes
from payments.shapes.products import ProductOut

PREFIX = "prod"


def get(caller: Caller, product_id: str) -> Any:
    """The caller's product, or its deleted form. Raises `ResourceMissing`."""
    row = Product.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, product_id))
    if row is None:
        raise ResourceMissing(resource="product", id=product_id, param="id")
    return shape(caller, row)


def page(
    caller: Caller,
    page: Page,
    *,
    active: bool | None = None,
    ids: Sequence[UUID] | None = None,
    shippable: bool | None = None,
    url: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[ProductOut], bool]:
    """A page of the caller's products, newest first, and whether there are more."""
    rows = Product.objects.filter(account_id=caller.account, deleted_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    exact = {"active": active, "shippable": shippable, "url": url}
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if created is not None:
        rows = rows.filter(**created.filters("created_at"))
    require_cursor(page, PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    return [shape(caller, row) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, Any]:
    """Many at once, for expanding."""
    rows = Product.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def shape(caller: Caller, row: Product) -> Any:
    """The product on the wire."""
    return shapes.render(row, livemode=caller.livemode)
