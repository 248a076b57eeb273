"""The rows of products and prices, for whoever makes them: their own endpoints, and checkout."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction

from connect.kit import currencies, ids
from connect.kit.caller import Caller
from connect.kit.errors import ParameterInvalid, ParameterMissing
from connect.kit.metadata import merge
from connect.services import events
from payments.domain import errors
from payments.models import Price, Product
from payments.selectors import prices

_PRODUCT_FIELDS: Final = (
    "name", "active", "description", "images", "shippable", "statement_descriptor", "unit_label", "url",
)  # fmt: skip


def new_product(caller: Caller, *, metadata: Any = None, **given: Any) -> Product:
    """A new product, saved. Its event is the caller's to publish."""
    now = caller.clock.business()
    product = Product(
        account_id=caller.account,
        metadata=merge({}, metadata) if metadata else {},
        created_at=now,
        updated_at=now,
        **product_fields(given),
    )
    product.save(force_insert=True)
    return product


def product_fields(given: dict[str, Any]) -> dict[str, Any]:
    """What of `given` is a column of a product as it stands."""
    return {name: given[name] for name in _PRODUCT_FIELDS if name in given}


def new_price(
    caller: Caller,
    *,
    product: Product,
    currency: str,
    unit_amount: int | None = None,
    unit_amount_decimal: Decimal | None = None,
    active: bool = True,
    recurring: dict[str, Any] | None = None,
    lookup_key: str | None = None,
    transfer_lookup_key: bool = False,
    nickname: str | None = None,
    tax_behavior: str = "unspecified",
    metadata: Any = None,
) -> Price:
    """A new price, saved. One of the two amounts is given, in minor units of `currency`; its event is the caller's.

    Raises `ParameterMissing`, `ParameterInvalid` and `LookupKeyTaken`.
    """
    price = Price(
        account_id=caller.account,
        product_id=product.id,
        active=active,
        currency=currency,
        unit_amount_decimal=_amount(unit_amount, unit_amount_decimal),
        recurring=_recurring(recurring),
        nickname=nickname,
        tax_behavior=tax_behavior,
        metadata=merge({}, metadata) if metadata else {},
        created_at=caller.clock.business(),
    )
    if not lookup_key:
        price.save(force_insert=True)
        return price
    if transfer_lookup_key:
        free_lookup_key(caller, lookup_key)
    price.lookup_key = lookup_key
    save_with_lookup_key(caller, price, new=True)
    return price


def free_lookup_key(caller: Caller, lookup_key: str) -> None:
    """Take a lookup key from the price that has it, and publish its `price.updated`."""
    holder = Price.objects.one(account_id=caller.account, lookup_key=lookup_key, lock=True)
    if holder is None:
        return
    before = prices.shape(caller, holder)
    holder.lookup_key = None
    holder.save(update_fields=["lookup_key"])
    after = prices.shape(caller, holder)
    events.publish(caller, events.updated("price.updated", before=before, after=after))


def save_with_lookup_key(caller: Caller, price: Price, *, new: bool) -> None:
    """Save a price whose lookup key another may have. Raises `LookupKeyTaken`."""
    try:
        with transaction.atomic():
            price.save(force_insert=new)
    except IntegrityError as taken:
        holder = Price.objects.one(account_id=caller.account, lookup_key=price.lookup_key)
        if holder is None:
            raise
        raise errors.LookupKeyTaken(price=ids.encode("price", holder.id), param="lookup_key") from taken


def _amount(whole: int | None, exact: Decimal | None) -> Decimal:
    if whole is not None and exact is not None:
        raise ParameterInvalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.", param="unit_amount"
        )
    if whole is not None:
        return Decimal(whole)
    if exact is None:
        raise ParameterMissing("You must specify either `unit_amount` or `unit_amount_decimal`.", param="unit_amount")
    if not 0 <= exact <= currencies.MAXIMUM_MINOR:
        raise ParameterInvalid(
            f"unit_amount_decimal must be between 0 and {currencies.MAXIMUM_MINOR}.", param="unit_amount_decimal"
        )
    return exact


def _recurring(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": given.get("usage_type", "licensed"),
    }
