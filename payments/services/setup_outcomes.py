"""Recording what a processor said to a setup: state, payment method and events together, in the second transaction.

Whoever comes second, after the sweeper or another request, changes nothing and gets what was recorded.
"""

from __future__ import annotations

import structlog

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.failpoints import failpoint
from connect.kit.outcomes import Refused, Waiting
from connect.selectors import test_clocks
from connect.services import events
from connect.services.events import NewEvent
from payments.clients.processor import ActionRequired, Approved, Declined, NotFound
from payments.domain import errors, setup_intent_state
from payments.domain.setup_intent_state import Action, Status, move
from payments.models import PaymentAttempt, SetupIntent
from payments.selectors import setup_intents as intents
from payments.services import authentications, checkout_outcomes, locks, payment_methods
from payments.services.attempt_records import settle, stored
from payments.services.processor_calls import PREFIX, Answer, NotReached
from payments.shapes.setup_intents import SetupIntentOut

log = structlog.get_logger(__name__)


def record(caller: Caller, waiting: Waiting, answer: Answer) -> SetupIntentOut | Refused:
    """Write down what the processor said. On success the method is kept, and attached to the intent's customer."""
    owner = locks.owner(waiting.call.keep_for)
    intent, attempt = locks.setup_attempt(caller, waiting.call.attempt_id)
    caller = test_clocks.at(caller, intent.test_clock_id)
    if attempt.state != PaymentAttempt.State.OPEN:
        return recorded(caller, intent, attempt)
    match answer:
        case Approved():
            settle(attempt, PaymentAttempt.State.APPROVED, answer)
            assert intent.payment_method_id is not None
            payment_methods.keep(caller, intent.payment_method_id, owner=owner, usage=intent.usage)
            intent.last_setup_error = intent.next_action = None
            result: SetupIntentOut | Refused = _finish(caller, intent, Status.SUCCEEDED, "setup_intent.succeeded")
            if intent.checkout_session_id is not None:
                checkout_outcomes.card_kept(caller, intent.checkout_session_id)
        case Declined():
            settle(attempt, PaymentAttempt.State.DECLINED, answer)
            result = failed(caller, intent, _error(answer))
        case ActionRequired(redirect_url=url):
            settle(attempt, PaymentAttempt.State.ACTION_REQUIRED, answer)
            back = attempt.request.get("return_url")
            intent.next_action = (
                {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": back}}
                if url
                else authentications.ask(caller, intent, return_url=back)
            )
            result = _finish(caller, intent, Status.REQUIRES_ACTION, "setup_intent.requires_action")
        case NotReached():
            result = _abandoned(intent, attempt)
        case NotFound():
            settle(attempt, PaymentAttempt.State.ABANDONED, answer)
            result = failed(caller, intent, errors.ProcessingError())
        case _:
            log.warning("payment_attempt_open", attempt=ids.encode(PREFIX, attempt.id), answer=type(answer).__name__)
            attempt.outcome = stored(answer)
            attempt.save(update_fields=["outcome"])
            result = intents.shape(caller, intent)
    failpoint("payments.attempt.recorded", attempt.kind)
    return result


def recorded(caller: Caller, intent: SetupIntent, attempt: PaymentAttempt) -> SetupIntentOut | Refused:
    """What a settled attempt answers to whoever asks again."""
    kept = {name: value for name, value in (attempt.outcome or {}).items() if name != "outcome"}
    if attempt.state == PaymentAttempt.State.DECLINED:
        return _refused(caller, intent, _error(Declined(**kept)))
    if failed_visibly(attempt):
        return _refused(caller, intent, errors.ProcessingError())
    return intents.shape(caller, intent)


def failed_visibly(attempt: PaymentAttempt) -> bool:
    """Whether this attempt never arrived and was recorded as a failed setup."""
    return (
        attempt.state == PaymentAttempt.State.ABANDONED and (attempt.outcome or {}).get("outcome") == NotFound.__name__
    )


def failed(caller: Caller, intent: SetupIntent, error: errors.CardError) -> Refused:
    """The setup did not succeed; another payment method can be tried. Publishes `setup_intent.setup_failed`."""
    method = payment_methods.as_data(caller, intent.payment_method_id)
    intent.last_setup_error = errors.last_setup_error(error, payment_method=method)
    intent.payment_method_id = intent.next_action = None
    action = Action.RESOLVE if intent.status == Status.PROCESSING else Action.AUTHENTICATE
    _finish(caller, intent, Status.REQUIRES_PAYMENT_METHOD, "setup_intent.setup_failed", action=action)
    return _refused(caller, intent, error)


def cancel_now(caller: Caller, intent: SetupIntent, *, reason: str | None) -> SetupIntentOut:
    """End an intent that is not with the processor. Publishes `setup_intent.canceled`."""
    intent.cancellation_reason = reason
    intent.canceled_at = caller.clock.business()
    intent.next_action = None
    return _finish(caller, intent, Status.CANCELED, "setup_intent.canceled", action=Action.CANCEL)


def _finish(
    caller: Caller, intent: SetupIntent, target: Status, event: str, *, action: Action = Action.RESOLVE
) -> SetupIntentOut:
    intent.status = move(intent.status, action, target).value
    intent.open_attempt_id = None
    intent.save()
    events.publish(caller, NewEvent(event, intents.shape(caller, intent, secret=False)))
    return intents.shape(caller, intent)


def _abandoned(intent: SetupIntent, attempt: PaymentAttempt) -> Refused:
    """The processor was not reached: the same request can be sent again."""
    settle(attempt, PaymentAttempt.State.ABANDONED, NotReached())
    before = Status(attempt.status_before)
    if before is Status.REQUIRES_PAYMENT_METHOD:
        before = setup_intent_state.initial(has_payment_method=True)  # the one the confirmation brought
    intent.status = before.value
    intent.open_attempt_id = None
    intent.save()
    return Refused(errors.PaymentProcessorUnavailable(), keep=False)


def _error(answer: Declined) -> errors.CardError:
    return errors.card_error(
        answer.code, decline_code=answer.decline_code, advice_code=answer.advice_code, message=answer.message
    )


def _refused(caller: Caller, intent: SetupIntent, error: errors.CardError) -> Refused:
    error.data["setup_intent"] = intents.as_data(caller, intent)
    return Refused(error)
