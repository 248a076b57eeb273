"""Balance transactions as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange
from connect.selectors import lists
from payments.models import BalanceTransaction
from payments.shapes import balance_transactions as shapes
from payments.shapes.balance_transactions import BalanceTransactionOut

PREFIX = "txn"


def get(caller: Caller, transaction_id: str) -> BalanceTransactionOut:
    """The caller's balance transaction. Raises `ResourceMissing`."""
    row = BalanceTransaction.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, transaction_id))
    if row is None:
        raise ResourceMissing(resource="balance_transaction", id=transaction_id, param="id")
    return shapes.render(row, livemode=caller.livemode)


def page(
    caller: Caller,
    page: Page,
    *,
    currency: str | None = None,
    source: str | None = None,
    type: str | None = None,  # noqa: A002 - Stripe's name
    created: TimeRange | None = None,
) -> tuple[list[BalanceTransactionOut], bool]:
    """A page of the caller's balance transactions, newest first, and whether there are more."""
    found, has_more = lists.page(
        caller, BalanceTransaction, page, PREFIX, created=created, currency=currency, source_id=source, type=type
    )
    return [shapes.render(row, livemode=caller.livemode) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, BalanceTransactionOut]:
    """Many at once, for expanding."""
    rows = BalanceTransaction.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shapes.render(row, livemode=caller.livemode) for row in rows}
