"""What a payment does to the books: ledger postings and holds, and the balance transaction that makes them readable.

`payments.domain.postings` says what is moved; here it is posted, in the transaction that records the charge.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.money import Money
from ledger.services import holds, journal
from payments.domain import fees, postings
from payments.models import BalanceTransaction, Charge, Refund


def take(caller: Caller, charge: Charge, amount: Money, *, at_once: bool) -> UUID:
    """Post a charge that was taken without a hold. Returns its balance transaction's id."""
    charge_id = ids.encode("ch", charge.id)
    fee = fees.fee_of(amount, processor=charge.processor)
    now = caller.clock.business()
    posting = postings.for_capture(
        charge=charge_id,
        account=charge.account_id,
        processor=charge.processor,
        amount=amount,
        fee=fee,
        effective_at=now,
    )
    journal.post(caller, posting)
    return _balance_transaction(caller, charge, amount, fee, at=now, at_once=at_once)


def hold(caller: Caller, charge: Charge, amount: Money) -> UUID:
    """Set aside what a charge holds. Returns the hold's id."""
    plan = postings.for_authorization(
        charge=ids.encode("ch", charge.id), account=charge.account_id, processor=charge.processor, amount=amount
    )
    placed = holds.place(
        caller,
        source=plan.source,
        destination=plan.destination,
        amount=plan.amount,
        idempotency_key=plan.idempotency_key,
        reference=plan.reference,
    )
    return placed.id


def capture(caller: Caller, charge: Charge, amount: Money, *, final: bool, at_once: bool) -> UUID:
    """Post part of what a charge holds. Returns the balance transaction's id of this capture."""
    charge_id = ids.encode("ch", charge.id)
    before = Money(charge.amount_captured_minor, charge.currency)
    fee = fees.fee_of_capture(amount, captured_before=before)
    now = caller.clock.business()
    number = captures_of(charge) + 1
    plan = postings.for_hold_capture(
        charge=charge_id,
        account=charge.account_id,
        amount=amount,
        fee=fee,
        number=number,
        final=final,
        effective_at=now,
    )
    holds.post(
        caller,
        hold_id=_hold_of(charge),
        idempotency_key=plan.idempotency_key,
        amount=plan.amount.minor,
        final=plan.final,
        kind=plan.kind,
        lines=plan.further_lines,
        reference=plan.reference,
        effective_at=plan.effective_at,
    )
    return _balance_transaction(caller, charge, amount, fee, at=now, at_once=at_once)


def increment(caller: Caller, charge: Charge, total: Money, *, attempt: str) -> UUID:
    """Hold `total` instead of what a charge holds, which nothing was posted from yet. Returns the new hold's id.

    The old hold is voided in the same transaction, so that one charge never has two that are open.
    """
    plan = postings.for_increment(
        charge=ids.encode("ch", charge.id),
        account=charge.account_id,
        processor=charge.processor,
        total=total,
        attempt=attempt,
    )
    placed = holds.place(
        caller,
        source=plan.source,
        destination=plan.destination,
        amount=plan.amount,
        idempotency_key=plan.idempotency_key,
        reference=plan.reference,
    )
    holds.void(caller, hold_id=_hold_of(charge), reason="incremented")
    return placed.id


def refund(caller: Caller, charge: Charge, refund: Refund) -> UUID:
    """Post a refund: it leaves what is available. Returns its balance transaction's id."""
    posting = postings.for_refund(**_of_refund(caller, charge, refund))
    journal.post(caller, posting)
    return _refund_line(caller, refund, "refund", -refund.amount_minor)


def return_refund(caller: Caller, charge: Charge, refund: Refund) -> UUID:
    """Post the return of a refund that failed or was canceled. Returns its balance transaction's id."""
    journal.post(caller, postings.for_refund_return(**_of_refund(caller, charge, refund)))
    return _refund_line(caller, refund, "refund_failure", refund.amount_minor)


def _of_refund(caller: Caller, charge: Charge, refund: Refund) -> dict[str, Any]:
    return {
        "refund": ids.encode("re", refund.id),
        "account": refund.account_id,
        "processor": charge.processor,
        "amount": Money(refund.amount_minor, refund.currency),
        "effective_at": caller.clock.business(),
    }


def _refund_line(caller: Caller, refund: Refund, kind: str, amount_minor: int) -> UUID:
    now = caller.clock.business()
    row = BalanceTransaction(
        account_id=refund.account_id,
        test_clock_id=refund.test_clock_id,
        type=kind,
        reporting_category=kind,
        amount_minor=amount_minor,
        fee_minor=0,
        net_minor=amount_minor,
        currency=refund.currency,
        status=BalanceTransaction.Status.AVAILABLE,
        available_on=now,
        source_id=ids.encode("re", refund.id),
        created_at=now,
    )
    row.save(force_insert=True)
    return row.id


def captures_of(charge: Charge) -> int:
    """How often a charge was captured."""
    return BalanceTransaction.objects.filter(source_id=ids.encode("ch", charge.id)).count()


def release(caller: Caller, charge: Charge, *, reason: str) -> None:
    """Let go of what a charge still holds; `reason` is `canceled` or `expired`."""
    plan = postings.for_release(charge=ids.encode("ch", charge.id), reason=reason)
    holds.void(caller, hold_id=_hold_of(charge), reason=plan.reason)


def _hold_of(charge: Charge) -> UUID:
    if charge.hold_id is None:
        raise ValueError(f"charge {charge.id} holds nothing")
    return charge.hold_id


def _balance_transaction(
    caller: Caller, charge: Charge, amount: Money, fee: Money, *, at: datetime, at_once: bool
) -> UUID:
    """The readable line of a capture. Money that is available at once is settled at once."""
    row = BalanceTransaction(
        account_id=charge.account_id,
        test_clock_id=charge.test_clock_id,
        type="charge",
        reporting_category="charge",
        amount_minor=amount.minor,
        fee_minor=fee.minor,
        net_minor=amount.minor - fee.minor,
        currency=amount.currency,
        status=BalanceTransaction.Status.PENDING,
        available_on=fees.available_on(at, at_once=at_once),
        source_id=ids.encode("ch", charge.id),
        description=charge.description,
        fee_details=fees.fee_details(fee),
        created_at=at,
    )
    if at_once:
        settle(caller, [row])
    row.save(force_insert=True)
    return row.id


def settle(caller: Caller, rows: list[BalanceTransaction]) -> None:
    """Move what `rows` left from pending to available: one posting each, one round trip for all. Does not save."""
    moving = [row for row in rows if row.net_minor > 0]
    journal.post_many(
        caller,
        [
            postings.for_settlement(
                charge=row.source_id,
                account=row.account_id,
                net=Money(row.net_minor, row.currency),
                key=ids.encode("txn", row.id),
                effective_at=row.available_on,
            )
            for row in moving
        ],
    )
    for row in rows:
        row.status = BalanceTransaction.Status.AVAILABLE
