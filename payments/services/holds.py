"""Holds over time: what was authorized and never captured runs out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db.models import QuerySet

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from payments.domain.payment_intent_state import CancellationReason
from payments.models import Charge
from payments.services import locks, payment_outcomes
from payments.services.due import in_order

BATCH: Final = 500
log = structlog.get_logger(__name__)


def expire_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """Release the holds that ran out by the caller's business clock, in the order in which they did.

    Of the charges that live by the test clock `clock_id`, or by none; each in a transaction of its own. The processor
    lets them go by itself and is not asked. One whose capture or release is with the processor is left to that. Returns
    how many were released.
    """
    with use_environment(caller.environment):
        due = _held(clock_id).filter(capture_before__lte=caller.clock.business())
    expired = 0
    for known in in_order(caller, due, "capture_before", size=BATCH):
        try:
            with use_environment(caller.environment):
                expired += _expire(replace(caller, account=known.account_id), known.payment_intent_id, known.id)
        except Exception:  # the others must not wait for this one; the next run finds it again
            log.exception("hold_not_expired", charge=ids.encode("ch", known.id))
            if clock_id is not None:
                raise
    return expired


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
