"""Attempts: claim, call, record. Every call to a processor is written down before it is made.

*claim* (`begin_…`, here) runs in the first transaction: the attempt row, whose id is the processor's idempotency key,
and the intent marked as busy. *call* (`processor_calls.perform`) runs outside of any. *record*
(`payment_outcomes.record`) runs in the second. What was called and never recorded, because a process died or an answer
was lost, is settled by the sweeper (`settle_open`) or by the same request sent again (`resume`): both ask the
processor, and never guess. Whoever asks holds the attempt's lease, so no two ever act on one attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from connect.services import idempotency
from payments import clients
from payments.clients.processor import (
    AnyRequest,
    AuthorizeRequest,
    CancelRefundRequest,
    CaptureRequest,
    IncrementRequest,
    RefundRequest,
    SetUpRequest,
    VoidRequest,
)
from payments.domain import method_types
from payments.domain.payment_intent_state import Action, CaptureMethod, Status, move
from payments.models import Charge, PaymentAttempt, PaymentIntent, PaymentMethod, SetupIntent
from payments.selectors import payment_intents as intents
from payments.services import (
    locks,
    pay_by_bank,
    payment_methods,
    payment_outcomes,
    processor_calls,
    refund_outcomes,
    setup_outcomes,
)
from payments.services.processor_calls import PREFIX, Answer, ProcessorCall
from payments.shapes.payment_intents import PaymentIntentOut
from payments.shapes.refunds import RefundOut
from payments.shapes.setup_intents import SetupIntentOut

BATCH: Final = 100
_OPEN = PaymentAttempt.State.OPEN
_REQUESTS: Final[dict[str, type[AnyRequest]]] = {
    PaymentAttempt.Kind.AUTHORIZE: AuthorizeRequest,
    PaymentAttempt.Kind.CAPTURE: CaptureRequest,
    PaymentAttempt.Kind.VOID: VoidRequest,
    PaymentAttempt.Kind.INCREMENT: IncrementRequest,
    PaymentAttempt.Kind.REFUND: RefundRequest,
    PaymentAttempt.Kind.CANCEL_REFUND: CancelRefundRequest,
    PaymentAttempt.Kind.SET_UP: SetUpRequest,
}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NotBegun:
    """An interrupted request that had no effect: it has to be begun again, by the rules as they are now.

    `request` and `plan` hold the plain values of the attempt that never arrived; `reason` is why a cancellation was
    wanted.
    """

    intent_id: str
    charge_id: UUID
    kind: str
    request: dict[str, Any]
    plan: dict[str, Any]
    reason: str | None


# --- claim ------------------------------------------------------------------------------------------------------------


def begin_authorize(
    caller: Caller,
    intent: PaymentIntent,
    method: PaymentMethod,
    *,
    return_url: str | None,
    off_session: bool,
    error_on_requires_action: bool = False,
    authenticated: bool = False,
    follows: str | None = None,
    new: bool = False,
) -> Waiting:
    """Commit an attempt to hold or take the intent's amount; the intent is `processing` until it is recorded.

    `authenticated` says that the payer has just agreed to exactly this. With `error_on_requires_action` a need to
    authenticate is a decline. `follows` is the attempt (its public id) whose page the payer comes from, where the
    processor has one of its own. `new` says that the intent has no row yet. Raises `LockTimeout` while another attempt
    is open, and what `pay_by_bank.require_possible` raises.
    """
    require_none_open(intent)
    if method.type == method_types.PAY_BY_BANK and follows is None:
        pay_by_bank.require_possible(
            caller, intent, off_session=off_session, error_on_requires_action=error_on_requires_action
        )
    attempt = _attempt(
        caller,
        intent,
        kind=PaymentAttempt.Kind.AUTHORIZE,
        processor=clients.name_for(method.type, livemode=caller.livemode),
        charge_id=ids.new(),
        request={
            "amount_minor": intent.amount_minor,
            "instrument": payment_methods.instrument(method),
            "capture": intent.capture_method != CaptureMethod.MANUAL,
            "off_session": off_session,
            "return_url": return_url,
            "statement_descriptor": intent.statement_descriptor,
            "set_up": method.set_up_for == "off_session",
            "authentication": "authenticated" if authenticated else None,
            "ask_authentication": asks_authentication(intent.payment_method_options),
            "decline_on_action": error_on_requires_action,
            **({"follows": follows} if follows else {}),
        },
    )
    intent.payment_method_id = method.id
    intent.last_payment_error = None
    intent.status = move(intent.status, Action.CONFIRM, Status.PROCESSING).value
    intent.open_attempt_id = attempt.id
    intent.save(force_insert=new)
    return waiting_for(attempt, keep_for=_keep_for(intent))


def begin_capture(caller: Caller, intent: PaymentIntent, charge: Charge, amount: Money, *, final: bool) -> Waiting:
    """Commit an attempt to take `amount` of what `charge`, locked, holds. `final` releases the rest."""
    return _begin_on_hold(caller, intent, charge, PaymentAttempt.Kind.CAPTURE, amount_minor=amount.minor, final=final)


def begin_increment(
    caller: Caller, intent: PaymentIntent, charge: Charge, total: Money, *, plan: dict[str, Any]
) -> Waiting:
    """Commit an attempt to hold `total` instead of what `charge`, locked, holds; `plan` then changes the intent."""
    more = total.minor - charge.amount_minor
    return _begin_on_hold(
        caller,
        intent,
        charge,
        PaymentAttempt.Kind.INCREMENT,
        amount_minor=more,
        total_minor=total.minor,
        plan=plan,
    )


def begin_void(caller: Caller, intent: PaymentIntent, *, reason: str | None) -> Waiting:
    """Commit an attempt to release what is held. The reason is kept with the intent until it is canceled."""
    intent.cancellation_reason = reason
    charge = locks.charge(intent.latest_charge_id)
    return _begin_on_hold(caller, intent, charge, PaymentAttempt.Kind.VOID, amount_minor=intent.amount_capturable_minor)


def increments_of(intent: PaymentIntent) -> int:
    """How often an intent's authorization was raised."""
    return PaymentAttempt.objects.filter(
        payment_intent_id=intent.id, kind=PaymentAttempt.Kind.INCREMENT, state=PaymentAttempt.State.APPROVED
    ).count()


def require_none_open(intent: PaymentIntent | SetupIntent) -> None:
    """Raise `LockTimeout` while an attempt of this intent is with the processor."""
    if intent.open_attempt_id is not None:
        raise LockTimeout


def begin_on_charge(
    caller: Caller,
    intent: PaymentIntent,
    charge: Charge,
    kind: str,
    request: dict[str, Any],
    *,
    plan: dict[str, Any] | None = None,
) -> Waiting:
    """Commit an attempt about a charge that leaves the intent free for others, such as a refund.

    The processor that took the charge is asked, whichever would take one today. `request` are the values of its request
    that no attempt of the charge has in common.
    """
    method = payment_methods.load(charge.payment_method_id)
    request = {"instrument": payment_methods.instrument(method), **request}
    return waiting_for(
        _attempt(caller, intent, kind=kind, processor=charge.processor, charge_id=charge.id, request=request, plan=plan)
    )


def _begin_on_hold(
    caller: Caller,
    intent: PaymentIntent,
    charge: Charge,
    kind: str,
    *,
    plan: dict[str, Any] | None = None,
    **request: Any,
) -> Waiting:
    """Commit an attempt about what a charge holds; the intent is busy until it is recorded."""
    request["authorization"] = charge.processor_reference
    waiting = begin_on_charge(caller, intent, charge, kind, request, plan=plan)
    intent.open_attempt_id = waiting.call.attempt_id
    intent.save()
    return waiting


def _attempt(
    caller: Caller,
    intent: PaymentIntent,
    *,
    kind: str,
    processor: str,
    charge_id: UUID,
    request: dict[str, Any],
    plan: dict[str, Any] | None = None,
) -> PaymentAttempt:
    identifier = ids.new()
    plain = {
        "attempt_id": ids.encode(PREFIX, identifier),
        "livemode": caller.livemode,
        "currency": intent.currency,
        "environment": caller.environment.short_id,
        "account": str(intent.account_id),
        **request,
    }
    return PaymentAttempt.objects.create(
        id=identifier,
        account_id=intent.account_id,
        payment_intent_id=intent.id,
        charge_id=charge_id,
        kind=kind,
        processor=processor,
        request=plain,
        plan=plan or {},
        status_before=intent.status,
        lease_until=clock.wall() + timedelta(seconds=idempotency.lease_seconds()),
        created_at=caller.clock.business(),
    )


def waiting_for(attempt: PaymentAttempt, *, keep_for: UUID | None = None, ask_first: bool = False) -> Waiting:
    """The question an attempt puts to its processor. `keep_for` gets the payment method if the answer is good."""
    call = ProcessorCall(
        attempt_id=attempt.id,
        intent_id=attempt.payment_intent_id or attempt.setup_intent_id,
        processor=attempt.processor,
        kind=attempt.kind,
        request=_REQUESTS[attempt.kind](**attempt.request),
        ask_first=ask_first,
        keep_for=keep_for,
    )
    return Waiting(resume=ids.encode(PREFIX, attempt.id), call=call)


def asks_authentication(options: dict[str, Any] | None) -> bool:
    """Whether an intent's `payment_method_options` want the payer to authenticate in any case."""
    return ((options or {}).get("card") or {}).get("request_three_d_secure") in {"any", "challenge"}


def _keep_for(intent: PaymentIntent | SetupIntent) -> UUID | None:
    """The customer who gets the intent's payment method when it succeeds."""
    wanted = isinstance(intent, SetupIntent) or bool(intent.setup_future_usage)
    return intent.customer_id if wanted else None


# --- take up again ----------------------------------------------------------------------------------------------------


def resume(caller: Caller, attempt_id: str) -> PaymentIntentOut | RefundOut | Refused | Waiting | NotBegun:
    """What an interrupted request left behind: its recorded end, the question still to be asked, or nothing at all.

    While another holds the attempt's lease the answer is the intent or refund as it is: somebody is settling it.
    """
    identifier = ids.decode(PREFIX, attempt_id)
    if identifier is None:
        raise ValueError(f"{attempt_id!r} is not an attempt")
    intent, attempt = locks.attempt(caller, identifier)
    if attempt.state == PaymentAttempt.State.ABANDONED and not payment_outcomes.failed_visibly(attempt):
        assert attempt.charge_id is not None
        return NotBegun(
            intent_id=ids.encode("pi", intent.id),
            charge_id=attempt.charge_id,
            kind=attempt.kind,
            request=attempt.request,
            plan=attempt.plan,
            reason=intent.cancellation_reason,
        )
    if attempt.state != _OPEN:
        return payment_outcomes.recorded(caller, intent, attempt)
    if attempt.lease_until > clock.wall():
        if attempt.kind in refund_outcomes.KINDS:
            return refund_outcomes.recorded(caller, attempt)
        return intents.shape(caller, intent)
    lease(attempt)
    return waiting_for(attempt, keep_for=_keep_for(intent), ask_first=True)


def record(caller: Caller, waiting: Waiting, answer: Answer) -> PaymentIntentOut | RefundOut | SetupIntentOut | Refused:
    """Write down what the processor said to an attempt of any kind."""
    if waiting.call.kind == PaymentAttempt.Kind.SET_UP:
        return setup_outcomes.record(caller, waiting, answer)
    return payment_outcomes.record(caller, waiting, answer)


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
            lease(attempt)
            waiting = waiting_for(attempt, keep_for=_keep_for(_intent_of(attempt)), ask_first=True)
        asked += 1
        try:
            failpoint("payments.settle.claimed", attempt.kind)
            answer = processor_calls.ask(waiting)
            failpoint("payments.settle.asked", attempt.kind)
            with use_environment(caller.environment):
                record(replace(caller, account=attempt.account_id), waiting, answer)
        except Exception:  # the others must not wait for this one; its lease brings it back
            log.exception("payment_attempt_unsettled", attempt=waiting.resume)
    return asked


def _intent_of(attempt: PaymentAttempt) -> PaymentIntent | SetupIntent:
    """The attempt's intent as it is now, not locked."""
    found: PaymentIntent | SetupIntent | None
    if attempt.kind == PaymentAttempt.Kind.SET_UP:
        found = SetupIntent.objects.one(id=attempt.setup_intent_id)
    else:
        found = PaymentIntent.objects.one(id=attempt.payment_intent_id)
    assert found is not None
    return found


def ask_again(attempt: PaymentAttempt) -> Waiting:
    """Take an attempt over, locked and not leased to anybody, to ask the processor about it once more."""
    lease(attempt)
    return waiting_for(attempt, ask_first=True)


def lease(attempt: PaymentAttempt) -> None:
    """Take an attempt over; each further try waits twice as long, an hour at most."""
    attempt.tries += 1
    seconds = min(idempotency.lease_seconds() * 2 ** (attempt.tries - 2), 3600)
    attempt.lease_until = clock.wall() + timedelta(seconds=seconds)
    attempt.save(update_fields=["tries", "lease_until"])
