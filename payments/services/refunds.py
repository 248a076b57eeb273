"""Refunds: give captured money back, in one piece or several, and never more than was captured.

As with payments, what needs the processor comes in halves: `begin_…` checks the rules, reserves the amount on the
charge and commits the attempt; the entry point calls the processor; `payment_outcomes.record` writes down what it said.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import structlog
from django.db.models import F

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import LockTimeout, MissingParameterTarget, ParameterInvalid, ParameterMissing, ResourceMissing
from connect.kit.metadata import merge
from connect.kit.money import Money
from connect.kit.outcomes import Refused, Waiting
from connect.selectors import test_clocks
from connect.services import audit, events
from payments.domain import errors, method_types
from payments.domain.refund_state import CANCELABLE
from payments.models import Charge, PaymentAttempt, PaymentIntent, Refund
from payments.selectors import payment_intents as intents
from payments.services import locks, payment_attempts, refund_outcomes
from payments.services.payment_attempts import NotBegun
from payments.services.processor_calls import PREFIX
from payments.shapes.payment_intents import PaymentIntentOut
from payments.shapes.refunds import RefundOut

log = structlog.get_logger(__name__)
_BOTH: Final = "One of the following params should be provided for this request: payment_intent or charge."


def begin_create(
    caller: Caller,
    *,
    charge: str | None = None,
    payment_intent: str | None = None,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Any = None,
) -> Waiting:
    """Reserve `amount` minor units (all that is left, without it) on a charge, and commit the attempt to refund them.

    Raises `ParameterMissing`, `MissingParameterTarget`, `NoChargeToRefund`, `ChargeNotRefundable`,
    `ChargeAlreadyRefunded`, `RefundTooLarge`, and `RefundByBankTransfer` for a payment by bank.
    """
    intent, found = _target(caller, charge, payment_intent)
    caller = test_clocks.at(caller, intent.test_clock_id)
    if found.processor == method_types.PAY_BY_BANK:
        raise errors.RefundByBankTransfer(charge=ids.encode("ch", found.id), param="charge")
    wanted = _reserve(found, amount)
    audit.record_person(
        caller,
        action="payment.refunded",
        target=ids.encode("pi", intent.id),
        amount_minor=wanted,
        currency=intent.currency,
        reason=reason,
    )
    plan = {
        "refund_id": str(ids.new()),
        "reason": reason,
        "metadata": merge({}, metadata) if metadata else {},
        "whole": amount is None,
    }
    return payment_attempts.begin_on_charge(
        caller,
        intent,
        found,
        PaymentAttempt.Kind.REFUND,
        {"amount_minor": wanted, "capture": found.processor_reference, "reason": reason},
        plan=plan,
    )


def begin_cancel(caller: Caller, *, refund_id: str) -> Waiting:
    """Commit an attempt to stop a refund that is not done yet. Raises `ResourceMissing`, `RefundNotCancelable`, and
    `LockTimeout` while another attempt to stop it is under way.
    """
    intent, refund = _locked(caller, refund_id)
    caller = test_clocks.at(caller, refund.test_clock_id)
    if refund.status not in CANCELABLE:
        raise errors.RefundNotCancelable(status=refund.status, allowed=", ".join(CANCELABLE))
    if refund.cancel_attempt_id is not None:
        raise LockTimeout
    waiting = payment_attempts.begin_on_charge(
        caller,
        intent,
        locks.charge(refund.charge_id),
        PaymentAttempt.Kind.CANCEL_REFUND,
        {
            "amount_minor": refund.amount_minor,
            "refund": ids.encode(PREFIX, refund.attempt_id),
        },
        plan={"refund_id": str(refund.id)},
    )
    refund.cancel_attempt_id = waiting.call.attempt_id
    refund.save(update_fields=["cancel_attempt_id"])
    return waiting


def resume(caller: Caller, attempt_id: str) -> RefundOut | PaymentIntentOut | Refused | Waiting:
    """Take up a request whose answer never came; one that had no effect is begun again by the rules of today."""
    found = payment_attempts.resume(caller, attempt_id)
    if not isinstance(found, NotBegun):
        return found
    if found.kind == PaymentAttempt.Kind.CANCEL_REFUND:
        return begin_cancel(caller, refund_id=ids.encode("re", UUID(found.plan["refund_id"])))
    return begin_create(
        caller,
        charge=ids.encode("ch", found.charge_id),
        amount=None if found.plan["whole"] else found.request["amount_minor"],
        reason=found.plan["reason"],
        metadata=found.plan["metadata"],
    )


def update(caller: Caller, *, refund_id: str, metadata: Any = None) -> RefundOut:
    """Change a refund's metadata. Publishes `refund.updated` and `charge.refund.updated`. Raises `ResourceMissing`."""
    _, refund = _locked(caller, refund_id)
    caller = test_clocks.at(caller, refund.test_clock_id)
    before = refund_outcomes.shape(caller, refund)
    refund.metadata = merge(refund.metadata, metadata)
    refund.save(update_fields=["metadata"])
    after = refund_outcomes.shape(caller, refund)
    names = ("charge.refund.updated", "refund.updated")
    events.publish(caller, *(events.updated(name, before=before, after=after) for name in names))
    return after


def _target(caller: Caller, charge_id: str | None, intent_id: str | None) -> tuple[PaymentIntent, Charge]:
    """The charge that is meant and its intent, both locked, the intent first."""
    if charge_id is None and intent_id is None:
        raise ParameterMissing(_BOTH, param="payment_intent")
    if charge_id is not None:
        known = Charge.objects.filter(account_id=caller.account, pk=ids.lookup("ch", charge_id)).first()
        if known is None:
            raise MissingParameterTarget(resource="charge", id=charge_id, param="charge")
        owner = ids.encode("pi", known.payment_intent_id)
        if intent_id is not None and intent_id != owner:
            raise ParameterInvalid(
                f"The charge {charge_id} does not belong to the PaymentIntent {intent_id}. Send one of the two.",
                param="charge",
            )
        return locks.payment_intent(caller, owner), locks.charge(known.id)
    try:
        intent = locks.payment_intent(caller, intent_id or "")
    except ResourceMissing as missing:
        raise MissingParameterTarget(resource="payment_intent", id=intent_id or "", param="payment_intent") from missing
    charge = locks.charge(intent.latest_charge_id) if intent.latest_charge_id else None
    if charge is None or not charge.paid:
        raise errors.NoChargeToRefund(
            id=intent_id, param="payment_intent", payment_intent=intents.as_data(caller, intent)
        )
    return intent, charge


def _reserve(charge: Charge, amount: int | None) -> int:
    """Set an amount aside on a charge, so that no two refunds together can exceed what was captured. Returns it."""
    name = ids.encode("ch", charge.id)
    if not charge.amount_captured_minor:
        raise errors.ChargeNotRefundable(charge=name, param="charge")
    left = charge.amount_captured_minor - charge.amount_refunded_minor - charge.amount_refunding_minor
    if left == 0:
        raise errors.ChargeAlreadyRefunded(charge=name)
    wanted = left if amount is None else amount
    reserved = Charge.objects.filter(
        pk=charge.id, amount_captured_minor__gte=F("amount_refunded_minor") + F("amount_refunding_minor") + wanted
    ).update(amount_refunding_minor=F("amount_refunding_minor") + wanted)
    if not reserved:
        raise errors.RefundTooLarge(
            amount=Money(wanted, charge.currency),
            unrefunded=Money(left, charge.currency),
            maximum=Money(left, charge.currency),
            param="amount",
        )
    return wanted


def _locked(caller: Caller, refund_id: str) -> tuple[PaymentIntent, Refund]:
    """The caller's refund and its intent, both locked, the intent first. Raises `ResourceMissing`."""
    known = Refund.objects.one(account_id=caller.account, id=ids.lookup("re", refund_id))
    if known is None:
        raise ResourceMissing(resource="refund", id=refund_id, param="id")
    intent = locks.payment_intent(caller, ids.encode("pi", known.payment_intent_id))
    refund = locks.refund(caller, known.id)
    assert refund is not None
    return intent, refund
