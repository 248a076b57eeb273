"""Customers as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Hits, Page, TimeRange
from connect.kit.search import Query
from connect.selectors import lists
from payments.domain import searchable
from payments.models import Customer
from payments.selectors import searches
from payments.shapes import customers as shapes
from payments.shapes.customers import CustomerOut

PREFIX = "cus"


def get(caller: Caller, customer_id: str) -> Any:
    """The caller's customer, or its deleted form. Raises `ResourceMissing`."""
    row = Customer.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, customer_id))
    if row is None:
        raise ResourceMissing(resource="customer", id=customer_id, param="id")
    return shape(caller, row)


def require(caller: Caller, customer_id: str) -> UUID:
    """The UUID of a customer that is there. Raises `ResourceMissing`."""
    identifier = ids.lookup(PREFIX, customer_id)
    if not Customer.objects.filter(account_id=caller.account, pk=identifier, deleted_at=None).exists():
        raise ResourceMissing(resource="customer", id=customer_id, param="customer")
    return identifier


def page(
    caller: Caller,
    page: Page,
    *,
    email: str | None = None,
    created: TimeRange | None = None,
    test_clock: UUID | None = None,
) -> tuple[list[CustomerOut], bool]:
    """A page of the caller's customers, newest first, and whether there are more.

    Those that live by a test clock are in that clock's list only, as with Stripe.
    """
    always = {"deleted_at": None, "test_clock_id": test_clock}
    found, has_more = lists.page(caller, Customer, page, PREFIX, created=created, always=always, email=email)
    return [shape(caller, row) for row in found], has_more


def search(caller: Caller, *, query: Query, page: Page, count: bool) -> Hits[CustomerOut]:
    """A page of the caller's customers that answer a query over `searchable.CUSTOMERS`, newest first.

    As in the list, deleted ones are left out, and those that live by a test clock.
    """
    hits = searches.find(
        caller,
        Customer,
        query=query,
        fields=searchable.CUSTOMERS,
        columns={"created": "created_at"},
        page=page,
        count=count,
        always={"deleted_at": None, "test_clock_id": None},
    )
    return hits.shown(lambda row: shape(caller, row))


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, Any]:
    """Many at once, for expanding."""
    rows = Customer.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def shape(caller: Caller, row: Customer) -> Any:
    """The customer on the wire."""
    return shapes.render(row, livemode=caller.livemode)
