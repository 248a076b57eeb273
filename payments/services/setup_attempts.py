"""Attempts to set up a payment method: claim, call, record, as for payments, and without any money.

`payment_attempts` has the parts that both share, the sweeper among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.outcomes import Refused, Waiting
from connect.services import idempotency
from payments import clients
from payments.domain.setup_intent_state import Action, Status, Usage, move
from payments.models import PaymentAttempt, PaymentMethod, SetupIntent
from payments.selectors import setup_intents as intents
from payments.services import locks, payment_attempts, setup_outcomes
from payments.services.processor_calls import PREFIX
from payments.shapes.setup_intents import SetupIntentOut


@dataclass(frozen=True, slots=True)
class NotBegun:
    """An interrupted request that had no effect: it has to be begun again, by the rules as they are now."""

    intent_id: str
    return_url: str | None


def begin(
    caller: Caller,
    intent: SetupIntent,
    method: PaymentMethod,
    *,
    return_url: str | None,
    authenticated: bool = False,
    new: bool = False,
) -> Waiting:
    """Commit an attempt to set the method up; the intent is `processing` until it is recorded.

    `authenticated` says that the payer has just agreed. `new` says that the intent has no row yet.
    """
    identifier = ids.new()
    attempt = PaymentAttempt.objects.create(
        id=identifier,
        account_id=intent.account_id,
        setup_intent_id=intent.id,
        kind=PaymentAttempt.Kind.SET_UP,
        processor=clients.name_for(livemode=caller.livemode),
        request={
            "attempt_id": ids.encode(PREFIX, identifier),
            "livemode": caller.livemode,
            "instrument": (method.card or {}).get("test_token") or "",
            "off_session": intent.usage == Usage.OFF_SESSION,
            "authentication": "authenticated" if authenticated else None,
            "return_url": return_url,
            "ask_authentication": payment_attempts.asks_authentication(intent.payment_method_options),
        },
        status_before=intent.status,
        lease_until=clock.wall() + timedelta(seconds=idempotency.lease_seconds()),
        created_at=caller.clock.business(),
    )
    action = Action.AUTHENTICATE if authenticated else Action.CONFIRM
    intent.status = move(intent.status, action, Status.PROCESSING).value
    intent.payment_method_id = method.id
    intent.last_setup_error = None
    intent.open_attempt_id = attempt.id
    intent.save(force_insert=new)
    return payment_attempts.waiting_for(attempt, keep_for=intent.customer_id)


def resume(caller: Caller, attempt_id: str) -> SetupIntentOut | Refused | Waiting | NotBegun:
    """What an interrupted request left behind: its recorded end, the question still to be asked, or nothing at all.

    While another holds the attempt's lease the answer is the intent as it is: somebody is settling it.
    """
    identifier = ids.decode(PREFIX, attempt_id)
    if identifier is None:
        raise ValueError(f"{attempt_id!r} is not an attempt")
    intent, attempt = locks.setup_attempt(caller, identifier)
    if attempt.state == PaymentAttempt.State.ABANDONED and not setup_outcomes.failed_visibly(attempt):
        return NotBegun(ids.encode("seti", intent.id), attempt.request["return_url"])
    if attempt.state != PaymentAttempt.State.OPEN:
        return setup_outcomes.recorded(caller, intent, attempt)
    if attempt.lease_until > clock.wall():
        return intents.shape(caller, intent)
    payment_attempts.lease(attempt)
    return payment_attempts.waiting_for(attempt, keep_for=intent.customer_id, ask_first=True)
