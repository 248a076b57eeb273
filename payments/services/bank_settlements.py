"""Following payments by bank to their end: when the payer comes back, and when they do not.

The first attempt was answered with the payer's page. Once the payer has nothing more to do there, a second one asks the
processor what came of it (`begin`), and is recorded as every attempt is: the charge, the posting and the events are
written by `payment_outcomes.record`, once, whoever comes first. While the bank has not settled the payment the second
attempt stays open, and the sweeper of open attempts goes on with it.

A bank may settle an order that was given up a day after it was begun. Then the intent is paid after all, as long as it
waits for a payment of just this amount; else a person is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import structlog

from banks.domain.bank_payment_state import Status as BankStatus
from banks.selectors import bank_payments as standings
from banks.selectors.bank_payments import Standing
from banks.services import bank_payments
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.failpoints import failpoint
from connect.kit.money import Money
from connect.kit.outcomes import Waiting
from connect.kit.tenancy import use_environment
from connect.selectors import test_clocks
from payments.domain import three_d_secure
from payments.domain.payment_intent_state import CaptureMethod, Status
from payments.domain.three_d_secure import RedirectStatus
from payments.models import Charge, PaymentAttempt, PaymentIntent
from payments.selectors import payment_intents as intents
from payments.services import locks, payment_attempts, payment_methods, payment_outcomes, processor_calls
from payments.services.processor_calls import PREFIX
from payments.shapes.payment_intents import PaymentIntentOut

_RESULTS: Final[dict[str, RedirectStatus]] = {Status.SUCCEEDED: "succeeded", Status.PROCESSING: "pending"}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where the payer goes from here, and what the merchant reads there: `url` is None where the merchant named no
    address, `result` while nobody has concluded the payment.
    """

    url: str | None
    result: RedirectStatus | None


def begin(caller: Caller, *, attempt_id: str) -> Waiting | PaymentIntentOut:
    """Commit an attempt to conclude what `attempt_id` (`patt_…`) began, or take the one over that nobody holds.

    Without anything to be done the answer is the intent as it is: the payer has not finished at the bank, somebody else
    is settling it, or it is settled.
    """
    identifier = ids.decode(PREFIX, attempt_id)
    assert identifier is not None
    intent, first = locks.attempt(caller, identifier)
    caller = test_clocks.at(caller, intent.test_clock_id)
    payment = standings.by_attempt(attempt_id, now=clock.wall())
    assert payment is not None
    if intent.open_attempt_id is not None:
        return _take_over(intent, attempt_id) or intents.shape(caller, intent)
    if not payment.has_left_the_payer:
        return intents.shape(caller, intent)
    bank_payments.handed_over(attempt_id)
    if _waits_for(intent, attempt_id):
        method_id = intent.payment_method_id
    elif payment.status != BankStatus.SUCCEEDED or _follower(intent, attempt_id, PaymentAttempt.State.APPROVED):
        return intents.shape(caller, intent)
    else:
        method_id = _method_once_declined(intent, payment)
    if method_id is None:
        # The money has arrived, and nobody waits for it. A person has to look at the books.
        log.error("bank_payment_unclaimed", attempt=attempt_id, reference=payment.end_to_end_id)
        return intents.shape(caller, intent)
    method = payment_methods.load(method_id)
    return payment_attempts.begin_authorize(
        caller, intent, method, return_url=first.request.get("return_url"), off_session=False, follows=attempt_id
    )


def way_back(caller: Caller, *, attempt_id: str) -> WayBack:
    """Where the payer of this attempt goes, and what the merchant reads there."""
    identifier = ids.decode(PREFIX, attempt_id)
    attempt = PaymentAttempt.objects.one(id=identifier)
    assert attempt is not None
    intent = PaymentIntent.objects.one(id=attempt.payment_intent_id)
    assert intent is not None
    if _waits_for(intent, attempt_id):
        return WayBack(None, None)
    result = _RESULTS.get(intent.status, "failed")
    back = attempt.request.get("return_url")
    if not back:
        return WayBack(None, result)
    told = {
        "payment_intent": ids.encode("pi", intent.id),
        "payment_intent_client_secret": intents.client_secret(caller, intent.id),
        "redirect_status": result,
    }
    return WayBack(three_d_secure.way_back(back, told), result)


def follow_due(caller: Caller) -> int:
    """Look at every payment by bank whose time has come, and settle those that their payers have left behind.

    Returns how many were looked at.
    """
    looked = 0
    for payment in bank_payments.due(caller):
        looked += 1
        if not payment.has_left_the_payer:
            continue
        try:
            _conclude(replace(caller, account=payment.account_id), payment)
        except Exception:  # the others must not wait for this one; its `check_at` brings it back
            log.exception("bank_payment_unsettled", attempt=payment.attempt)
    return looked


def _conclude(caller: Caller, payment: Standing) -> None:
    with use_environment(caller.environment):
        found = begin(caller, attempt_id=payment.attempt)
    if not isinstance(found, Waiting):
        return
    failpoint("payments.settle.claimed", found.call.kind)
    answer = processor_calls.perform(found)
    failpoint("payments.settle.asked", found.call.kind)
    with use_environment(caller.environment):
        payment_outcomes.record(caller, found, answer)


def _follower(intent: PaymentIntent, attempt_id: str, state: str) -> PaymentAttempt | None:
    """The last attempt of this state that concluded what `attempt_id` began."""
    rows = PaymentAttempt.objects.filter(payment_intent_id=intent.id, state=state, request__follows=attempt_id)
    return rows.order_by("-id").first()


def _method_once_declined(intent: PaymentIntent, payment: Standing) -> UUID | None:
    """The method of a payment that was given up, when the intent can still be paid with it as it is."""
    tried = _follower(intent, payment.attempt, PaymentAttempt.State.DECLINED)
    waits = intent.status == Status.REQUIRES_PAYMENT_METHOD and not intent.setup_future_usage
    same = payment.amount == Money(intent.amount_minor, intent.currency)
    if tried is None or not waits or not same or intent.capture_method == CaptureMethod.MANUAL:
        return None
    charge = Charge.objects.one(id=tried.charge_id)
    return None if charge is None else charge.payment_method_id


def _take_over(intent: PaymentIntent, attempt_id: str) -> Waiting | None:
    """The open attempt that follows `attempt_id`, if nobody holds its lease."""
    attempt = PaymentAttempt.objects.one(id=_open(intent), lock=True)
    assert attempt is not None
    if attempt.request.get("follows") != attempt_id or attempt.lease_until > clock.wall():
        return None
    return payment_attempts.ask_again(attempt)


def _open(intent: PaymentIntent) -> UUID:
    assert intent.open_attempt_id is not None
    return intent.open_attempt_id


def _waits_for(intent: PaymentIntent, attempt_id: str) -> bool:
    return intent.status == Status.REQUIRES_ACTION and (intent.next_action or {}).get("attempt") == attempt_id
