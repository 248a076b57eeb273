"""Refunds as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import DEFAULT_LIMIT, ListObject, Page, TimeRange
from connect.selectors import lists
from payments.models import Charge, Refund
from payments.shapes import refunds as shapes
from payments.shapes.refunds import RefundOut

PREFIX = "re"


def get(caller: Caller, refund_id: str) -> RefundOut:
    """The caller's refund. Raises `ResourceMissing`."""
    row = Refund.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, refund_id))
    if row is None:
        raise ResourceMissing(resource="refund", id=refund_id, param="id")
    return shape(caller, row)


def page(
    caller: Caller,
    page: Page,
    *,
    charge: UUID | None = None,
    payment_intent: UUID | None = None,
    created: TimeRange | None = None,
) -> tuple[list[RefundOut], bool]:
    """A page of the caller's refunds, newest first, and whether there are more."""
    found, has_more = lists.page(
        caller, Refund, page, PREFIX, created=created, charge_id=charge, payment_intent_id=payment_intent
    )
    return [shape(caller, row) for row in found], has_more


def of_charge(caller: Caller, charge_id: str, page: Page) -> tuple[list[RefundOut], bool]:
    """A page of one charge's refunds. Raises `ResourceMissing` when the caller has no such charge."""
    identifier = ids.lookup("ch", charge_id)
    if not Charge.objects.filter(account_id=caller.account, pk=identifier).exists():
        raise ResourceMissing(resource="charge", id=charge_id, param="id")
    found, has_more = lists.page(caller, Refund, page, PREFIX, always={"charge_id": identifier})
    return [shape(caller, row) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, RefundOut]:
    """Many at once, for expanding."""
    rows = Refund.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def load_for_charges(caller: Caller, charges: Sequence[UUID]) -> dict[UUID, ListObject[RefundOut]]:
    """The newest refunds of many charges at once, each as the first page of the charge's own list."""
    by_charge: dict[UUID, list[RefundOut]] = {charge: [] for charge in charges}
    for row in Refund.objects.filter(account_id=caller.account, charge_id__in=charges).order_by("-id"):
        by_charge[row.charge_id].append(shape(caller, row))
    return {
        charge: ListObject(
            url=f"/v1/charges/{ids.encode('ch', charge)}/refunds",
            has_more=len(found) > DEFAULT_LIMIT,
            data=found[:DEFAULT_LIMIT],
        )
        for charge, found in by_charge.items()
    }


def shape(caller: Caller, row: Refund) -> RefundOut:
    """The refund on the wire."""
    return shapes.render(row, livemode=caller.livemode)
