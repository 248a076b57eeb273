"""Charges: what a processor answered, written down together with its postings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.metadata import merge
from connect.kit.money import Money
from connect.selectors import test_clocks
from connect.services import events
from payments.clients.processor import Approved, Declined
from payments.domain import charge_details, method_types
from payments.domain.cards import CardDetails
from payments.models import Charge, PaymentAttempt, PaymentIntent, PaymentMethod
from payments.services import books, payment_methods
from payments.shapes import charges as shapes
from payments.shapes import payment_methods as method_shapes
from payments.shapes.charges import ChargeOut

_UPDATABLE = ("description", "receipt_email", "shipping", "transfer_group")


def approved(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Approved) -> Charge:
    """A charge the issuer approved: taken (posted, with its balance transaction) or held (a hold in the ledger)."""
    charge, method = _of_attempt(caller, intent, attempt)
    held_until = None
    if not answer.captured:
        held_until = caller.clock.business() + timedelta(seconds=answer.hold_seconds or 0)
    charge.status, charge.paid, charge.captured = "succeeded", True, answer.captured
    charge.processor_reference = answer.reference
    charge.capture_before = held_until
    charge.outcome = charge_details.approved_outcome(risk_level=answer.risk_level, risk_score=answer.risk_score)
    if method.type == method_types.PAY_BY_BANK:
        charge.payment_method_details = _bank_details(answer)
    else:
        charge.payment_method_details = charge_details.card_details(
            CardDetails.from_stored(method.card),
            amount_authorized_minor=charge.amount_minor,
            authorization_code=answer.authorization_code,
            network_transaction_id=answer.network_transaction_id,
            capture_before=int(held_until.timestamp()) if held_until else None,
            cvc_check=answer.cvc_check,
            authenticated=answer.authenticated,
        )
    amount = Money(charge.amount_minor, charge.currency)
    if answer.captured:
        charge.amount_captured_minor = charge.amount_minor
        charge.balance_transaction_id = books.take(caller, charge, amount, at_once=answer.settles_at_once)
    else:
        charge.hold_id = books.hold(caller, charge, amount)
    charge.save(force_insert=True)
    return charge


def declined(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt, answer: Declined) -> Charge:
    """A charge that failed: nothing is posted."""
    charge, method = _of_attempt(caller, intent, attempt)
    charge.status = "failed"
    charge.processor_reference = answer.reference
    charge.failure_code, charge.failure_message = answer.code, answer.message
    charge.outcome = charge_details.declined_outcome(
        answer.decline_code,
        code=answer.code,
        blocked=answer.blocked,
        risk_level=answer.risk_level,
        risk_score=answer.risk_score,
    )
    if method.type == method_types.PAY_BY_BANK:
        charge.payment_method_details = _bank_details(answer)
    else:
        charge.payment_method_details = charge_details.card_details(
            CardDetails.from_stored(method.card), amount_authorized_minor=None, cvc_check=answer.cvc_check
        )
    charge.save(force_insert=True)
    return charge


def captured(caller: Caller, charge: Charge, amount: Money, *, final: bool, settles_at_once: bool) -> Charge:
    """Take part of a held charge, already locked. The final capture releases the rest."""
    transaction_id = books.capture(caller, charge, amount, final=final, at_once=settles_at_once)
    charge.amount_captured_minor += amount.minor
    charge.captured = final
    charge.refunded = final and charge.amount_refunded_minor == charge.amount_captured_minor
    charge.balance_transaction_id = charge.balance_transaction_id or transaction_id
    charge.save()
    return charge


def released(caller: Caller, charge: Charge, *, reason: str) -> Charge:
    """Let go of what a charge, already locked, still holds; `reason` is `canceled` or `expired`."""
    books.release(caller, charge, reason=reason)
    charge.refunded = charge.amount_captured_minor == charge.amount_refunded_minor
    charge.captured = charge.amount_captured_minor > 0
    charge.save()
    return charge


def incremented(caller: Caller, charge: Charge, total: Money, *, attempt: str) -> Charge:
    """Hold `total` from now on, for a charge that is locked; nothing of it was captured."""
    charge.hold_id = books.increment(caller, charge, total, attempt=attempt)
    charge.amount_minor = total.minor
    charge.payment_method_details = charge_details.incremented(
        charge.payment_method_details, amount_authorized_minor=total.minor
    )
    charge.save()
    return charge


def note_refunded(charge: Charge, change_minor: int) -> Charge:
    """Add to (or take from) what is refunded of a charge, already locked."""
    charge.amount_refunded_minor += change_minor
    charge.refunded = charge.captured and charge.amount_refunded_minor == charge.amount_captured_minor
    charge.save()
    return charge


def update(caller: Caller, *, charge_id: str, **given: Any) -> ChargeOut:
    """Change a charge's words and metadata. Publishes `charge.updated`. Raises `ResourceMissing`."""
    charge = (
        Charge.objects.select_for_update().filter(account_id=caller.account, pk=ids.lookup("ch", charge_id)).first()
    )
    if charge is None:
        raise ResourceMissing(resource="charge", id=charge_id, param="charge")
    caller = test_clocks.at(caller, charge.test_clock_id)
    before = shape(caller, charge)
    for name in _UPDATABLE:
        if name in given:
            setattr(charge, name, given[name])
    if "metadata" in given:
        charge.metadata = merge(charge.metadata, given["metadata"])
    charge.save()
    after = shape(caller, charge)
    events.publish(caller, events.updated("charge.updated", before=before, after=after))
    return after


def shape(caller: Caller, charge: Charge) -> ChargeOut:
    """The charge on the wire."""
    return shapes.render(charge, livemode=caller.livemode)


def method_data(caller: Caller, charge: Charge) -> dict[str, Any]:
    """The payment method a charge was tried with, as plain data for `last_payment_error`."""
    method = payment_methods.load(charge.payment_method_id)
    return msgspec.to_builtins(method_shapes.render(method, livemode=caller.livemode))


def _bank_details(answer: Approved | Declined) -> dict[str, Any]:
    return charge_details.bank_details(bank_name=answer.bank_name, last4=answer.account_last4)


def _of_attempt(caller: Caller, intent: PaymentIntent, attempt: PaymentAttempt) -> tuple[Charge, PaymentMethod]:
    """A new charge, not saved, with what it takes over from its intent and method."""
    method = payment_methods.load(intent.payment_method_id)
    charge = Charge(
        id=attempt.charge_id,
        account_id=intent.account_id,
        test_clock_id=intent.test_clock_id,
        payment_intent_id=intent.id,
        customer_id=intent.customer_id,
        payment_method_id=method.id,
        amount_minor=attempt.request["amount_minor"],
        currency=intent.currency,
        billing_details=method.billing_details,
        processor=attempt.processor,
        receipt_email=intent.receipt_email,
        statement_descriptor=intent.statement_descriptor,
        statement_descriptor_suffix=intent.statement_descriptor_suffix,
        description=intent.description,
        transfer_group=intent.transfer_group,
        shipping=intent.shipping,
        metadata=intent.metadata,
        created_at=caller.clock.business(),
    )
    return charge, method
