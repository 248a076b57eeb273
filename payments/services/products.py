"""Products: create, update, delete."""

from __future__ import annotations

from typing import Any

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget
from connect.kit.metadata import merge
from connect.services import events
from connect.services.events import NewEvent
from payments.domain import errors
from payments.models import Price, Product
from payments.selectors import prices, products
from payments.services import catalog, locks
from payments.shapes.products import DeletedProductOut, ProductOut


def create(caller: Caller, *, default_price_data: dict[str, Any] | None = None, **given: Any) -> ProductOut:
    """Keep a product. `default_price_data` makes its default price along.

    Publishes `product.created`, and `price.created` when there is a price. Raises what making the price raises.
    """
    product = catalog.new_product(caller, **given)
    if default_price_data is not None:
        price = catalog.new_price(caller, product=product, **default_price_data)
        product.default_price_id = price.id
        product.save(update_fields=["default_price_id"])
    events.publish(caller, NewEvent("product.created", products.shape(caller, product)))
    if default_price_data is not None:
        events.publish(caller, NewEvent("price.created", prices.shape(caller, price)))
    return products.shape(caller, product)


def update(caller: Caller, *, product_id: str, **given: Any) -> ProductOut:
    """Change a product. Publishes `product.updated`.

    Raises `ResourceMissing`, and `MissingParameterTarget` for a `default_price` of another product.
    """
    product = locks.product(caller, product_id)
    before = products.shape(caller, product)
    for name, value in catalog.product_fields(given).items():
        setattr(product, name, value)
    if "metadata" in given:
        product.metadata = merge(product.metadata, given["metadata"])
    if given.get("default_price"):
        product.default_price_id = _own_price(caller, product, given["default_price"])
    product.updated_at = caller.clock.business()
    product.save()
    after = products.shape(caller, product)
    events.publish(caller, events.updated("product.updated", before=before, after=after))
    return after


def delete(caller: Caller, *, product_id: str) -> DeletedProductOut:
    """Delete a product that has no prices. Publishes `product.deleted`.

    Raises `ProductHasPrices` and `ResourceMissing`.
    """
    product = locks.product(caller, product_id)
    if Price.objects.filter(product_id=product.id).exists():
        raise errors.ProductHasPrices(param="id")
    as_it_was = products.shape(caller, product)
    product.deleted_at = product.updated_at = caller.clock.business()
    product.active = False
    product.save(update_fields=["deleted_at", "updated_at", "active"])
    events.publish(caller, NewEvent("product.deleted", as_it_was))
    return DeletedProductOut(id=ids.encode("prod", product.id))


def _own_price(caller: Caller, product: Product, price_id: str) -> Any:
    price = Price.objects.one(account_id=caller.account, id=ids.lookup("price", price_id))
    if price is None or price.product_id != product.id:
        raise MissingParameterTarget(resource="price", id=price_id, param="default_price")
    return price.id
