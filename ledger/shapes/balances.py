"""A balance on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from ledger.domain.records import Balance


class LedgerBalanceOut(msgspec.Struct, kw_only=True, gc=False):
    """An account's balance in minor units, seen from its normal side. `available` is `balance` less `held_out`.

    With `as_of` it is the balance at that moment; holds are not part of the past, so `held_in` and `held_out` are 0.
    """

    expandable: ClassVar[dict[str, str]] = {"account": "lacct"}

    id: str
    object: Literal["ledger.balance"] = "ledger.balance"
    account: str
    as_of: int | None
    available: int
    balance: int
    currency: str
    held_in: int
    held_out: int
    livemode: bool
    normal_side: Literal["debit", "credit"]
    path: str


def render(balance: Balance, *, livemode: bool, as_of: datetime | None = None) -> LedgerBalanceOut:
    """The wire shape of a balance. It is told by its account's id."""
    identifier = encode("lacct", balance.account_id)
    return LedgerBalanceOut(
        id=identifier,
        account=identifier,
        as_of=unix(as_of) if as_of else None,
        available=balance.available,
        balance=balance.balance,
        currency=balance.currency,
        held_in=balance.held_in,
        held_out=balance.held_out,
        livemode=livemode,
        normal_side=balance.normal_side,
        path=balance.path,
    )
