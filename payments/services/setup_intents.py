"""Setup intents: create, update, confirm, cancel. They keep a payment method for later; no money moves.

Confirming needs the processor and comes in halves, as with payment intents: `begin_confirm` commits the attempt, the
entry point calls the processor, `setup_outcomes.record` writes down what it said.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.metadata import merge
from connect.kit.outcomes import Refused, Waiting
from connect.selectors import test_clocks
from connect.services import events
from connect.services.events import NewEvent
from payments.domain import errors, setup_intent_state
from payments.domain.setup_intent_state import Action, Usage
from payments.models import PaymentMethod, SetupIntent
from payments.selectors import setup_intents as intents
from payments.services import locks, payment_methods, setup_attempts, setup_outcomes
from payments.services.setup_attempts import NotBegun
from payments.shapes.setup_intents import SetupIntentOut

_DECIDING = frozenset({"customer", "payment_method", "payment_method_data"})
"""What decides which card is kept, and for whom."""


def create(caller: Caller, **given: Any) -> SetupIntentOut:
    """Record the wish to keep a payment method. Takes what `_build` takes. Publishes `setup_intent.created`.

    Raises `MissingParameterTarget`, `CustomerMismatch` and the card refusals of `payment_method_data`.
    """
    intent, _ = _build(caller, **given)
    intent.save(force_insert=True)
    return _created(test_clocks.at(caller, intent.test_clock_id), intent)


def create_and_confirm(
    caller: Caller, *, return_url: str | None = None, checkout_session: UUID | None = None, **given: Any
) -> Waiting:
    """`create` and `begin_confirm` in one transaction, as `confirm=true` asks for.

    `checkout_session` makes that session the intent's owner.
    """
    intent, method = _build(caller, **given)
    intent.checkout_session_id = checkout_session
    if method is None:
        raise errors.SetupPaymentMethodRequired(param="payment_method")
    caller = test_clocks.at(caller, intent.test_clock_id)
    _created(caller, intent)
    return setup_attempts.begin(caller, intent, method, return_url=return_url, new=True)


def update(caller: Caller, *, intent_id: str, **given: Any) -> SetupIntentOut:
    """Change an intent that has not ended and is not with the processor. Raises `SetupIntentUnexpectedState`.

    Another customer or payment method voids an authentication that was asked for.
    """
    owner = locks.customer(caller, given["customer"], param="customer") if given.get("customer") else None
    intent = locks.setup_intent(caller, intent_id)
    for param in sorted(_DECIDING & given.keys()):
        _require_own(caller, intent, "update", param=param)
    _require(caller, intent, Action.UPDATE)
    if owner is not None:
        intent.customer_id, intent.test_clock_id = owner.id, owner.test_clock_id
    if {"payment_method", "payment_method_data"} & given.keys():
        method = payment_methods.chosen(caller, given, customer_id=intent.customer_id)
        if method is not None:
            payment_methods.require_type(method, intent.payment_method_types)
        intent.payment_method_id = method.id if method else None
    elif owner is not None:
        payment_methods.kept(
            intent.payment_method_id, customer_id=intent.customer_id
        )  # refuses one that belongs to somebody else
    if owner is not None or {"payment_method", "payment_method_data"} & given.keys():
        intent.next_action = intent.last_setup_error = None
        intent.status = setup_intent_state.initial(has_payment_method=intent.payment_method_id is not None).value
    for name in ("description", "payment_method_options", "payment_method_types"):
        if name in given:
            setattr(intent, name, given[name])
    if "metadata" in given:
        intent.metadata = merge(intent.metadata, given["metadata"])
    intent.save()
    return intents.shape(caller, intent)


def begin_confirm(
    caller: Caller, *, intent_id: str, return_url: str | None = None, on_checkout: bool = False, **given: Any
) -> Waiting:
    """Check that the intent may be confirmed and commit an attempt to set its payment method up.

    `given` may bring `payment_method` or `payment_method_data` and `payment_method_options`. `on_checkout` says that
    the payer does it on the hosted page, the only way for an intent that a checkout session owns. Raises
    `SetupIntentUnexpectedState`, also while another attempt is with the processor.
    """
    intent = locks.setup_intent(caller, intent_id)
    if not on_checkout:
        _require_own(caller, intent, "confirm")
    caller = test_clocks.at(caller, intent.test_clock_id)
    _require(caller, intent, Action.CONFIRM)
    if "payment_method_options" in given:
        intent.payment_method_options = given["payment_method_options"]
    customer = intent.customer_id
    method = payment_methods.chosen(caller, given, customer_id=customer) or payment_methods.kept(
        intent.payment_method_id, customer_id=customer
    )
    if method is None:
        raise errors.SetupPaymentMethodRequired(param="payment_method")
    payment_methods.require_type(method, intent.payment_method_types)
    if intent.next_action and method.id != intent.payment_method_id:
        # The payer was asked about another one: that page is void, also if this attempt comes to nothing.
        intent.next_action = None
        intent.status = setup_intent_state.initial(has_payment_method=True).value
    return setup_attempts.begin(caller, intent, method, return_url=return_url)


def cancel(caller: Caller, *, intent_id: str, cancellation_reason: str | None = None) -> SetupIntentOut:
    """End an intent. Raises `SetupIntentUnexpectedState`, also while an attempt is with the processor."""
    intent = locks.setup_intent(caller, intent_id)
    _require_own(caller, intent, "cancel")
    _require(caller, intent, Action.CANCEL)
    caller = test_clocks.at(caller, intent.test_clock_id)
    return setup_outcomes.cancel_now(caller, intent, reason=cancellation_reason)


def resume(caller: Caller, attempt_id: str, *, on_checkout: bool = False) -> SetupIntentOut | Refused | Waiting:
    """Take up a request whose answer never came; one that had no effect is begun again.

    `on_checkout` is as for `begin_confirm`.
    """
    found = setup_attempts.resume(caller, attempt_id)
    if isinstance(found, NotBegun):
        return begin_confirm(caller, intent_id=found.intent_id, return_url=found.return_url, on_checkout=on_checkout)
    return found


def _build(
    caller: Caller,
    *,
    customer: str | None = None,
    payment_method: str | None = None,
    payment_method_data: dict[str, Any] | None = None,
    payment_method_types: list[str] | None = None,
    payment_method_options: dict[str, Any] | None = None,
    usage: str = Usage.OFF_SESSION.value,
    description: str | None = None,
    metadata: Any = None,
) -> tuple[SetupIntent, PaymentMethod | None]:
    """A new intent, not saved, and its payment method."""
    owner = locks.customer(caller, customer, param="customer") if customer else None
    caller = test_clocks.at(caller, owner.test_clock_id if owner else None)
    given = {"payment_method": payment_method, "payment_method_data": payment_method_data}
    method = payment_methods.chosen(caller, given, customer_id=owner.id if owner else None)
    intent = SetupIntent(
        account_id=caller.account,
        test_clock_id=owner.test_clock_id if owner else None,
        status=setup_intent_state.initial(has_payment_method=method is not None).value,
        usage=usage,
        customer_id=owner.id if owner else None,
        payment_method_id=method.id if method else None,
        payment_method_types=payment_method_types or ["card"],
        payment_method_options=payment_method_options,
        description=description,
        metadata=merge({}, metadata) if metadata else {},
        created_at=caller.clock.business(),
    )
    if method is not None:
        payment_methods.require_type(method, intent.payment_method_types)
    return intent, method


def _created(caller: Caller, intent: SetupIntent) -> SetupIntentOut:
    events.publish(caller, NewEvent("setup_intent.created", intents.shape(caller, intent, secret=False)))
    return intents.shape(caller, intent)


def _require(caller: Caller, intent: SetupIntent, action: Action) -> None:
    if not setup_intent_state.may(intent.status, action):
        setup_intent_state.require(intent.status, action, intents.as_data(caller, intent))


def _require_own(caller: Caller, intent: SetupIntent, action: str, *, param: str | None = None) -> None:
    """Refuse what only the hosted page, or the end of its session, may do to an intent."""
    if intent.checkout_session_id is None:
        return
    session = ids.encode("cs", intent.checkout_session_id)
    instead = f"To keep another card, expire the session {session} and create a new one."
    if action == "confirm":
        instead = f"The payer confirms it on the page of the session {session}."
    raise errors.SetupIntentOwnedByCheckout(
        action=action, instead=instead, param=param, setup_intent=intents.as_data(caller, intent)
    )
