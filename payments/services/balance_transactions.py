"""Balance transactions over time: pending money becomes available."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.services import events
from connect.services.events import NewEvent
from payments.models import BalanceTransaction
from payments.selectors import balance
from payments.services import books

BATCH: Final = 100


def settle_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """Make available what is due by the caller's business clock, at most `BATCH` lines; publishes `balance.available`.

    Of the lines that live by the test clock `clock_id`, or by none. Runs inside the caller's open environment. Lines
    another run works on are left to it. Returns how many were settled.
    """
    due = (
        BalanceTransaction.objects.select_for_update(skip_locked=True)
        .filter(
            status=BalanceTransaction.Status.PENDING,
            available_on__lte=caller.clock.business(),
            test_clock_id=clock_id,
        )
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


def settle_all_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """`settle_due` until nothing is due any more, a batch in each transaction. Returns how many were settled."""
    settled = 0
    while True:
        with use_environment(caller.environment):
            count = settle_due(caller, clock_id)
        settled += count
        if count < BATCH:
            return settled


def next_due_at(_: Caller, clock_id: UUID | None, after: datetime) -> datetime | None:
    """When the next money becomes available, later than `after`."""
    pending = BalanceTransaction.objects.filter(
        status=BalanceTransaction.Status.PENDING, test_clock_id=clock_id, available_on__gt=after
    )
    return pending.order_by("available_on").values_list("available_on", flat=True).first()
