"""A balance transaction on the wire: one change of a balance, with its fee."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode


class FeeDetailOut(msgspec.Struct, kw_only=True, gc=False):
    """One part of a fee, in minor units."""

    amount: int
    application: str | None = None
    currency: str
    description: str | None = None
    type: str


class BalanceTransactionOut(msgspec.Struct, kw_only=True):
    """`net` = `amount` − `fee`, in minor units; it counts towards the available balance from `available_on`."""

    expandable: ClassVar[dict[str, str | tuple[str, ...]]] = {"source": ("ch", "re")}

    id: str
    object: Literal["balance_transaction"] = "balance_transaction"
    amount: int
    available_on: int
    balance_type: Literal["issuing", "payments", "refund_and_dispute_prefunding", "risk_reserved"] = "payments"
    created: int
    currency: str
    description: str | None = None
    exchange_rate: float | None = None
    fee: int
    fee_details: list[FeeDetailOut]
    net: int
    reporting_category: str
    source: str | None = None
    status: Literal["available", "pending"]
    type: str


def render(row: Any, *, livemode: bool) -> BalanceTransactionOut:  # noqa: ARG001 - all renderers are called alike
    """The balance transaction of `row`; it has no `livemode` on the wire. `source_id` is a public id already.

    A rate is shown as a number, as Stripe's SDK reads it; the exact one stays in the ledger.
    """
    rate = row.exchange_rate
    return BalanceTransactionOut(
        id=encode("txn", row.id),
        amount=row.amount_minor,
        available_on=unix(row.available_on),
        created=unix(row.created_at),
        currency=row.currency,
        description=row.description or None,
        exchange_rate=None if rate is None else float(rate),
        fee=row.fee_minor,
        fee_details=[FeeDetailOut(**part) for part in row.fee_details],
        net=row.net_minor,
        reporting_category=row.reporting_category,
        source=row.source_id or None,
        status=row.status,
        type=row.type,
    )
