"""A hold on the wire."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from ledger.domain.records import Hold, HoldState

PREFIX = "lhold"


class LedgerHoldOut(msgspec.Struct, kw_only=True, gc=False):
    """Money set aside from `source` for `destination`. `amount` = captured + released + remaining, in minor units."""

    expandable: ClassVar[dict[str, str]] = {"destination": "lacct", "source": "lacct"}

    id: str
    object: Literal["ledger.hold"] = "ledger.hold"
    amount: int
    amount_captured: int
    amount_released: int
    amount_remaining: int
    created: int
    currency: str
    description: str | None
    destination: str
    destination_path: str
    expires_at: int | None
    livemode: bool
    metadata: dict[str, str]
    reference: str | None
    source: str
    source_path: str
    status: HoldState
    void_reason: str | None


def render(hold: Hold, *, livemode: bool) -> LedgerHoldOut:
    """The wire shape of a hold."""
    return LedgerHoldOut(
        id=encode(PREFIX, hold.id),
        amount=hold.amount_minor,
        amount_captured=hold.posted_minor,
        amount_released=hold.voided_minor,
        amount_remaining=hold.open_minor,
        created=unix(hold.created_at),
        currency=hold.currency,
        description=hold.description or None,
        destination=encode("lacct", hold.destination_id),
        destination_path=hold.destination_path,
        expires_at=unix(hold.expires_at) if hold.expires_at else None,
        livemode=livemode,
        metadata=hold.metadata,
        reference=hold.reference or None,
        source=encode("lacct", hold.source_id),
        source_path=hold.source_path,
        status=hold.state,
        void_reason=hold.void_reason or None,
    )
