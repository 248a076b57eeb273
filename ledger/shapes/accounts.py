"""A ledger account on the wire."""

from __future__ import annotations

from typing import Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from ledger.domain.records import Account

PREFIX = "lacct"


class LedgerAccountOut(msgspec.Struct, kw_only=True, gc=False):
    """An account of the ledger. `floor` is the least it may have available, in minor units; null: no limit."""

    id: str
    object: Literal["ledger.account"] = "ledger.account"
    closed_at: int | None
    created: int
    currency: str
    floor: int | None
    livemode: bool
    metadata: dict[str, str]
    name: str | None
    normal_side: Literal["debit", "credit"]
    path: str


def render(account: Account, *, livemode: bool) -> LedgerAccountOut:
    """The wire shape of an account."""
    return LedgerAccountOut(
        id=encode(PREFIX, account.id),
        closed_at=unix(account.closed_at) if account.closed_at else None,
        created=unix(account.created_at),
        currency=account.currency,
        floor=account.floor_minor,
        livemode=livemode,
        metadata=account.metadata,
        name=account.name or None,
        normal_side=account.normal_side,
        path=account.path,
    )
