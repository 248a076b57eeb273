"""What a payer does on the issuer's page, and what follows from it. The page itself is `payments/pages`.

Two tabs, the back button and a late return all come here: the intent's lock decides who was first, and everybody else
is told what came of it. Only the page that the intent waits for now can change anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.money import Money
from connect.kit.outcomes import Waiting
from connect.selectors import test_clocks
from payments.domain import errors, payment_intent_state, three_d_secure
from payments.domain.cards import CardDetails
from payments.domain.payment_intent_state import ConfirmationMethod
from payments.domain.three_d_secure import TRIES_MAX, Answer, RedirectStatus, State
from payments.models import Authentication, CheckoutSession, PaymentIntent, SetupIntent
from payments.selectors import authentications, payment_intents, setup_intents
from payments.services import locks, payment_attempts, payment_methods, payment_outcomes, setup_attempts, setup_outcomes

Phase = Literal["asking", "agreed", "timed_out", "over", "replaced"]
_SUCCEEDED = frozenset({"succeeded", "requires_capture", "requires_confirmation"})


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the page shows. `amount` is None when a card is saved. `code` is what the issuer would send to the payer.

    `phase`: *asking*; *agreed*, but the processor was not reached; *timed_out*; *over*, see `result`; or *replaced* by
    a newer page. `way_back` is where the payer goes from here, with what the merchant reads there; None without one.
    `leads_to` are all addresses the payer may be sent on to. `wrong_code` says that this visit typed one.
    """

    phase: Phase
    amount: Money | None
    brand: str
    last4: str
    code: str
    tries_left: int
    leads_to: tuple[str, ...]
    way_back: str | None
    result: RedirectStatus
    wrong_code: bool = False


def visit(caller: Caller, *, secret: str, payee: str) -> Challenge:
    """The page behind `secret`, opened by the payer; the idle limit counts from now. It exists (`account_of`)."""
    intent, row = locks.authentication(caller, authentications.hash_of(secret))
    if _phase(intent, row) in {"asking", "agreed"}:
        row.seen_at = clock.wall()
        row.save(update_fields=["seen_at"])
    return _challenge(caller, intent, row, secret=secret, payee=payee)


def begin_answer(caller: Caller, *, secret: str, payee: str, answer: Answer, code: str = "") -> Challenge | Waiting:
    """Take the payer's answer, if it is still asked for. A passed one commits the attempt that goes on with the intent,
    or lets an intent that is confirmed by hand wait for its confirmation; a failed one fails the payment or setup.
    """
    intent, row = locks.authentication(caller, authentications.hash_of(secret))
    caller = test_clocks.at(caller, intent.test_clock_id)
    phase = _phase(intent, row)
    agreed, wrong_code = False, False
    if phase == "asking":
        expected = three_d_secure.code_for(secret, amount=_amount(row), payee=payee)
        agreed = answer is Answer.COMPLETE or (answer is Answer.CODE and three_d_secure.is_code(code, expected))
        wrong_code = answer is Answer.CODE and not agreed
        row.failures += wrong_code
        row.seen_at = clock.wall()
        if agreed:
            _settle(row, State.AUTHENTICATED)
        elif wrong_code and row.failures < TRIES_MAX:
            row.save()
        else:
            _fail(caller, intent, row)
    elif phase == "agreed":
        agreed = answer is not Answer.FAIL and answer is not Answer.LEAVE
        if not agreed:
            _fail(caller, intent, row)
    elif phase == "timed_out":
        _fail(caller, intent, row)
    waiting = _go_on(caller, intent, row) if agreed else None
    return waiting or _challenge(caller, intent, row, secret=secret, payee=payee, wrong_code=wrong_code)


def _go_on(caller: Caller, intent: PaymentIntent | SetupIntent, row: Authentication) -> Waiting | None:
    """What the payer agreed to: the next attempt, or nothing where the confirmation is somebody else's to make."""
    method = payment_methods.load(intent.payment_method_id)
    try:
        payment_methods.require_usable(method)
    except errors.PaymentMethodUsedUp:  # detached while the payer was here
        _fail(caller, intent, row)
        return None
    if isinstance(intent, SetupIntent):
        return setup_attempts.begin(caller, intent, method, return_url=row.return_url, authenticated=True)
    if intent.confirmation_method == ConfirmationMethod.MANUAL:
        payment_outcomes.authenticated(caller, intent)
        return None
    return payment_attempts.begin_authorize(
        caller, intent, method, return_url=row.return_url, off_session=False, authenticated=True
    )


def _fail(caller: Caller, intent: PaymentIntent | SetupIntent, row: Authentication) -> None:
    _settle(row, State.FAILED)
    if isinstance(intent, SetupIntent):
        setup_outcomes.failed(caller, intent, errors.SetupAuthenticationFailed())
    else:
        payment_outcomes.authentication_failed(caller, intent)


def _settle(row: Authentication, state: State) -> None:
    row.state = state
    row.settled_at = clock.wall()
    row.save()


def _phase(intent: PaymentIntent | SetupIntent, row: Authentication) -> Phase:
    current = (intent.next_action or {}).get("authentication") == str(row.id)
    if row.state == State.FAILED or (row.state == State.AUTHENTICATED and intent.status != "requires_action"):
        return "over"
    if not current or intent.status != payment_intent_state.Status.REQUIRES_ACTION:
        return "replaced"
    if row.state == State.AUTHENTICATED:
        return "agreed"
    late = three_d_secure.is_timed_out(expires_at=row.expires_at, seen_at=row.seen_at, now=clock.wall())
    return "timed_out" if late else "asking"


def _challenge(
    caller: Caller,
    intent: PaymentIntent | SetupIntent,
    row: Authentication,
    *,
    secret: str,
    payee: str,
    wrong_code: bool = False,
) -> Challenge:
    phase = _phase(intent, row)
    result = _result(intent, row, phase)
    card = CardDetails.from_stored(payment_methods.load(row.payment_method_id).card)
    return Challenge(
        phase=phase,
        amount=_amount(row),
        brand=card.brand,
        last4=card.last4,
        code=three_d_secure.code_for(secret, amount=_amount(row), payee=payee),
        tries_left=TRIES_MAX - row.failures,
        leads_to=_leads_to(intent, row),
        way_back=_way_back(caller, intent, row, result),
        result=result,
        wrong_code=wrong_code,
    )


def _result(intent: PaymentIntent | SetupIntent, row: Authentication, phase: Phase) -> RedirectStatus:
    """What the merchant is told with the return; what the intent says counts more."""
    if phase == "over" and row.state == State.AUTHENTICATED:
        if intent.status == payment_intent_state.Status.PROCESSING:
            return "pending"
        if intent.status in _SUCCEEDED:
            return "succeeded"
    return "failed"


def _way_back(
    caller: Caller, intent: PaymentIntent | SetupIntent, row: Authentication, result: RedirectStatus
) -> str | None:
    if row.return_url is None:
        return None
    if isinstance(intent, SetupIntent):
        told = {
            "setup_intent": ids.encode("seti", intent.id),
            "setup_intent_client_secret": setup_intents.client_secret(caller, intent.id),
        }
    else:
        told = {
            "payment_intent": ids.encode("pi", intent.id),
            "payment_intent_client_secret": payment_intents.client_secret(caller, intent.id),
        }
    return three_d_secure.way_back(row.return_url, {**told, "redirect_status": result})


def _leads_to(intent: PaymentIntent | SetupIntent, row: Authentication) -> tuple[str, ...]:
    """The merchant, or our hosted page and then the merchant behind it."""
    found = [row.return_url]
    if intent.checkout_session_id:
        session = CheckoutSession.objects.one(id=intent.checkout_session_id)
        found.append(session.success_url if session else None)
    return tuple(url for url in found if url)


def _amount(row: Authentication) -> Money | None:
    if row.amount_minor is None or row.currency is None:
        return None
    return Money(row.amount_minor, row.currency)
