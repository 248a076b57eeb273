"""What a payer does on the hosted page: pay, have nothing to pay, leave a card.

A payment or setup comes in the same halves as everywhere: `begin` here commits the attempt, the page calls the
processor outside of any transaction and records the answer with `payment_attempts.record`, which moves the session
along.
"""

from __future__ import annotations

from typing import Any

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.outcomes import Waiting
from payments.domain import errors, method_types
from payments.domain.checkout_state import Mode, PaymentStatus, Status
from payments.models import CheckoutSession, PaymentIntent, SetupIntent
from payments.selectors import checkout_sessions as sessions
from payments.services import checkout_outcomes, customers, locks, payment_intents, setup_intents
from payments.shapes.checkout_sessions import CheckoutSessionOut


def begin(
    caller: Caller,
    *,
    session_id: str,
    details: dict[str, Any],
    card: dict[str, Any] | None,
    by_bank: bool = False,
    language: str,
    return_url: str,
) -> Waiting | CheckoutSessionOut:
    """Take what the payer typed, and commit an attempt to collect the total, or to keep the card in setup mode.

    `details` are email, name, phone and address; `card` is number, exp_month, exp_year and cvc, None where there is
    nothing to pay, or where the payer pays `by_bank`. The answer is the finished session where no processor is needed.
    `language` is that of the receipt.

    Raises `CheckoutSessionNotOpen`, also once its time has run out; `PaymentIntentUnexpectedState`,
    `SetupIntentUnexpectedState` and `LockTimeout` while an earlier attempt is with the processor; and the refusals of a
    card that cannot be right.
    """
    session, intent = locks.checkout_session(caller, session_id)
    require_open(caller, session)
    session.customer_details, session.receipt_language = details, language
    if session.mode != Mode.SETUP and not session.amount_total_minor:
        session.customer_id = _customer(caller, session)
        checkout_outcomes.complete(caller, session, PaymentStatus.NO_PAYMENT_REQUIRED)
        return sessions.shape(caller, session)
    method: dict[str, Any] = {"type": "card", "card": card}
    if by_bank:
        method = {"type": method_types.PAY_BY_BANK}
    method["billing_details"] = _billing_details(details)
    if intent is None:
        session.customer_id = _customer(caller, session)
        waiting = _create_intent(caller, session, method, return_url)
    else:
        _correct_customer(caller, session)
        waiting = _try_again(caller, intent, method, return_url)
    session.save()
    return waiting


def resume(caller: Caller, attempt_id: str, *, mode: str) -> Any:
    """Take up a submission whose answer never came, on the page of a session of this `mode`."""
    intents = setup_intents if mode == Mode.SETUP else payment_intents
    return intents.resume(caller, attempt_id, on_checkout=True)


def require_open(caller: Caller, session: CheckoutSession) -> None:
    """Raise `CheckoutSessionNotOpen` for a session that has ended, or whose time is over and which will be ended."""
    if session.status != Status.OPEN:
        raise errors.CheckoutSessionNotOpen(status=session.status)
    if session.expires_at <= caller.clock.business():
        raise errors.CheckoutSessionNotOpen(status=Status.EXPIRED.value)


def _create_intent(caller: Caller, session: CheckoutSession, method: dict[str, Any], return_url: str) -> Waiting:
    """Make the session's one intent, and confirm it."""
    given: dict[str, Any] = {
        **session.intent_data,
        "customer": ids.encode("cus", session.customer_id) if session.customer_id else None,
        "payment_method_data": method,
        "payment_method_types": session.payment_method_types,
        "return_url": return_url,
        "checkout_session": session.id,
    }
    if session.mode == Mode.SETUP:
        waiting = setup_intents.create_and_confirm(caller, **given)
        session.setup_intent_id = waiting.call.intent_id
    else:
        given.update(amount=session.amount_total_minor, currency=session.currency)
        waiting = payment_intents.create_and_confirm(caller, **given)
        session.payment_intent_id = waiting.call.intent_id
    return waiting


def _try_again(caller: Caller, intent: PaymentIntent | SetupIntent, method: dict[str, Any], return_url: str) -> Waiting:
    given: dict[str, Any] = {"payment_method_data": method, "return_url": return_url, "on_checkout": True}
    if isinstance(intent, SetupIntent):
        return setup_intents.begin_confirm(caller, intent_id=ids.encode("seti", intent.id), **given)
    return payment_intents.begin_confirm(caller, intent_id=ids.encode("pi", intent.id), **given)


def _correct_customer(caller: Caller, session: CheckoutSession) -> None:
    """The session made this customer at the first try; what the payer corrected since is corrected there too."""
    if session.customer_creation is not None and session.customer_id is not None:
        customers.update(caller, customer_id=ids.encode("cus", session.customer_id), **_who(session))


def _customer(caller: Caller, session: CheckoutSession) -> Any:
    """The session's customer; a new one where the app wants one always, or wants the card kept for later."""
    wanted = session.customer_creation == "always" or session.intent_data.get("setup_future_usage")
    if session.customer_id is not None or not wanted:
        return session.customer_id
    return ids.decode("cus", customers.create(caller, **_who(session)).id)


def _who(session: CheckoutSession) -> dict[str, Any]:
    details = session.customer_details or {}
    return {name: details.get(name) for name in ("email", "name", "phone", "address") if details.get(name)}


def _billing_details(details: dict[str, Any]) -> dict[str, Any]:
    return {name: details.get(name) for name in ("email", "name", "phone", "address") if details.get(name)}
