"""What each payment event does to the ledger, as plain data: credit +, debit −, sums to zero.

    authorize   hold       processor:<name>:clearing → <owner>:pending          A
    capture     of a hold  processor:<name>:clearing → <owner>:pending          A, and <owner>:pending → fees F
    capture     at once    processor:<name>:clearing −A, <owner>:pending +(A−F), fees:processor +F
    settle                 <owner>:pending → <owner>:available                  A−F
    increment   hold       the old hold is voided, one for the new total placed
    refund                 <owner>:available → processor:<name>:clearing        A
    refund that failed     processor:<name>:clearing → <owner>:available        A

A refund comes out of what is available, also while its charge is still pending: the balance may then fall below zero
until the charge settles. The fee of the payment is not given back.

Every path ends in the currency. `<owner>` is `platform` or a connected account's public id. Keys name the business
event, so that whoever posts it twice posts it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from connect.kit.caller import PLATFORM_ACCOUNT
from connect.kit.ids import encode
from connect.kit.money import Money
from ledger.domain.accounts import AccountSpec, system_path
from ledger.domain.postings import Line, Posting, credit, debit

PLATFORM: Final = "platform"
STRIPES: Final = 16
"""Every payment of an environment touches clearing and fees: they are split so that payments do not wait in line."""


@dataclass(frozen=True, slots=True)
class HoldPlan:
    """A hold to place: `amount` promised from `source` to `destination`.

    It has no expiry of its own: the processor's hold decides, and payments captures or releases this one after it.
    """

    idempotency_key: str
    source: AccountSpec
    destination: AccountSpec
    amount: Money
    reference: str


@dataclass(frozen=True, slots=True)
class HoldCapture:
    """What to post from a hold: `amount` from its source to its destination, with `further_lines` that sum to zero.

    `final` releases what is left of the hold.
    """

    kind: str
    idempotency_key: str
    amount: Money
    final: bool
    further_lines: tuple[Line, ...]
    reference: str
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class HoldRelease:
    """A hold to let go of: whatever is still open in it."""

    reason: str
    reference: str


# --- accounts ---


def owner_segment(account: UUID) -> str:
    """The first segment of an account's paths: `platform`, or `acct_…` for a connected account."""
    return PLATFORM if account == PLATFORM_ACCOUNT else encode("acct", account)


def pending(account: UUID, currency: str) -> AccountSpec:
    """What was captured for `account` and is not settled yet. We owe it: it grows on the credit side, without floor."""
    return AccountSpec(system_path(owner_segment(account), "pending", currency), currency, "credit", owner=account)


def available(account: UUID, currency: str) -> AccountSpec:
    """What `account` can be paid out. No floor: a refund may take it below zero, and then the account owes us."""
    return AccountSpec(system_path(owner_segment(account), "available", currency), currency, "credit", owner=account)


def clearing(processor: str, currency: str) -> AccountSpec:
    """What the processor has taken for us and not paid over. It owes us: it grows on the debit side, striped."""
    return AccountSpec(system_path("processor", processor, "clearing", currency), currency, "debit", stripes=STRIPES)


def processor_fees(currency: str) -> AccountSpec:
    """What processing has cost, over all processors. It grows on the credit side as it is kept back, striped."""
    return AccountSpec(system_path("fees", "processor", currency), currency, "credit", stripes=STRIPES)


# --- postings; `charge` is the charge's public id ---


def capture_key(charge: str, number: int) -> str:
    """The key of a charge's capture; captures of a charge are numbered from 1."""
    if number < 1:
        raise ValueError("captures are numbered from 1")
    return f"charge:{charge}:capture:{number}"


def for_authorization(*, charge: str, account: UUID, processor: str, amount: Money) -> HoldPlan:
    """The hold of an approved authorization: nothing is posted, `amount` is promised to the merchant's pending."""
    return HoldPlan(
        idempotency_key=f"charge:{charge}:authorization",
        source=clearing(processor, amount.currency),
        destination=pending(account, amount.currency),
        amount=amount,
        reference=charge,
    )


def for_increment(*, charge: str, account: UUID, processor: str, total: Money, attempt: str) -> HoldPlan:
    """The hold that takes the place of the former one: the whole of what is authorized now."""
    return HoldPlan(
        idempotency_key=f"charge:{charge}:increment:{attempt}",
        source=clearing(processor, total.currency),
        destination=pending(account, total.currency),
        amount=total,
        reference=charge,
    )


def for_refund(*, refund: str, account: UUID, processor: str, amount: Money, effective_at: datetime) -> Posting:
    """Captured money goes back to the payer, out of what the merchant has available. `refund` is its public id."""
    return Posting(
        kind="charge.refund",
        idempotency_key=f"refund:{refund}",
        lines=(
            debit(available(account, amount.currency), amount),
            credit(clearing(processor, amount.currency), amount),
        ),
        reference=refund,
        effective_at=effective_at,
    )


def for_refund_return(*, refund: str, account: UUID, processor: str, amount: Money, effective_at: datetime) -> Posting:
    """A refund that failed or was canceled: its amount comes back, once."""
    return Posting(
        kind="charge.refund.return",
        idempotency_key=f"refund:{refund}:return",
        lines=(
            debit(clearing(processor, amount.currency), amount),
            credit(available(account, amount.currency), amount),
        ),
        reference=refund,
        effective_at=effective_at,
    )


def for_hold_capture(
    *, charge: str, account: UUID, amount: Money, fee: Money, number: int, final: bool, effective_at: datetime
) -> HoldCapture:
    """A capture of a hold: the ledger posts `amount` from the hold, and the fee leaves the merchant's pending again."""
    _check(amount, fee)
    lines = (debit(pending(account, fee.currency), fee), credit(processor_fees(fee.currency), fee)) if fee else ()
    return HoldCapture(
        kind="charge.capture",
        idempotency_key=capture_key(charge, number),
        amount=amount,
        final=final,
        further_lines=lines,
        reference=charge,
        effective_at=effective_at,
    )


def for_capture(
    *, charge: str, account: UUID, processor: str, amount: Money, fee: Money, effective_at: datetime
) -> Posting:
    """A payment taken at once, without a hold before it: the whole posting. It is the charge's capture number 1."""
    _check(amount, fee)
    currency, net = amount.currency, amount - fee
    lines = [debit(clearing(processor, currency), amount)]
    if net:
        lines.append(credit(pending(account, currency), net))
    if fee:
        lines.append(credit(processor_fees(currency), fee))
    return Posting(
        kind="charge.capture",
        idempotency_key=capture_key(charge, 1),
        lines=tuple(lines),
        reference=charge,
        effective_at=effective_at,
    )


def for_settlement(*, charge: str, account: UUID, net: Money, key: str, effective_at: datetime) -> Posting:
    """What a capture left after its fee becomes available, at its `available_on`. `net` is positive.

    `key` is the public id of the balance transaction, which is settled once.
    """
    return Posting(
        kind="charge.settlement",
        idempotency_key=f"settlement:{key}",
        lines=(debit(pending(account, net.currency), net), credit(available(account, net.currency), net)),
        reference=charge,
        effective_at=effective_at,
    )


def for_release(*, charge: str, reason: str) -> HoldRelease:
    """The release of a hold, for `reason` (`canceled` or `expired`): no money moves."""
    return HoldRelease(reason=reason, reference=charge)


def _check(amount: Money, fee: Money) -> None:
    """A capture is positive and its fee, in the same currency, lies between nothing and the whole of it."""
    if amount.minor <= 0 or fee.minor < 0 or not fee <= amount:
        raise ValueError(f"a fee of {fee} cannot be taken of {amount}")
