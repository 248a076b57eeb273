"""Recording what a processor said: charge, postings, state and events together, in the second transaction.

Nothing else moves a payment on. Whoever comes second, after the sweeper or another request, changes nothing and gets
what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import structlog

from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.failpoints import failpoint
from connect.kit.money import Money
from connect.kit.outcomes import Refused, Waiting
from connect.selectors import test_clocks
from connect.services import events
from connect.services.events import NewEvent
from payments.clients.processor import ActionRequired, Approved, Declined, NotFound, Pending
from payments.domain import errors, method_types, payment_intent_state
from payments.domain import events as happenings
from payments.domain.events import Happening
from payments.domain.payment_intent_state import Action, CancellationReason, Status, move
from payments.models import Charge, PaymentAttempt, PaymentIntent
from payments.selectors import payment_intents as intents
from payments.services import (
    authentications,
    charges,
    checkout_outcomes,
    locks,
    pay_by_bank,
    payment_methods,
    refund_outcomes,
)
from payments.services.attempt_records import settle as _settle
from payments.services.attempt_records import stored as _stored
from payments.services.processor_calls import PREFIX, Answer, NotReached, ProcessorCall
from payments.shapes.payment_intents import PaymentIntentOut
from payments.shapes.refunds import RefundOut

log = structlog.get_logger(__name__)


def record(caller: Caller, waiting: Waiting, answer: Answer) -> PaymentIntentOut | RefundOut | Refused:
    """Write down what the processor said: charge, postings, state and events in this transaction.

    Whoever comes second, after the sweeper or another request, changes nothing and gets what was recorded.
    """
    call: ProcessorCall = waiting.call
    owner = locks.owner(call.keep_for)
    intent, attempt = locks.attempt(caller, call.attempt_id, intent_id=call.intent_id)
    caller = test_clocks.at(caller, intent.test_clock_id)
    if attempt.state != PaymentAttempt.State.OPEN:
        if attempt.state == PaymentAttempt.State.ABANDONED and isinstance(answer, Approved):
            # The processor had said that it would never carry this out. A person has to look at its books.
            log.error("payment_attempt_contradicted", attempt=call.request.attempt_id, reference=answer.reference)
        return recorded(caller, intent, attempt)
    if isinstance(answer, Approved) and attempt.kind == PaymentAttempt.Kind.AUTHORIZE and intent.setup_future_usage:
        assert intent.payment_method_id is not None
        payment_methods.keep(caller, intent.payment_method_id, owner=owner, usage=intent.setup_future_usage)
    result = _RECORDERS[attempt.kind](caller, intent, attempt, answer)
    failpoint("payments.attempt.recorded", attempt.kind)
    return result


def _record_authorize(
    caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Answer
) -> PaymentIntentOut | Refused:
    match answer:
        case Approved(captured=captured):
            _settle(attempt, PaymentAttempt.State.APPROVED, answer)
            charge = charges.approved(caller, intent, attempt, answer)
            intent.latest_charge_id = charge.id
            intent.last_payment_error = intent.next_action = None
            if captured:
                intent.amount_received_minor = intent.amount_minor
            else:
                intent.amount_capturable_minor = intent.amount_minor
            happening = Happening.TAKEN if captured else Happening.HELD
            _finish(caller, intent, Status.SUCCEEDED if captured else Status.REQUIRES_CAPTURE, happening, charge)
            return intents.shape(caller, intent)
        case Declined():
            _settle(attempt, PaymentAttempt.State.DECLINED, answer)
            charge = charges.declined(caller, intent, attempt, answer)
            intent.latest_charge_id = charge.id
            error = _decline_error(attempt, answer)
            intent.last_payment_error = errors.last_payment_error(
                error, payment_method=charges.method_data(caller, charge)
            )
            intent.payment_method_id = intent.next_action = None
            _finish(caller, intent, Status.REQUIRES_PAYMENT_METHOD, Happening.DECLINED, charge)
            return _refused(caller, intent, error)
        case ActionRequired(redirect_url=url):
            _settle(attempt, PaymentAttempt.State.ACTION_REQUIRED, answer)
            back = attempt.request.get("return_url")
            intent.next_action = (
                {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": back}}
                if url
                else authentications.ask(caller, intent, return_url=back)
            )
            if attempt.processor == method_types.PAY_BY_BANK:
                intent.next_action["attempt"] = ids.encode(PREFIX, attempt.id)
            _finish(caller, intent, Status.REQUIRES_ACTION, Happening.ACTION_REQUIRED)
            return intents.shape(caller, intent)
        case NotReached():
            before = Status(attempt.status_before)
            if before is Status.REQUIRES_PAYMENT_METHOD:
                before = payment_intent_state.initial(has_payment_method=True)  # the one the confirmation brought
            return _abandoned(intent, attempt, answer, before)
        case NotFound():
            return _never_arrived(caller, intent, attempt)
        case _:
            return _still_open(caller, intent, attempt, answer)


def _record_capture(
    caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Answer
) -> PaymentIntentOut | Refused:
    match answer:
        case Approved(settles_at_once=at_once):
            _settle(attempt, PaymentAttempt.State.APPROVED, answer)
            final = bool(attempt.request["final"])
            amount = Money(attempt.request["amount_minor"], intent.currency)
            charge = charges.captured(
                caller, locks.charge(attempt.charge_id), amount, final=final, settles_at_once=at_once
            )
            intent.amount_received_minor += amount.minor
            intent.amount_capturable_minor = 0 if final else intent.amount_capturable_minor - amount.minor
            happening = Happening.CAPTURED if final else Happening.CAPTURED_PART
            target = Status.SUCCEEDED if final else Status.REQUIRES_CAPTURE
            _finish(caller, intent, target, happening, charge, action=Action.CAPTURE)
            return intents.shape(caller, intent)
        case Declined():
            _settle(attempt, PaymentAttempt.State.DECLINED, answer)
            return expire(caller, intent, locks.charge(attempt.charge_id), reason=CancellationReason.EXPIRED)
        case NotReached() | NotFound():
            return _abandoned(intent, attempt, answer, Status.REQUIRES_CAPTURE)
        case _:
            return _still_open(caller, intent, attempt, answer)


def _record_void(
    caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Answer
) -> PaymentIntentOut | Refused:
    match answer:
        case Approved():
            _settle(attempt, PaymentAttempt.State.APPROVED, answer)
            charge = charges.released(caller, locks.charge(attempt.charge_id), reason="canceled")
            return cancel_now(caller, intent, reason=intent.cancellation_reason, charge=charge)
        case NotReached() | NotFound():
            return _abandoned(intent, attempt, answer, Status.REQUIRES_CAPTURE)
        case _:
            return _still_open(caller, intent, attempt, answer)


def _record_increment(
    caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Answer
) -> PaymentIntentOut | Refused:
    match answer:
        case Approved():
            _settle(attempt, PaymentAttempt.State.APPROVED, answer)
            total = Money(attempt.request["total_minor"], intent.currency)
            charge = charges.incremented(
                caller, locks.charge(attempt.charge_id), total, attempt=ids.encode(PREFIX, attempt.id)
            )
            intent.amount_minor = intent.amount_capturable_minor = total.minor
            for name in ("description", "statement_descriptor"):
                setattr(intent, name, attempt.plan.get(name) or getattr(intent, name))
            intent.metadata = attempt.plan.get("metadata", intent.metadata)
            _finish(
                caller, intent, Status.REQUIRES_CAPTURE, Happening.HOLD_INCREMENTED, charge, action=Action.INCREMENT
            )
            return intents.shape(caller, intent)
        case Declined():
            _settle(attempt, PaymentAttempt.State.DECLINED, answer)
            intent.open_attempt_id = None
            intent.save()
            return _refused(caller, intent, _decline_error(attempt, answer))
        case NotReached() | NotFound():
            return _abandoned(intent, attempt, answer, Status.REQUIRES_CAPTURE)
        case _:
            return _still_open(caller, intent, attempt, answer)


def expire(caller: Caller, intent: PaymentIntent, charge: Charge, *, reason: CancellationReason) -> Refused:
    """End a hold that has run out: the intent is canceled, or has succeeded when part of it was captured.

    Both are locked. Publishes `charge.expired` and `payment_intent.canceled`, or what a last capture publishes.
    """
    charge = charges.released(caller, charge, reason="expired")
    taken = intent.amount_received_minor > 0
    intent.amount_capturable_minor = 0
    if not taken:
        intent.cancellation_reason = reason.value
        intent.canceled_at = caller.clock.business()
    happening = Happening.HOLD_EXPIRED_AFTER_PART if taken else Happening.HOLD_EXPIRED
    target = Status.SUCCEEDED if taken else Status.CANCELED
    _finish(caller, intent, target, happening, charge, action=Action.EXPIRE)
    return Refused(errors.ChargeExpiredForCapture(payment_intent=intents.as_data(caller, intent)))


Recorder = Callable[[Caller, PaymentIntent, PaymentAttempt, Answer], PaymentIntentOut | RefundOut | Refused]
_RECORDERS: Final[dict[str, Recorder]] = {
    PaymentAttempt.Kind.AUTHORIZE: _record_authorize,
    PaymentAttempt.Kind.CAPTURE: _record_capture,
    PaymentAttempt.Kind.VOID: _record_void,
    PaymentAttempt.Kind.INCREMENT: _record_increment,
    PaymentAttempt.Kind.REFUND: refund_outcomes.record_refund,
    PaymentAttempt.Kind.CANCEL_REFUND: refund_outcomes.record_cancel,
}


def authenticated(caller: Caller, intent: PaymentIntent) -> PaymentIntentOut:
    """The payer of an intent that is confirmed by hand has authenticated: it waits for its confirmation now.

    What it keeps of its next action says so to the confirmation.
    """
    intent.status = move(intent.status, Action.AUTHENTICATE, Status.REQUIRES_CONFIRMATION).value
    intent.save()
    return intents.shape(caller, intent)


def authentication_failed(caller: Caller, intent: PaymentIntent) -> PaymentIntentOut:
    """The payer did not authenticate: nothing was charged. Publishes `payment_intent.payment_failed`."""
    method = payment_methods.as_data(caller, intent.payment_method_id)
    intent.last_payment_error = errors.last_payment_error(errors.AuthenticationFailed(), payment_method=method)
    intent.payment_method_id = intent.next_action = None
    target, happening = Status.REQUIRES_PAYMENT_METHOD, Happening.DECLINED_WITHOUT_CHARGE
    _finish(caller, intent, target, happening, action=Action.AUTHENTICATE)
    return intents.shape(caller, intent)


def cancel_now(
    caller: Caller, intent: PaymentIntent, *, reason: str | None, charge: Charge | None = None
) -> PaymentIntentOut:
    """End an intent that holds nothing (any more); `charge` is what let go of its hold.

    Raises `PayByBankUnderWay`. Publishes `payment_intent.canceled`, after `charge.captured` when part of the hold had
    been captured.
    """
    pay_by_bank.withdraw(caller, intent, "cancel")
    intent.amount_capturable_minor = 0
    intent.cancellation_reason = reason
    intent.canceled_at = caller.clock.business()
    intent.next_action = None
    happening = Happening.CANCELED_AFTER_PART if charge is not None and charge.captured else Happening.CANCELED
    _finish(caller, intent, Status.CANCELED, happening, charge, action=Action.CANCEL)
    return intents.shape(caller, intent)


def _finish(
    caller: Caller,
    intent: PaymentIntent,
    target: Status,
    happening: Happening,
    charge: Charge | None = None,
    *,
    action: Action | None = None,
) -> None:
    """Move the intent, save it, and publish what happened."""
    step = action or (Action.RESOLVE if intent.status == Status.PROCESSING else Action.CONFIRM)
    intent.status = move(intent.status, step, target).value
    intent.open_attempt_id = None
    intent.save()
    shapes: dict[str, Any] = {"payment_intent": intents.shape(caller, intent, secret=False)}
    if charge is not None:
        shapes["charge"] = charges.shape(caller, charge)
    names = happenings.EMITTED[happening]
    events.publish(caller, *(NewEvent(name, shapes[happenings.EVENT_TYPES[name].object]) for name in names))
    if intent.checkout_session_id is not None:
        checkout_outcomes.follow(caller, intent.checkout_session_id, happening)


def _abandoned(intent: PaymentIntent, attempt: PaymentAttempt, answer: Answer, back_to: Status) -> Refused:
    """The processor was not reached: no money moved, and the same request can be sent again."""
    _settle(attempt, PaymentAttempt.State.ABANDONED, answer)
    intent.status = back_to.value
    intent.open_attempt_id = None
    intent.save()
    return Refused(errors.PaymentProcessorUnavailable(), keep=False)


def _never_arrived(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt) -> Refused:
    """The processor never heard of an authorization somebody was told is processing: it failed, visibly."""
    _settle(attempt, PaymentAttempt.State.ABANDONED, NotFound())
    error = errors.ProcessingError()
    intent.last_payment_error = errors.last_payment_error(error)
    intent.payment_method_id = intent.next_action = None
    _finish(caller, intent, Status.REQUIRES_PAYMENT_METHOD, Happening.DECLINED_WITHOUT_CHARGE)
    return _refused(caller, intent, error)


def _still_open(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Answer) -> PaymentIntentOut:
    """Nobody knows yet. The attempt stays open for the sweeper; a first authorization shows as `processing`."""
    log.warning("payment_attempt_open", attempt=ids.encode(PREFIX, attempt.id), answer=type(answer).__name__)
    first = attempt.outcome is None
    attempt.outcome = _stored(answer)
    if isinstance(answer, Pending) and answer.recheck_seconds is not None:
        attempt.lease_until = clock.wall() + timedelta(seconds=answer.recheck_seconds)
    attempt.save(update_fields=["outcome", "lease_until"])
    if first and attempt.kind == PaymentAttempt.Kind.AUTHORIZE:
        events.publish(caller, NewEvent("payment_intent.processing", intents.shape(caller, intent, secret=False)))
        if intent.checkout_session_id is not None and isinstance(answer, Pending):
            checkout_outcomes.follow(caller, intent.checkout_session_id, Happening.PENDING)
    return intents.shape(caller, intent)


def recorded(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt) -> PaymentIntentOut | RefundOut | Refused:
    """What a settled attempt answers to whoever asks again."""
    if attempt.kind in refund_outcomes.KINDS:
        return refund_outcomes.recorded(caller, attempt)
    if attempt.state == PaymentAttempt.State.DECLINED and attempt.kind in {
        PaymentAttempt.Kind.AUTHORIZE,
        PaymentAttempt.Kind.INCREMENT,
    }:
        stored = {name: value for name, value in (attempt.outcome or {}).items() if name != "outcome"}
        return _refused(caller, intent, _decline_error(attempt, Declined(**stored)))
    if attempt.state == PaymentAttempt.State.DECLINED and attempt.kind == PaymentAttempt.Kind.CAPTURE:
        return Refused(errors.ChargeExpiredForCapture(payment_intent=intents.as_data(caller, intent)))
    if failed_visibly(attempt):
        return _refused(caller, intent, errors.ProcessingError())
    return intents.shape(caller, intent)


def failed_visibly(attempt: PaymentAttempt) -> bool:
    """Whether this is an authorization that never arrived and was recorded as a failed payment."""
    return (
        attempt.state == PaymentAttempt.State.ABANDONED
        and attempt.kind == PaymentAttempt.Kind.AUTHORIZE
        and (attempt.outcome or {}).get("outcome") == NotFound.__name__
    )


def _decline_error(attempt: PaymentAttempt, answer: Declined) -> errors.CardError:
    assert attempt.charge_id is not None
    return errors.card_error(
        answer.code,
        decline_code=answer.decline_code,
        advice_code=answer.advice_code,
        message=answer.message,
        charge=ids.encode("ch", attempt.charge_id),
    )


def _refused(caller: Caller, intent: PaymentIntent, error: errors.CardError) -> Refused:
    error.data["payment_intent"] = intents.as_data(caller, intent)
    return Refused(error)
