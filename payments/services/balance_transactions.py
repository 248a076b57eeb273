"""Balance transactions over time: pending money becomes available."""

from __future__ import annotations

from typing import Final

from connect.kit.caller import Caller
from connect.services import events
from connect.services.events import NewEvent
from payments.models import BalanceTransaction
from payments.selectors import balance
from payments.services import books

BATCH: Final = 100


def settle_due(caller: Caller) -> int:
    """Make available what is due by the caller's business clock, at most `BATCH` lines; publishes `balance.available`.

    Runs inside the caller's open environment. Lines another run works on are left to it. Returns how many were settled.
    """
    due = (
        BalanceTransaction.objects.select_for_update(skip_locked=True)
        .filter(status=BalanceTransaction.Status.PENDING, available_on__lte=caller.clock.business())
        .order_by("id")
    )
    rows = list(due[:BATCH])
    if not rows:
        return 0
    books.settle(caller, rows)
    BalanceTransaction.objects.filter(pk__in=[row.id for row in rows]).update(
        status=BalanceTransaction.Status.AVAILABLE
    )
    events.publish(caller, NewEvent("balance.available", balance.now(caller), object_id="balance"))
    return len(rows)
