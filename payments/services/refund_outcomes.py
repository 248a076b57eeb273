"""Recording what a processor said about a refund: the refund, its postings, its charge and events together.

A refund comes into being when the processor was first heard of, or when nobody can say whether it was: from then on it
stands in lists, and its amount has left the balance. Before that it is only reserved on its charge. Whoever asked for
one that never arrived is told so, and nothing of it stays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.errors import LockTimeout
from connect.kit.outcomes import Refused
from connect.services import events
from connect.services.events import NewEvent
from payments.clients.processor import ActionRequired, Approved, Declined, NotFound, Pending, Unknown
from payments.domain import errors
from payments.domain import events as happenings
from payments.domain.events import Happening
from payments.domain.refund_state import CANCELABLE, Status, failure_reason, move
from payments.models import Charge, PaymentAttempt, PaymentIntent, Refund
from payments.selectors import refunds
from payments.services import books, charges, locks
from payments.services.attempt_records import settle, stored
from payments.services.processor_calls import PREFIX, Answer, NotReached
from payments.shapes.refunds import RefundOut

KINDS: Final = frozenset({PaymentAttempt.Kind.REFUND, PaymentAttempt.Kind.CANCEL_REFUND})
RECHECK_SECONDS: Final = 3600
"""When to ask again about a refund whose processor did not say when."""
_State = PaymentAttempt.State
log = structlog.get_logger(__name__)


def record_refund(
    caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Answer
) -> RefundOut | Refused:
    """The answer to a refund, the first one or a later one."""
    charge = locks.charge(attempt.charge_id)
    refund = locks.refund(caller, UUID(attempt.plan["refund_id"]))
    if refund is not None:
        return _later(caller, attempt, charge, refund, answer)
    if isinstance(answer, NotReached | NotFound):
        settle(attempt, _State.ABANDONED, answer)
        charge.amount_refunding_minor -= attempt.request["amount_minor"]
        charge.save(update_fields=["amount_refunding_minor"])
        return Refused(errors.PaymentProcessorUnavailable(), keep=False)
    return _first(caller, intent, attempt, charge, answer)


def _first(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, charge: Charge, answer: Answer) -> RefundOut:
    """The refund comes into being, in the status the first answer gives it."""
    refund = _refund_of(caller, intent, attempt, charge)
    charge.amount_refunding_minor -= refund.amount_minor
    if isinstance(answer, Declined):
        settle(attempt, _State.DECLINED, answer)
        refund.status = Status.FAILED.value
        refund.failure_reason = failure_reason(answer.decline_code)
        charge.save(update_fields=["amount_refunding_minor"])
        refund.save(force_insert=True)
        return _told(caller, charge, refund, Happening.REFUND_REFUSED)
    refund.status = _take(caller, attempt, refund, answer).value
    refund.balance_transaction_id = books.refund(caller, charge, refund)
    charges.note_refunded(charge, refund.amount_minor)
    refund.save(force_insert=True)
    return _told(caller, charge, refund, Happening.REFUNDED)


def _later(caller: Caller, attempt: PaymentAttempt, charge: Charge, refund: Refund, answer: Answer) -> RefundOut:
    """A refund that is known has come further, or to its end."""
    if isinstance(answer, Declined | NotFound):
        settle(attempt, _State.DECLINED if isinstance(answer, Declined) else _State.ABANDONED, answer)
        code = answer.decline_code if isinstance(answer, Declined) else None
        refund.failure_reason = failure_reason(code)
        return give_back(caller, charge, refund, Status.FAILED, Happening.REFUND_FAILED)
    before = refund.status
    after_check = before == Status.SUCCEEDED
    if not isinstance(answer, Approved if after_check else Approved | Pending | ActionRequired):
        return _unanswered(caller, attempt, refund, answer)
    refund.status = move(before, _take(caller, attempt, refund, answer)).value
    if after_check:
        refund.check_at = None  # it was asked about once more, and stands
    refund.save()
    if refund.status == before:
        return shape(caller, refund)
    return _told(caller, charge, refund, Happening.REFUND_CHANGED)


def _unanswered(caller: Caller, attempt: PaymentAttempt, refund: Refund, answer: Answer) -> RefundOut:
    """The question found no answer that says more than is known: the refund stays as it is, to be asked about again.

    An attempt that is open has the sweeper for that.
    """
    log.warning("payment_attempt_open", attempt=ids.encode(PREFIX, attempt.id), answer=type(answer).__name__)
    if refund.check_at is not None:
        refund.check_at = _again(caller, None)
        refund.save(update_fields=["check_at"])
        _let_go(attempt)
    return shape(caller, refund)


def _take(caller: Caller, attempt: PaymentAttempt, refund: Refund, answer: Answer) -> Status:
    """Put an answer that is no refusal into the attempt and the refund. Returns the status it means."""
    refund.processor_reference = getattr(answer, "reference", None) or refund.processor_reference
    refund.next_action = None
    match answer:
        case Approved(recheck_seconds=seconds):
            settle(attempt, _State.APPROVED, answer)
            _let_go(attempt)
            refund.check_at = _again(caller, seconds) if seconds else None
            return Status.SUCCEEDED
        case Pending(recheck_seconds=seconds):
            _wait(attempt, answer)
            refund.check_at = _again(caller, seconds)
            return Status.PENDING
        case ActionRequired(authentication_id=reference):
            _wait(attempt, answer)
            refund.processor_reference = reference
            refund.check_at = _again(caller, None)
            refund.next_action = {"type": "display_details"}
            return Status.REQUIRES_ACTION
    # Nobody knows: the attempt stays open for the sweeper.
    assert isinstance(answer, Unknown)
    log.warning("payment_attempt_open", attempt=ids.encode(PREFIX, attempt.id), answer=type(answer).__name__)
    attempt.outcome = stored(answer)
    attempt.save(update_fields=["outcome"])
    return Status.PENDING


def record_cancel(caller: Caller, _: PaymentIntent, attempt: PaymentAttempt, answer: Answer) -> RefundOut | Refused:
    """The answer to the wish to stop a refund."""
    charge = locks.charge(attempt.charge_id)
    refund = locks.refund(caller, UUID(attempt.plan["refund_id"]))
    assert refund is not None
    if isinstance(answer, Unknown | Pending | ActionRequired):
        attempt.outcome = stored(answer)
        attempt.save(update_fields=["outcome"])
        return shape(caller, refund)
    refund.cancel_attempt_id = None
    match answer:
        case Approved():
            settle(attempt, _State.APPROVED, answer)
            if refund.status not in CANCELABLE:
                # It was stopped and done at once, says the processor. A person has to look at its books.
                log.error("payment_attempt_contradicted", attempt=ids.encode(PREFIX, attempt.id))
                refund.save(update_fields=["cancel_attempt_id"])
                return shape(caller, refund)
            PaymentAttempt.objects.filter(pk=refund.attempt_id).update(state=_State.CANCELED, settled_at=clock.wall())
            return give_back(caller, charge, refund, Status.CANCELED, Happening.REFUND_CHANGED)
        case Declined():
            settle(attempt, _State.DECLINED, answer)
            refund.save(update_fields=["cancel_attempt_id"])
            return Refused(errors.RefundUnderWay())
    settle(attempt, _State.ABANDONED, answer)
    refund.save(update_fields=["cancel_attempt_id"])
    return Refused(errors.PaymentProcessorUnavailable(), keep=False)


def give_back(caller: Caller, charge: Charge, refund: Refund, target: Status, happening: Happening) -> RefundOut:
    """A refund that will not reach the payer: its amount is back in the balance, and can be refunded again."""
    refund.status = move(refund.status, target).value
    refund.failure_balance_transaction_id = books.return_refund(caller, charge, refund)
    refund.check_at = refund.next_action = None
    refund.save()
    charges.note_refunded(charge, -refund.amount_minor)
    return _told(caller, charge, refund, happening)


def recorded(caller: Caller, attempt: PaymentAttempt) -> RefundOut | Refused:
    """What a settled attempt answers to whoever asks again. Raises `LockTimeout` while another settles it."""
    refund = locks.refund(caller, UUID(attempt.plan["refund_id"]))
    if refund is None:
        raise LockTimeout
    if attempt.kind == PaymentAttempt.Kind.CANCEL_REFUND and attempt.state == _State.DECLINED:
        return Refused(errors.RefundUnderWay())
    return shape(caller, refund)


def shape(caller: Caller, refund: Refund) -> RefundOut:
    """The refund on the wire."""
    return refunds.shape(caller, refund)


def _refund_of(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, charge: Charge) -> Refund:
    return Refund(
        id=UUID(attempt.plan["refund_id"]),
        account_id=charge.account_id,
        test_clock_id=intent.test_clock_id,
        charge_id=charge.id,
        payment_intent_id=intent.id,
        customer_id=charge.customer_id,
        payment_method_id=charge.payment_method_id,
        attempt_id=attempt.id,
        amount_minor=attempt.request["amount_minor"],
        currency=charge.currency,
        reason=attempt.plan["reason"],
        metadata=attempt.plan["metadata"],
        created_at=caller.clock.business(),
    )


def _wait(attempt: PaymentAttempt, answer: Answer) -> None:
    """The processor has the request and will know later."""
    attempt.state = _State.WAITING
    attempt.outcome = stored(answer)
    attempt.save(update_fields=["state", "outcome"])
    _let_go(attempt)


def _let_go(attempt: PaymentAttempt) -> None:
    """Nobody is at it any more: whoever finds that it is time may ask again."""
    attempt.lease_until = clock.wall()
    attempt.save(update_fields=["lease_until"])


def _again(caller: Caller, seconds: int | None) -> Any:
    return caller.clock.business() + timedelta(seconds=seconds or RECHECK_SECONDS)


def _told(caller: Caller, charge: Charge, refund: Refund, happening: Happening) -> RefundOut:
    """Publish what happened; the refund as it is now."""
    shown = shape(caller, refund)
    shapes: dict[str, Any] = {"charge": charges.shape(caller, charge), "refund": shown}
    names = happenings.EMITTED[happening]
    events.publish(caller, *(NewEvent(name, shapes[happenings.EVENT_TYPES[name].object]) for name in names))
    return shown
