"""Attempts: claim, call, record. Every call to a processor goes through here, and nothing else moves a payment on.

*claim* (`begin_…`) runs in the first transaction: the attempt row, whose id is the processor's idempotency key, and the
intent marked as busy. *call* (`perform`) runs outside of any. *record* runs in the second: charge, postings, state and
events together. What was called and never recorded, because a process died or an answer was lost, is settled by the
sweeper (`settle_open`) or by the same request sent again (`resume`): both ask the processor, and never guess. Whoever
asks holds the attempt's lease, so no two ever act on one attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.errors import LockTimeout
from connect.kit.failpoints import failpoint
from connect.kit.money import Money
from connect.kit.outcomes import Refused, Waiting
from connect.kit.tenancy import use_environment
from connect.services import events, idempotency
from connect.services.events import NewEvent
from payments import clients
from payments.clients.processor import (
    ActionRequired,
    AnyRequest,
    Approved,
    AuthorizeRequest,
    CaptureRequest,
    Declined,
    NotFound,
    Processor,
    ProcessorTimeout,
    ProcessorUnavailable,
    StatusOutcome,
    Unknown,
    VoidRequest,
)
from payments.domain import errors, payment_intent_state
from payments.domain import events as happenings
from payments.domain.events import Happening
from payments.domain.payment_intent_state import Action, CancellationReason, CaptureMethod, Status, move
from payments.models import Charge, PaymentAttempt, PaymentIntent, PaymentMethod
from payments.selectors import payment_intents as intents
from payments.services import charges, locks
from payments.shapes.payment_intents import PaymentIntentOut

PREFIX: Final = "patt"
BATCH: Final = 100
_OPEN = PaymentAttempt.State.OPEN
_REQUESTS: Final[dict[str, type[AnyRequest]]] = {
    PaymentAttempt.Kind.AUTHORIZE: AuthorizeRequest,
    PaymentAttempt.Kind.CAPTURE: CaptureRequest,
    PaymentAttempt.Kind.VOID: VoidRequest,
}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessorCall:
    """What `perform` needs: plain values only. `ask_first` is set when the call may have been made before."""

    attempt_id: UUID
    intent_id: UUID
    processor: str
    kind: str
    request: AnyRequest
    ask_first: bool = False


@dataclass(frozen=True, slots=True)
class NotReached:
    """The request never arrived at the processor, so no money moved."""


@dataclass(frozen=True, slots=True)
class NotBegun:
    """An interrupted request that had no effect: it has to be begun again, by the rules as they are now.

    `request` holds the plain values of the attempt that never arrived; `reason` is why a cancellation was wanted.
    """

    intent_id: str
    kind: str
    request: dict[str, Any]
    reason: str | None


Answer = StatusOutcome | NotReached


# --- claim ------------------------------------------------------------------------------------------------------------


def begin_authorize(
    caller: Caller,
    intent: PaymentIntent,
    method: PaymentMethod,
    *,
    return_url: str | None,
    off_session: bool,
    new: bool = False,
) -> Waiting:
    """Commit an attempt to hold or take the intent's amount; the intent is `processing` until it is recorded.

    `new` says that the intent has no row yet. Raises `LockTimeout` while another attempt is open.
    """
    require_none_open(intent)
    attempt = _attempt(
        caller,
        intent,
        kind=PaymentAttempt.Kind.AUTHORIZE,
        charge_id=ids.new(),
        request={
            "amount_minor": intent.amount_minor,
            "instrument": (method.card or {}).get("test_token") or "",
            "capture": intent.capture_method != CaptureMethod.MANUAL,
            "off_session": off_session,
            "return_url": return_url,
            "statement_descriptor": intent.statement_descriptor,
        },
    )
    intent.payment_method_id = method.id
    intent.last_payment_error = None
    intent.status = move(intent.status, Action.CONFIRM, Status.PROCESSING).value
    intent.open_attempt_id = attempt.id
    intent.save(force_insert=new)
    return _waiting(attempt)


def begin_capture(caller: Caller, intent: PaymentIntent, amount: Money, *, final: bool) -> Waiting:
    """Commit an attempt to take `amount` of what is held. `final` releases the rest."""
    assert intent.latest_charge_id is not None, "what is held has a charge"
    charge = Charge.objects.get(pk=intent.latest_charge_id)
    return _begin_on_charge(caller, intent, charge, PaymentAttempt.Kind.CAPTURE, amount_minor=amount.minor, final=final)


def begin_void(caller: Caller, intent: PaymentIntent, *, reason: str | None) -> Waiting:
    """Commit an attempt to release what is held. The reason is kept with the intent until it is canceled."""
    intent.cancellation_reason = reason
    assert intent.latest_charge_id is not None, "what is held has a charge"
    charge = Charge.objects.get(pk=intent.latest_charge_id)
    return _begin_on_charge(
        caller, intent, charge, PaymentAttempt.Kind.VOID, amount_minor=intent.amount_capturable_minor
    )


def require_none_open(intent: PaymentIntent) -> None:
    """Raise `LockTimeout` while an attempt of this intent is with the processor."""
    if intent.open_attempt_id is not None:
        raise LockTimeout


def _begin_on_charge(caller: Caller, intent: PaymentIntent, charge: Charge, kind: str, **request: Any) -> Waiting:
    assert charge.payment_method_id is not None, "no charge is made without a method"
    method = PaymentMethod.objects.get(pk=charge.payment_method_id)
    request |= {
        "instrument": (method.card or {}).get("test_token") or "",
        "authorization": charge.processor_reference,
    }
    attempt = _attempt(caller, intent, kind=kind, charge_id=charge.id, request=request)
    intent.open_attempt_id = attempt.id
    intent.save()
    return _waiting(attempt)


def _attempt(
    caller: Caller, intent: PaymentIntent, *, kind: str, charge_id: UUID, request: dict[str, Any]
) -> PaymentAttempt:
    identifier = ids.new()
    plain = {
        "attempt_id": ids.encode(PREFIX, identifier),
        "livemode": caller.livemode,
        "currency": intent.currency,
        **request,
    }
    return PaymentAttempt.objects.create(
        id=identifier,
        account_id=intent.account_id,
        payment_intent_id=intent.id,
        charge_id=charge_id,
        kind=kind,
        processor=clients.name_for(livemode=caller.livemode),
        request=plain,
        status_before=intent.status,
        lease_until=clock.wall() + timedelta(seconds=idempotency.lease_seconds()),
        created_at=caller.clock.business(),
    )


def _waiting(attempt: PaymentAttempt, *, ask_first: bool = False) -> Waiting:
    request = _REQUESTS[attempt.kind](**attempt.request)
    call = ProcessorCall(attempt.id, attempt.payment_intent_id, attempt.processor, attempt.kind, request, ask_first)
    return Waiting(resume=ids.encode(PREFIX, attempt.id), call=call)


# --- call -------------------------------------------------------------------------------------------------------------


def perform(waiting: Waiting) -> Answer:
    """Ask the processor, outside of any transaction. An answer that did not come is `Unknown`, never a guess."""
    call: ProcessorCall = waiting.call
    processor = clients.get(call.processor)
    failpoint("payments.attempt.claimed")
    try:
        answer: Answer = processor.status(call.request) if call.ask_first else _send(processor, call.request)
        if isinstance(answer, NotFound):
            answer = _send(processor, call.request)  # it never heard of it: sending it now cannot do it twice
    except ProcessorUnavailable:
        answer = NotReached()
    except ProcessorTimeout as lost:
        answer = Unknown(reason=str(lost))
    failpoint("payments.attempt.called")
    return answer


def _send(processor: Processor, request: AnyRequest) -> Answer:
    match request:
        case AuthorizeRequest():
            return processor.authorize(request)
        case CaptureRequest():
            return processor.capture(request)
        case VoidRequest():
            return processor.void(request)
    raise AssertionError(f"no attempt sends a {type(request).__name__}")


# --- record -----------------------------------------------------------------------------------------------------------


def record(caller: Caller, waiting: Waiting, answer: Answer) -> PaymentIntentOut | Refused:
    """Write down what the processor said: charge, postings, state and events in this transaction.

    Whoever comes second, after the sweeper or another request, changes nothing and gets what was recorded.
    """
    call: ProcessorCall = waiting.call
    intent, attempt = locks.attempt(caller, call.attempt_id, intent_id=call.intent_id)
    if attempt.state != _OPEN:
        if attempt.state == PaymentAttempt.State.ABANDONED and isinstance(answer, Approved):
            # The processor had said that it would never carry this out. A person has to look at its books.
            log.error("payment_attempt_contradicted", attempt=call.request.attempt_id, reference=answer.reference)
        return _recorded(caller, intent, attempt)
    result = _RECORDERS[attempt.kind](caller, intent, attempt, answer)
    failpoint("payments.attempt.recorded")
    return result


def resume(caller: Caller, attempt_id: str) -> PaymentIntentOut | Refused | Waiting | NotBegun:
    """What an interrupted request left behind: its recorded end, the question still to be asked, or nothing at all.

    While another holds the attempt's lease the answer is the intent as it is: somebody is settling it.
    """
    identifier = ids.decode(PREFIX, attempt_id)
    if identifier is None:
        raise ValueError(f"{attempt_id!r} is not an attempt")
    intent, attempt = locks.attempt(caller, identifier)
    if attempt.state == PaymentAttempt.State.ABANDONED and not _failed_visibly(attempt):
        return NotBegun(ids.encode("pi", intent.id), attempt.kind, attempt.request, intent.cancellation_reason)
    if attempt.state != _OPEN:
        return _recorded(caller, intent, attempt)
    if attempt.lease_until > clock.wall():
        return intents.shape(caller, intent)
    _lease(attempt)
    return _waiting(attempt, ask_first=True)


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
            intent.next_action = {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": url, "return_url": attempt.request.get("return_url")},
            }
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
            before = intent.amount_received_minor
            amount = Money(attempt.request["amount_minor"], intent.currency)
            charge = charges.captured(
                caller, locks.charge(attempt.charge_id), amount, final=final, settles_at_once=at_once
            )
            intent.amount_received_minor += amount.minor
            intent.amount_capturable_minor = 0 if final else intent.amount_capturable_minor - amount.minor
            happening = happenings.of_capture(final=final, captured_before_minor=before)
            target = Status.SUCCEEDED if final else Status.REQUIRES_CAPTURE
            _finish(caller, intent, target, happening, charge, action=Action.CAPTURE)
            return intents.shape(caller, intent)
        case Declined():
            _settle(attempt, PaymentAttempt.State.DECLINED, answer)
            charge = charges.released(caller, locks.charge(attempt.charge_id), reason="expired")
            taken = intent.amount_received_minor > 0
            intent.amount_capturable_minor = 0
            if not taken:
                intent.cancellation_reason = CancellationReason.EXPIRED.value
                intent.canceled_at = caller.clock.business()
            happening = Happening.HOLD_EXPIRED_AFTER_PART if taken else Happening.HOLD_EXPIRED
            target = Status.SUCCEEDED if taken else Status.CANCELED
            _finish(caller, intent, target, happening, charge, action=Action.EXPIRE)
            return Refused(errors.ChargeExpiredForCapture(payment_intent=intents.as_data(caller, intent)))
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
            charges.released(caller, locks.charge(attempt.charge_id), reason="canceled")
            intent.open_attempt_id = None
            return cancel_now(caller, intent, reason=intent.cancellation_reason)
        case NotReached() | NotFound():
            return _abandoned(intent, attempt, answer, Status.REQUIRES_CAPTURE)
        case _:
            return _still_open(caller, intent, attempt, answer)


_RECORDERS: Final[dict[str, Callable[[Caller, PaymentIntent, PaymentAttempt, Answer], PaymentIntentOut | Refused]]] = {
    PaymentAttempt.Kind.AUTHORIZE: _record_authorize,
    PaymentAttempt.Kind.CAPTURE: _record_capture,
    PaymentAttempt.Kind.VOID: _record_void,
}


def cancel_now(caller: Caller, intent: PaymentIntent, *, reason: str | None) -> PaymentIntentOut:
    """End an intent that holds nothing (any more). Publishes `payment_intent.canceled`."""
    intent.amount_capturable_minor = 0
    intent.cancellation_reason = reason
    intent.canceled_at = caller.clock.business()
    intent.next_action = None
    _finish(caller, intent, Status.CANCELED, Happening.CANCELED, action=Action.CANCEL)
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
    attempt.save(update_fields=["outcome"])
    if first and attempt.kind == PaymentAttempt.Kind.AUTHORIZE:
        events.publish(caller, NewEvent("payment_intent.processing", intents.shape(caller, intent, secret=False)))
    return intents.shape(caller, intent)


def _recorded(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt) -> PaymentIntentOut | Refused:
    """What a settled attempt answers to whoever asks again."""
    if attempt.state == PaymentAttempt.State.DECLINED and attempt.kind == PaymentAttempt.Kind.AUTHORIZE:
        stored = {name: value for name, value in (attempt.outcome or {}).items() if name != "outcome"}
        return _refused(caller, intent, _decline_error(attempt, Declined(**stored)))
    if attempt.state == PaymentAttempt.State.DECLINED and attempt.kind == PaymentAttempt.Kind.CAPTURE:
        return Refused(errors.ChargeExpiredForCapture(payment_intent=intents.as_data(caller, intent)))
    if _failed_visibly(attempt):
        return _refused(caller, intent, errors.ProcessingError())
    return intents.shape(caller, intent)


def _failed_visibly(attempt: PaymentAttempt) -> bool:
    """Whether this is an authorization that never arrived and was recorded as a failed payment."""
    return (
        attempt.state == PaymentAttempt.State.ABANDONED
        and attempt.kind == PaymentAttempt.Kind.AUTHORIZE
        and (attempt.outcome or {}).get("outcome") == NotFound.__name__
    )


def _settle(attempt: PaymentAttempt, state: PaymentAttempt.State, answer: Answer) -> None:
    attempt.state = state
    attempt.outcome = _stored(answer)
    attempt.settled_at = clock.wall()
    attempt.save(update_fields=["state", "outcome", "settled_at"])


def _stored(answer: Answer) -> dict[str, Any]:
    return {"outcome": type(answer).__name__, **asdict(answer)}


def _decline_error(attempt: PaymentAttempt, answer: Declined) -> errors.CardError:
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


# --- the sweeper ------------------------------------------------------------------------------------------------------


def settle_open(caller: Caller) -> int:
    """Ask the processor about every open attempt whose lease has run out, and record what it says.

    Several sweepers may run at once: each takes what no other holds. Returns how many were asked about.
    """
    asked = 0
    for _ in range(BATCH):
        with use_environment(caller.environment):
            attempt = (
                PaymentAttempt.objects.select_for_update(skip_locked=True)
                .filter(state=_OPEN, lease_until__lt=clock.wall())
                .order_by("lease_until")
                .first()
            )
            if attempt is None:
                return asked
            _lease(attempt)
            waiting = _waiting(attempt, ask_first=True)
        asked += 1
        try:
            answer = _ask(waiting)
            failpoint("payments.settle.asked")
            with use_environment(caller.environment):
                record(caller, waiting, answer)
        except Exception:  # the others must not wait for this one; its lease brings it back
            log.exception("payment_attempt_unsettled", attempt=waiting.resume)
    return asked


def _ask(waiting: Waiting) -> Answer:
    """Only ask, never send: the sweeper settles what was begun, it begins nothing."""
    call: ProcessorCall = waiting.call
    try:
        return clients.get(call.processor).status(call.request)
    except (ProcessorTimeout, ProcessorUnavailable) as silent:
        return Unknown(reason=str(silent))


def _lease(attempt: PaymentAttempt) -> None:
    """Take an open attempt over; each further try waits twice as long, an hour at most."""
    attempt.tries += 1
    seconds = min(idempotency.lease_seconds() * 2 ** (attempt.tries - 2), 3600)
    attempt.lease_until = clock.wall() + timedelta(seconds=seconds)
    attempt.save(update_fields=["tries", "lease_until"])
