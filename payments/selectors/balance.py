"""The balance, read from the ledger and from nothing else."""

from __future__ import annotations

from connect.kit import currencies
from connect.kit.caller import Caller
from ledger.selectors import balances
from payments.domain import postings
from payments.shapes import balance as shapes
from payments.shapes.balance import BalanceOut, CurrencyBalance

_PARTS = ("available", "pending")


def now(caller: Caller) -> BalanceOut:
    """What the caller's account has available and pending, by currency, in one statement."""
    owner = postings.owner_segment(caller.account)
    found = balances.for_paths(f"{owner}:{part}:{currency}" for part in _PARTS for currency in currencies.EXPONENTS)
    rows: dict[str, dict[str, int]] = {}
    for row in found.values():
        rows.setdefault(row.currency, dict.fromkeys(_PARTS, 0))[row.path.split(":")[1]] = row.balance
    return shapes.render(
        [CurrencyBalance(currency, parts["available"], parts["pending"]) for currency, parts in rows.items()],
        livemode=caller.livemode,
    )
