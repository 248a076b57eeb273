"""The balance on the wire: what is there and what is coming, by currency."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec


@dataclass(frozen=True, slots=True)
class CurrencyBalance:
    """One currency's balances in minor units; either may be negative."""

    currency: str
    available_minor: int
    pending_minor: int


class SourceTypesOut(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """Where the money came from."""

    bank_account: int | None = None
    card: int | None = None
    fpx: int | None = None


class BalanceAmountOut(msgspec.Struct, kw_only=True):
    """An amount of one currency, in minor units."""

    amount: int
    currency: str
    source_types: SourceTypesOut | None = None


class BalanceOut(msgspec.Struct, kw_only=True):
    """`available` can be paid out, `pending` will be."""

    object: Literal["balance"] = "balance"
    available: list[BalanceAmountOut]
    connect_reserved: list[BalanceAmountOut] | None = None
    instant_available: list[BalanceAmountOut] | None = None
    issuing: dict[str, Any] | None = None
    livemode: bool
    pending: list[BalanceAmountOut]
    refund_and_dispute_prefunding: dict[str, Any] | None = None


def render(balances: Iterable[CurrencyBalance], *, livemode: bool) -> BalanceOut:
    """The balance over all currencies, in alphabetical order. All our money so far comes from cards."""
    rows = sorted(balances, key=lambda row: row.currency)
    return BalanceOut(
        available=[_amount(row.currency, row.available_minor) for row in rows],
        livemode=livemode,
        pending=[_amount(row.currency, row.pending_minor) for row in rows],
    )


def _amount(currency: str, minor: int) -> BalanceAmountOut:
    return BalanceAmountOut(amount=minor, currency=currency, source_types=SourceTypesOut(card=minor))
