"""Charges as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange
from connect.selectors import lists
from payments.models import Charge
from payments.shapes import charges as shapes
from payments.shapes.charges import ChargeOut

PREFIX = "ch"


def get(caller: Caller, charge_id: str) -> ChargeOut:
    """The caller's charge. Raises `ResourceMissing`."""
    row = Charge.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, charge_id))
    if row is None:
        raise ResourceMissing(resource="charge", id=charge_id, param="id")
    return shapes.render(row, livemode=caller.livemode)


def page(
    caller: Caller,
    page: Page,
    *,
    customer: UUID | None = None,
    payment_intent: UUID | None = None,
    created: TimeRange | None = None,
) -> tuple[list[ChargeOut], bool]:
    """A page of the caller's charges, newest first, and whether there are more."""
    found, has_more = lists.page(
        caller, Charge, page, PREFIX, created=created, customer_id=customer, payment_intent_id=payment_intent
    )
    return [shapes.render(row, livemode=caller.livemode) for row in found], has_more


def for_intent(caller: Caller, intent_id: str) -> list[ChargeOut]:
    """Every charge of one intent, newest first."""
    identifier = ids.lookup("pi", intent_id)
    rows = Charge.objects.filter(account_id=caller.account, payment_intent_id=identifier).order_by("-id")
    return [shapes.render(row, livemode=caller.livemode) for row in rows]


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, ChargeOut]:
    """Many at once, for expanding."""
    rows = Charge.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shapes.render(row, livemode=caller.livemode) for row in rows}
