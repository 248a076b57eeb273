"""Prices: create and update. The amount of a price never changes."""

from __future__ import annotations

from typing import Any

from connect.kit.caller import Caller
from connect.kit.errors import ParameterInvalid, ParameterMissing
from connect.kit.metadata import merge
from connect.services import events
from connect.services.events import NewEvent
from payments.models import Price
from payments.selectors import prices, products
from payments.services import catalog, locks
from payments.shapes.prices import PriceOut

_WORDS = ("active", "nickname")


def create(
    caller: Caller,
    *,
    product: str | None = None,
    product_data: dict[str, Any] | None = None,
    active: bool = True,
    transfer_lookup_key: bool = False,
    **given: Any,
) -> PriceOut:
    """Keep a price of a product, or of a new one described by `product_data`.

    Publishes `price.created`, and `product.created` for a new product. Raises `MissingParameterTarget`,
    `ParameterMissing`, `ParameterInvalid` and `LookupKeyTaken`.
    """
    if (product is None) == (product_data is None):
        if product is None:
            raise ParameterMissing("You must pass either `product` or `product_data`.", param="product")
        raise ParameterInvalid("You may only specify one of these parameters: product, product_data.", param="product")
    if product is not None:
        owner = locks.product(caller, product, param="product")
    else:
        owner = catalog.new_product(caller, **(product_data or {}))
    price = catalog.new_price(caller, product=owner, active=active, transfer_lookup_key=transfer_lookup_key, **given)
    if product is None:
        events.publish(caller, NewEvent("product.created", products.shape(caller, owner)))
    events.publish(caller, NewEvent("price.created", shape(caller, price)))
    return shape(caller, price)


def update(
    caller: Caller,
    *,
    price_id: str,
    transfer_lookup_key: bool = False,
    **given: Any,
) -> PriceOut:
    """Change the words of a price, archive it, or give it a lookup key. Publishes `price.updated`.

    Raises `ResourceMissing`, `LookupKeyTaken`, and `ParameterInvalid` for a `tax_behavior` that is settled.
    """
    price = locks.price(caller, price_id)
    before = shape(caller, price)
    for name in _WORDS:
        if name in given:
            setattr(price, name, given[name])
    if "metadata" in given:
        price.metadata = merge(price.metadata, given["metadata"])
    if given.get("tax_behavior", price.tax_behavior) != price.tax_behavior:
        if price.tax_behavior != "unspecified":
            raise ParameterInvalid(
                f"The tax_behavior of this price is {price.tax_behavior} and cannot be changed. Create another price.",
                param="tax_behavior",
            )
        price.tax_behavior = given["tax_behavior"]
    if "lookup_key" in given:
        if given["lookup_key"] and transfer_lookup_key and given["lookup_key"] != price.lookup_key:
            catalog.free_lookup_key(caller, given["lookup_key"])
        price.lookup_key = given["lookup_key"]
    catalog.save_with_lookup_key(caller, price, new=False)
    after = shape(caller, price)
    events.publish(caller, events.updated("price.updated", before=before, after=after))
    return after


def shape(caller: Caller, price: Price) -> PriceOut:
    """The price on the wire."""
    return prices.shape(caller, price)
