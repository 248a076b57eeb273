"""A product on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode


class ProductOut(msgspec.Struct, kw_only=True):
    """A good or a service that is sold. What it costs stands in its prices."""

    expandable: ClassVar[dict[str, str]] = {"default_price": "price"}

    id: str
    object: Literal["product"] = "product"
    active: bool
    created: int
    default_price: str | None = None
    description: str | None = None
    images: list[str]
    livemode: bool
    marketing_features: list[dict[str, Any]]
    metadata: dict[str, str]
    name: str
    package_dimensions: dict[str, Any] | None = None
    shippable: bool | None = None
    statement_descriptor: str | None = None
    tax_code: str | None = None
    type: Literal["good", "service"] = "service"
    unit_label: str | None = None
    updated: int
    url: str | None = None


class DeletedProductOut(msgspec.Struct, kw_only=True, gc=False):
    """What is left of a product that was deleted. Only this shape has `deleted`."""

    id: str
    object: Literal["product"] = "product"
    deleted: Literal[True] = True


def render(row: Any, *, livemode: bool) -> ProductOut | DeletedProductOut:
    """The product of `row`, or its deleted form when `row.deleted_at` is set."""
    if row.deleted_at:
        return DeletedProductOut(id=encode("prod", row.id))
    return ProductOut(
        id=encode("prod", row.id),
        active=row.active,
        created=unix(row.created_at),
        default_price=encode("price", row.default_price_id) if row.default_price_id else None,
        description=row.description or None,
        images=row.images,
        livemode=livemode,
        marketing_features=[],
        metadata=row.metadata,
        name=row.name,
        shippable=row.shippable,
        statement_descriptor=row.statement_descriptor or None,
        unit_label=row.unit_label or None,
        updated=unix(row.updated_at),
        url=row.url or None,
    )
