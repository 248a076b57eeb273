"""Payment intents: create, update, confirm, capture, cancel. **The reference resource**: others imitate its shape.

What needs the processor comes in halves. `begin_…` checks the rules, commits the attempt and hands back `Waiting`; the
entry point calls the processor outside of any transaction (`processor_calls.perform`) and then records the answer
(`payment_outcomes.record`). docs/ARCHITECTURE.md walks through one request.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from connect.kit import currencies, ids
from connect.kit.caller import Caller
from connect.kit.metadata import merge
from connect.kit.money import Money
from connect.kit.outcomes import Refused, Waiting
from connect.selectors import test_clocks
from connect.services import audit, events
from connect.services.events import NewEvent
from payments.domain import errors, method_types, payment_intent_state
from payments.domain.payment_intent_state import Action, CancellationReason, CaptureMethod, Status
from payments.models import Charge, Customer, PaymentIntent, PaymentMethod
from payments.selectors import payment_intents as intents
from payments.services import (
    authentications,
    books,
    locks,
    pay_by_bank,
    payment_attempts,
    payment_methods,
    payment_outcomes,
)
from payments.services.payment_attempts import NotBegun
from payments.shapes.payment_intents import PaymentIntentOut
from payments.shapes.refunds import RefundOut

_UPDATABLE = (
    "description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix", "setup_future_usage",
    "shipping", "transfer_group", "capture_method", "payment_method_options",
)  # fmt: skip
_DECIDING = frozenset({"amount", "currency", "customer", "payment_method", "payment_method_data", "capture_method"})
"""What decides the payment: it can change until the intent is confirmed."""
CAPTURES_MAX = 50
"""A payment is captured in this many parts at most."""
INCREMENTS_MAX = 10
"""An authorization is raised this often at most."""


def create(caller: Caller, **given: Any) -> PaymentIntentOut:
    """Record the wish to collect an amount; nothing moves until it is confirmed. Takes what `_build` takes.

    Publishes `payment_intent.created`. Raises `AmountTooSmall`, `MissingParameterTarget`, `CustomerMismatch` and the
    card refusals of `payment_method_data`.
    """
    intent, _ = _build(caller, **given)
    intent.save(force_insert=True)
    return _created(test_clocks.at(caller, intent.test_clock_id), intent)


def create_and_confirm(
    caller: Caller,
    *,
    return_url: str | None = None,
    off_session: bool = False,
    error_on_requires_action: bool = False,
    checkout_session: UUID | None = None,
    **given: Any,
) -> Waiting:
    """`create` and `begin_confirm` in one transaction, as `confirm=true` asks for.

    `checkout_session` makes that session the intent's owner.
    """
    intent, method = _build(caller, **given)
    intent.checkout_session_id = checkout_session
    method = method or _default_method(caller, intent)
    if method is None:
        raise _method_required(intent)
    caller = test_clocks.at(caller, intent.test_clock_id)
    _created(caller, intent)  # the event shows the intent as it was before the attempt
    return payment_attempts.begin_authorize(
        caller,
        intent,
        method,
        return_url=return_url,
        off_session=off_session,
        error_on_requires_action=error_on_requires_action,
        new=True,
    )


def update(caller: Caller, *, intent_id: str, **given: Any) -> PaymentIntentOut:
    """Change an intent. Amount, currency, customer and payment method only before it is confirmed; words any time.

    Raises `PaymentIntentUnexpectedState` naming the parameter.
    """
    owner = _customer(caller, given["customer"]) if given.get("customer") else None
    intent = locks.payment_intent(caller, intent_id)
    method_given = {"payment_method", "payment_method_data"} & given.keys()
    for param in given:
        if param in _DECIDING:
            _require_own(caller, intent, "update", param=param)
            _require(caller, intent, Action.UPDATE, param=param)
    if owner is not None:
        intent.customer_id, intent.test_clock_id = owner.id, owner.test_clock_id
    if method_given:
        method = payment_methods.chosen(caller, given, customer_id=intent.customer_id)
        if method is not None:
            payment_methods.require_type(method, intent.payment_method_types)
        intent.payment_method_id = method.id if method else None
    elif owner is not None and intent.payment_method_id:
        payment_methods.kept(
            intent.payment_method_id, customer_id=intent.customer_id
        )  # refuses one that belongs to somebody else
    deciding = bool(_DECIDING & given.keys())
    if deciding:
        pay_by_bank.withdraw(caller, intent, "update")
        intent.next_action = None  # the payer was asked to agree, or agreed, to something else
    if method_given or (deciding and intent.status == Status.REQUIRES_ACTION):
        intent.status = payment_intent_state.initial(has_payment_method=intent.payment_method_id is not None).value
    amount = Money(given.get("amount") or intent.amount_minor, given.get("currency") or intent.currency)
    check_amount(amount)
    intent.amount_minor, intent.currency = amount.minor, amount.currency
    for name in _UPDATABLE:
        if name in given:
            setattr(intent, name, given[name])
    if "metadata" in given:
        intent.metadata = merge(intent.metadata, given["metadata"])
    intent.last_payment_error = None  # it was about the intent as it had been
    intent.save()
    return intents.shape(caller, intent)


def begin_confirm(
    caller: Caller,
    *,
    intent_id: str,
    return_url: str | None = None,
    off_session: bool = False,
    error_on_requires_action: bool = False,
    on_checkout: bool = False,
    **given: Any,
) -> Waiting:
    """Check that the intent may be confirmed and commit an attempt to authorize it.

    `given` may bring `payment_method` or `payment_method_data`, `receipt_email`, `setup_future_usage`, `shipping`,
    `capture_method` and `payment_method_options`. Without a payment method the customer's default one is used.
    `on_checkout` says that the payer does it on the hosted page, the only way for an intent that a checkout session
    owns. Raises `PaymentIntentUnexpectedState`, also while another attempt is with the processor.
    """
    intent = locks.payment_intent(caller, intent_id)
    if not on_checkout:
        _require_own(caller, intent, "confirm")
    caller = test_clocks.at(caller, intent.test_clock_id)
    _require(caller, intent, Action.CONFIRM)
    pay_by_bank.withdraw(caller, intent, "confirm")
    for name in ("receipt_email", "setup_future_usage", "shipping", "capture_method", "payment_method_options"):
        if name in given:
            setattr(intent, name, given[name])
    method = (
        payment_methods.chosen(caller, given, customer_id=intent.customer_id)
        or payment_methods.kept(intent.payment_method_id, customer_id=intent.customer_id)
        or _default_method(caller, intent)
    )
    if method is None:
        raise _method_required(intent)
    payment_methods.require_type(method, intent.payment_method_types)
    if intent.next_action and method.id != intent.payment_method_id:
        # The payer was asked about another one: that page is void, also if this attempt comes to nothing.
        intent.next_action = None
        intent.status = payment_intent_state.initial(has_payment_method=True).value
    return payment_attempts.begin_authorize(
        caller,
        intent,
        method,
        return_url=return_url,
        off_session=off_session,
        error_on_requires_action=error_on_requires_action,
        authenticated=intent.status == Status.REQUIRES_CONFIRMATION and authentications.passed(intent, method),
    )


def begin_capture(
    caller: Caller,
    *,
    intent_id: str,
    amount_to_capture: int | None = None,
    final_capture: bool = True,
    metadata: Any = None,
    statement_descriptor: str | None = None,
    statement_descriptor_suffix: str | None = None,
) -> Waiting | Refused:
    """Commit an attempt to take what is held, or part of it. The rest is released unless `final_capture` is false.

    A hold that has run out is released instead, and refused as `ChargeExpiredForCapture`. Raises
    `PaymentIntentUnexpectedState`, `CaptureTooLarge`, `CaptureLimitReached`, and `LockTimeout` while another attempt is
    under way.
    """
    intent = locks.payment_intent(caller, intent_id)
    caller = test_clocks.at(caller, intent.test_clock_id)
    _require(caller, intent, Action.CAPTURE)
    payment_attempts.require_none_open(intent)
    capturable = Money(intent.amount_capturable_minor, intent.currency)
    amount = Money(amount_to_capture, intent.currency) if amount_to_capture is not None else capturable
    if amount.minor < 1:
        raise errors.AmountTooSmall(minimum=Money(1, intent.currency), param="amount_to_capture")
    if capturable < amount:
        raise errors.CaptureTooLarge(capturable=capturable, param="amount_to_capture", maximum=capturable)
    charge = locks.charge(intent.latest_charge_id)
    if _has_run_out(caller, charge):
        return payment_outcomes.expire(caller, intent, charge, reason=CancellationReason.AUTOMATIC)
    audit.record_person(
        caller, action="payment.captured", target=intent_id, amount_minor=amount.minor, currency=intent.currency
    )
    final = final_capture or amount == capturable  # with nothing left to hold there is nothing to keep open for
    if not final:
        _require_room(charge)
    if metadata is not None:
        intent.metadata = merge(intent.metadata, metadata)
    intent.statement_descriptor = statement_descriptor or intent.statement_descriptor
    intent.statement_descriptor_suffix = statement_descriptor_suffix or intent.statement_descriptor_suffix
    return payment_attempts.begin_capture(caller, intent, charge, amount, final=final)


def begin_increment(
    caller: Caller,
    *,
    intent_id: str,
    amount: int,
    description: str | None = None,
    metadata: Any = None,
    statement_descriptor: str | None = None,
) -> Waiting | Refused:
    """Commit an attempt to raise what is held to `amount` minor units in all; the words are changed when it succeeds.

    Raises `PaymentIntentUnexpectedState`, `IncrementAfterCapture`, `IncrementTooSmall`, `AmountTooLarge`,
    `IncrementLimitReached`, and `LockTimeout` while another attempt is under way.
    """
    intent = locks.payment_intent(caller, intent_id)
    caller = test_clocks.at(caller, intent.test_clock_id)
    _require(caller, intent, Action.INCREMENT)
    payment_attempts.require_none_open(intent)
    if intent.amount_received_minor:
        raise errors.IncrementAfterCapture(payment_intent=intents.as_data(caller, intent))
    charge = locks.charge(intent.latest_charge_id)
    total, authorized = Money(amount, intent.currency), Money(charge.amount_minor, intent.currency)
    if total <= authorized:
        raise errors.IncrementTooSmall(authorized=authorized, minimum=authorized, param="amount")
    check_amount(total)
    if payment_attempts.increments_of(intent) >= INCREMENTS_MAX:
        raise errors.IncrementLimitReached(maximum=INCREMENTS_MAX)
    if _has_run_out(caller, charge):
        return payment_outcomes.expire(caller, intent, charge, reason=CancellationReason.AUTOMATIC)
    plan: dict[str, Any] = {"description": description, "statement_descriptor": statement_descriptor}
    if metadata is not None:
        plan["metadata"] = merge(intent.metadata, metadata)
    return payment_attempts.begin_increment(caller, intent, charge, total, plan=plan)


def begin_cancel(
    caller: Caller, *, intent_id: str, cancellation_reason: str | None = None
) -> PaymentIntentOut | Waiting:
    """Cancel an intent. Without a hold that is done at once; with one, the attempt to release it is committed.

    Raises `PaymentIntentUnexpectedState`; an intent whose attempt is still with the processor raises `LockTimeout`,
    because nobody can know yet whether money moved.
    """
    intent = locks.payment_intent(caller, intent_id)
    if intent.status != Status.REQUIRES_CAPTURE:
        _require_own(caller, intent, "cancel")
    caller = test_clocks.at(caller, intent.test_clock_id)
    _require(caller, intent, Action.CANCEL)
    payment_attempts.require_none_open(intent)
    audit.record_person(caller, action="payment.canceled", target=intent_id, reason=cancellation_reason)
    if intent.status == Status.REQUIRES_CAPTURE:
        return payment_attempts.begin_void(caller, intent, reason=cancellation_reason)
    reason = CancellationReason(cancellation_reason).value if cancellation_reason else None
    return payment_outcomes.cancel_now(caller, intent, reason=reason)


def resume(
    caller: Caller, attempt_id: str, *, on_checkout: bool = False
) -> PaymentIntentOut | RefundOut | Refused | Waiting:
    """Take up a request whose answer never came: its attempt is settled by now, or has to be asked about.

    One that had no effect is begun again on the same intent, by the rules and with the amounts of today.
    `on_checkout` is as for `begin_confirm`.
    """
    found = payment_attempts.resume(caller, attempt_id)
    if not isinstance(found, NotBegun):
        return found
    match found.request:
        case {"off_session": off_session, "return_url": return_url}:
            return begin_confirm(
                caller,
                intent_id=found.intent_id,
                return_url=return_url,
                off_session=off_session,
                error_on_requires_action=found.request.get("decline_on_action", False),
                on_checkout=on_checkout,
            )
        case {"total_minor": total}:
            return begin_increment(caller, intent_id=found.intent_id, amount=total, **found.plan)
        case {"final": final, "amount_minor": amount}:
            return begin_capture(caller, intent_id=found.intent_id, amount_to_capture=amount, final_capture=final)
    return begin_cancel(caller, intent_id=found.intent_id, cancellation_reason=found.reason)


def _build(
    caller: Caller,
    *,
    amount: int,
    currency: str,
    customer: str | None = None,
    payment_method: str | None = None,
    payment_method_data: dict[str, Any] | None = None,
    payment_method_types: list[str] | None = None,
    capture_method: str = CaptureMethod.AUTOMATIC.value,
    confirmation_method: str = "automatic",
    metadata: Any = None,
    **words: Any,
) -> tuple[PaymentIntent, PaymentMethod | None]:
    """A new intent, not saved, and its payment method. `amount` is in minor units of `currency`."""
    check_amount(Money(amount, currency))
    owner = _customer(caller, customer) if customer else None
    caller = test_clocks.at(caller, owner.test_clock_id if owner else None)
    given = {"payment_method": payment_method, "payment_method_data": payment_method_data}
    method = payment_methods.chosen(caller, given, customer_id=owner.id if owner else None)
    intent = PaymentIntent(
        account_id=caller.account,
        test_clock_id=owner.test_clock_id if owner else None,
        amount_minor=amount,
        currency=currency,
        status=payment_intent_state.initial(has_payment_method=method is not None).value,
        capture_method=capture_method,
        confirmation_method=confirmation_method,
        customer_id=owner.id if owner else None,
        payment_method_id=method.id if method else None,
        payment_method_types=payment_method_types or [method.type if method else method_types.CARD],
        metadata=merge({}, metadata) if metadata else {},
        created_at=caller.clock.business(),
        **{name: value for name, value in words.items() if name in _UPDATABLE},
    )
    if method is not None:
        payment_methods.require_type(method, intent.payment_method_types)
    return intent, method


def _created(caller: Caller, intent: PaymentIntent) -> PaymentIntentOut:
    events.publish(caller, NewEvent("payment_intent.created", intents.shape(caller, intent, secret=False)))
    return intents.shape(caller, intent)


def _require(caller: Caller, intent: PaymentIntent, action: Action, *, param: str | None = None) -> None:
    if not payment_intent_state.may(intent.status, action):
        payment_intent_state.require(intent.status, action, intents.as_data(caller, intent), param=param)


def _require_own(caller: Caller, intent: PaymentIntent, action: str, *, param: str | None = None) -> None:
    """Refuse what only the hosted page, or the end of its session, may do to an intent."""
    if intent.checkout_session_id is None:
        return
    session = ids.encode("cs", intent.checkout_session_id)
    instead = f"To collect another payment, expire the session {session} and create a new one."
    if action == "confirm":
        instead = f"The payer confirms it on the page of the session {session}."
    raise errors.IntentOwnedByCheckout(
        action=action, instead=instead, param=param, payment_intent=intents.as_data(caller, intent)
    )


def _has_run_out(caller: Caller, charge: Charge) -> bool:
    """Whether a hold is over by the payer's clock; the job that lets it go may not have come by yet."""
    return charge.capture_before is not None and charge.capture_before <= caller.clock.business()


def _require_room(charge: Charge) -> None:
    """Raise `CaptureLimitReached` when the next capture has to be the final one."""
    count = books.captures_of(charge)
    if count + 1 >= CAPTURES_MAX:
        raise errors.CaptureLimitReached(count=count, maximum=CAPTURES_MAX, param="final_capture")


def check_amount(amount: Money, *, param: str = "amount") -> None:
    """Raise `AmountTooSmall` or `AmountTooLarge` for what no payment can be about."""
    minimum = Money(currencies.minimum_charge(amount.currency), amount.currency)
    if amount < minimum:
        raise errors.AmountTooSmall(minimum=minimum, param=param)
    if amount.minor > 99_999_999 and amount.currency != "idr":
        raise errors.AmountTooLarge(maximum=Money(99_999_999, amount.currency), param=param)


def _customer(caller: Caller, customer_id: str) -> Customer:
    return locks.customer(caller, customer_id, param="customer")


def _default_method(caller: Caller, intent: PaymentIntent) -> PaymentMethod | None:
    """What the intent's customer pays with unless somebody says otherwise."""
    if not intent.customer_id:
        return None
    customer = Customer.objects.one(account_id=caller.account, id=intent.customer_id)
    if customer is None or customer.default_payment_method_id is None:
        return None
    method = payment_methods.load(customer.default_payment_method_id)
    payment_methods.require_type(method, intent.payment_method_types)
    return method


def _method_required(intent: PaymentIntent) -> errors.PaymentIntentUnexpectedState:
    if intent.customer_id:
        return errors.CustomerPaymentMethodRequired(
            customer=ids.encode("cus", intent.customer_id), param="payment_method"
        )
    return errors.PaymentMethodRequired(param="payment_method")
