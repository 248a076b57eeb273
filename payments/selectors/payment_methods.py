"""Payment methods as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page
from connect.selectors import lists
from payments.models import PaymentMethod
from payments.shapes import payment_methods as shapes
from payments.shapes.payment_methods import PaymentMethodOut

PREFIX = "pm"


def get(caller: Caller, method_id: str, *, customer: UUID | None = None) -> PaymentMethodOut:
    """The caller's payment method, of one customer if given. Raises `ResourceMissing`."""
    rows = PaymentMethod.objects.filter(account_id=caller.account, pk=ids.lookup(PREFIX, method_id))
    row = (rows.filter(customer_id=customer) if customer else rows).first()
    if row is None:
        raise ResourceMissing(resource="payment_method", id=method_id, param="payment_method")
    return shapes.render(row, livemode=caller.livemode)


def page(
    caller: Caller,
    page: Page,
    *,
    customer: UUID | None = None,
    type: str | None = None,  # noqa: A002 - Stripe's name
) -> tuple[list[PaymentMethodOut], bool]:
    """A page of payment methods, newest first, and whether there are more."""
    found, has_more = lists.page(caller, PaymentMethod, page, PREFIX, customer_id=customer, type=type)
    return [shapes.render(row, livemode=caller.livemode) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, PaymentMethodOut]:
    """Many at once, for expanding."""
    rows = PaymentMethod.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shapes.render(row, livemode=caller.livemode) for row in rows}
