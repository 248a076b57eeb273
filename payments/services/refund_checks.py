"""Asking the processor again about refunds that are not at their end: pending ones, and those that may still fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from connect.kit import clock
from connect.kit.caller import Caller
from connect.kit.failpoints import failpoint
from connect.kit.outcomes import Waiting
from connect.kit.tenancy import use_environment
from connect.selectors import test_clocks
from payments.domain.refund_state import is_returned
from payments.models import Refund
from payments.services import locks, payment_attempts, processor_calls, refund_outcomes
from payments.services.due import in_order
from payments.services.processor_calls import Answer

BATCH: Final = 100
log = structlog.get_logger(__name__)


def check_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """Ask about every refund whose `check_at` has come by the caller's business clock, and record the answers.

    Of the refunds that live by the test clock `clock_id`, or by none. As with open attempts, whoever asks holds the
    attempt's lease. Returns how many were asked about.
    """
    with use_environment(caller.environment):
        due = Refund.objects.filter(check_at__lte=caller.clock.business(), test_clock_id=clock_id)
    asked = 0
    for refund in in_order(caller, due, "check_at", size=BATCH):
        own = replace(caller, account=refund.account_id)
        with use_environment(caller.environment):
            waiting = _claim(own, refund)
        if waiting is None:
            continue
        asked += 1
        try:
            failpoint("payments.settle.claimed", waiting.call.kind)
            answer = processor_calls.ask(waiting)
            failpoint("payments.settle.asked", waiting.call.kind)
            with use_environment(caller.environment):
                _record(own, refund, waiting, answer)
        except Exception:  # the others must not wait for this one; its lease brings it back
            log.exception("refund_unchecked", attempt=waiting.resume)
            if clock_id is not None:
                raise
    return asked


def next_due_at(_: Caller, clock_id: UUID | None, after: datetime) -> datetime | None:
    """When the next refund is to be asked about, later than `after`."""
    coming = Refund.objects.filter(check_at__gt=after, test_clock_id=clock_id)
    return coming.order_by("check_at").values_list("check_at", flat=True).first()


def _claim(caller: Caller, known: Refund) -> Waiting | None:
    """Take the refund's attempt over, unless somebody else is at it or nothing is to be asked any more."""
    _, attempt = locks.attempt(caller, known.attempt_id, intent_id=known.payment_intent_id)
    refund = locks.refund(caller, known.id)
    if refund is None or refund.check_at is None or is_returned(refund.status) or attempt.lease_until > clock.wall():
        return None
    return payment_attempts.ask_again(attempt)


def _record(caller: Caller, known: Refund, waiting: Waiting, answer: Answer) -> None:
    intent, attempt = locks.attempt(caller, waiting.call.attempt_id, intent_id=known.payment_intent_id)
    refund = locks.refund(caller, known.id)
    if refund is None or refund.check_at is None or is_returned(refund.status):
        return  # it was canceled meanwhile
    refund_outcomes.record_refund(test_clocks.at(caller, intent.test_clock_id), intent, attempt, answer)
