"""Holds over time: what was authorized and never captured runs out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db.models import Q, QuerySet

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from payments.domain.payment_intent_state import CancellationReason
from payments.models import Charge
from payments.services import locks, payment_outcomes

BATCH: Final = 500
log = structlog.get_logger(__name__)


def expire_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """Release the holds that ran out by the caller's business clock, in the order in which they did.

    Of the charges that live by the test clock `clock_id`, or by none; each in a transaction of its own. By the
    machine's time at most `BATCH`, and the next run goes on; while a clock is moved, all. The processor lets them go by
    itself and is not asked. One whose capture or release is with the processor is left to that. Returns how many were
    released.
    """
    expired, after = 0, Q()
    while True:
        with use_environment(caller.environment):
            due = _held(clock_id).filter(after, capture_before__lte=caller.clock.business())
            found = list(due.order_by("capture_before", "id")[:BATCH])
        for charge in found:
            try:
                with use_environment(caller.environment):
                    expired += _expire(replace(caller, account=charge.account_id), charge.payment_intent_id, charge.id)
            except Exception:  # the others must not wait for this one; the next run finds it again
                log.exception("hold_not_expired", charge=ids.encode("ch", charge.id))
                if clock_id is not None:
                    raise
        if caller.clock.frozen_at is None or len(found) < BATCH:
            return expired
        last = found[-1]
        after = Q(capture_before__gt=last.capture_before) | Q(capture_before=last.capture_before, id__gt=last.id)


def next_due_at(_: Caller, clock_id: UUID | None, after: datetime) -> datetime | None:
    """When the next hold runs out, later than `after`."""
    coming = _held(clock_id).filter(capture_before__gt=after)
    return coming.order_by("capture_before").values_list("capture_before", flat=True).first()


def _expire(caller: Caller, intent_id: UUID, charge_id: UUID) -> bool:
    """Release one, if it is still held and nobody is at it."""
    intent = locks.payment_intent(caller, ids.encode("pi", intent_id))
    charge = locks.charge(charge_id)
    if intent.open_attempt_id is not None or charge.captured or charge.refunded:
        return False
    payment_outcomes.expire(caller, intent, charge, reason=CancellationReason.AUTOMATIC)
    return True


def _held(clock_id: UUID | None) -> QuerySet[Charge]:
    """What is held and neither captured to its end nor released."""
    return Charge.objects.filter(capture_before__isnull=False, captured=False, refunded=False, test_clock_id=clock_id)
