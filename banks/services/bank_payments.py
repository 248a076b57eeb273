"""Payments that a customer's bank makes at our request: opened, handed to one bank once, followed to their end.

Whoever asks for one names an attempt, and gets the same payment however often they ask. The payer then chooses a bank
on our page, and the order is handed in as everything goes to a bank: *claim* (`claim`, a lease on the row), *call*
(`send`, outside any transaction), *record* (`sent`). The lease makes two tabs one order. An order whose answer was lost
cannot be carried out, because its payer was never sent to the bank (`Connector.begin_payment`): it is given up, and the
payer may begin again with another one. From then on the bank's word counts, and its end is final.

An order that nobody agreed to within a day is *given up*: whoever asked for it is told that it failed. The bank still
has it, so we go on asking: should it be settled after all, the money must not go unnoticed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db.models import Q

from banks.clients.connector import ABSENT, ConnectorError, PaymentOrder, PaymentStarted, PaymentState, Psu
from banks.domain import bank_payment_state
from banks.domain.bank_payment_state import Status
from banks.domain.profiles import Operation
from banks.models import BankAccount, BankPayment, Connection, Institution
from banks.selectors import bank_payments as selectors
from banks.selectors import institutions
from banks.selectors.bank_payments import Standing
from banks.services import bank_calls, handles
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget
from connect.kit.failpoints import failpoint
from connect.kit.money import Money
from connect.kit.tenancy import use_environment

LIFETIME: Final = timedelta(hours=1)
"""How long the payer may take to choose a bank."""
AT_BANK: Final = timedelta(hours=24)
"""How long the bank may wait for its customer; an order that nobody agreed to by then is given up."""
WATCHED: Final = timedelta(days=30)
"""How long a bank is asked about an order that was given up, every `WATCH_PAUSE`; most banks end it before."""
WATCH_PAUSE: Final = timedelta(hours=6)
DEADLINE_SECONDS: Final = 5.0
LEASE: Final = timedelta(seconds=20)
"""Longer than the bank may take to answer, so that a lease that ran out means that nobody is at it any more."""
BATCH: Final = 100
_TABLE: Final = "banks_payment"
_EXPIRED: Final = "expired"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An order that is ours to send, in plain values."""

    payment_id: UUID
    institution: Institution
    order: PaymentOrder


# --- for whoever wants to be paid -------------------------------------------------------------------------------------


def open_payment(
    caller: Caller,
    *,
    attempt: str,
    amount: Money,
    creditor_name: str,
    creditor_iban: str,
    remittance: str,
    institution: str | None = None,
    account: str | None = None,
    return_path: str,
) -> Standing:
    """The payment that `attempt` asks for, made now unless it is there already. Nothing is asked of a bank yet.

    `institution` (`inst_…`) or `account` (`bka_…`, a linked account of the caller's) say with what the payer is going
    to pay; without them the payer chooses. `return_path` and the page's token are where they go in the end.
    """
    known = BankPayment.objects.one(attempt=attempt)
    if known is not None:
        return selectors.standing(known, now=clock.wall())
    now, identifier = clock.wall(), ids.new()
    linked = _linked(caller, account) if account else None
    bank = institutions.find(institution, livemode=caller.livemode) if institution else None
    secret = selectors.secret(caller.environment, identifier)
    token = selectors.token(caller.environment, identifier)
    row = BankPayment(
        id=identifier,
        account_id=caller.account,
        attempt=attempt,
        status=Status.CREATED.value,
        institution_id=linked[1].institution_id if linked else bank.id if bank else None,
        connection_id=linked[1].id if linked else None,
        bank_account_id=linked[0].id if linked else None,
        debtor_iban=linked[0].iban if linked else None,
        amount_minor=amount.minor,
        currency=amount.currency,
        creditor_name=creditor_name[:70],
        creditor_iban=creditor_iban,
        remittance=remittance[:140],
        end_to_end_id=_end_to_end_id(),
        secret_hash=selectors.hash_of(secret),
        return_url=f"{settings.FC_PUBLIC_URL.rstrip('/')}{return_path}{token}",
        check_at=now + LIFETIME,
        expires_at=now + LIFETIME,
        created_at=now,
    )
    row.save(force_insert=True)
    return selectors.standing(row, now=now)


def require_payable(caller: Caller, *, institution: str | None, account: str | None) -> None:
    """Raise `MissingParameterTarget` for a bank or a linked account that is not there for the caller."""
    if institution and institutions.find(institution, livemode=caller.livemode) is None:
        raise MissingParameterTarget(resource="banking.institution", id=institution, param="pay_by_bank[institution]")
    if account and _linked(caller, account) is None:
        raise MissingParameterTarget(resource="banking.account", id=account, param="pay_by_bank[account]")


def withdraw(attempt: str) -> bool:
    """End the payment that this attempt asked for, if its bank does not have it: in the transaction of whoever wants
    something else instead. False says that the bank has the order, or may have, or has carried it out.
    """
    row = BankPayment.objects.one(attempt=attempt, lock=True)
    if row is None or row.status in {Status.FAILED, Status.CANCELED}:
        return True
    if row.status != Status.CREATED or row.handle_sealed is not None or _is_claimed(row):
        return False
    _end(row, Status.CANCELED, failure="withdrawn")
    return True


def handed_over(attempt: str) -> None:
    """Whoever asked follows the payment from now on: our own job looks only after what was given up."""
    given_up = Q(status=Status.FAILED, failure=_EXPIRED, handle_sealed__isnull=False)
    BankPayment.objects.filter(~given_up, attempt=attempt).update(check_at=None)


# --- for the payer's page ---------------------------------------------------------------------------------------------


def claim(caller: Caller, *, payment_id: UUID, institution: Institution, address: str | None) -> Claimed | None:
    """Take the order on to send it to this bank; None when it is not to be sent: it was, or somebody is at it.

    The bank's way back carries a secret that is made here and kept as a hash.
    """
    row = BankPayment.objects.one(id=payment_id, lock=True)
    now = clock.wall()
    if row is None or row.status != Status.CREATED or row.handle_sealed is not None:
        return None
    if _is_claimed(row) or row.expires_at <= now:
        return None
    state = ids.base62(int.from_bytes(secrets.token_bytes(24), "big"), selectors.SECRET_LENGTH)
    if row.institution_id != institution.id:  # the account named before is not at this bank
        row.connection_id = row.bank_account_id = row.debtor_iban = None
    row.institution_id = institution.id
    row.state_hash = selectors.hash_of(state)
    row.end_to_end_id = _end_to_end_id()
    row.psu_address = address
    row.failure = row.failure_reason = None
    row.lease_until = now + LEASE
    row.save()
    back = f"{settings.FC_PUBLIC_URL.rstrip('/')}/pay"
    token = f"{caller.environment.short_id}.{state}"
    order = PaymentOrder(
        request_id=str(uuid4()),
        end_to_end_id=row.end_to_end_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        creditor_name=row.creditor_name,
        creditor_iban=row.creditor_iban,
        debtor_iban=row.debtor_iban,
        remittance=row.remittance,
        redirect_uri=f"{back}/back/{token}",
        refused_uri=f"{back}/refused/{token}",
    )
    return Claimed(row.id, institution, order)


def send(claimed: Claimed, psu: Psu) -> PaymentStarted | ConnectorError:
    """Hand the order in, outside of any transaction, once. What the bank refuses is an answer too."""
    failpoint("banks.payment.claimed")
    try:
        started = bank_calls.ask(
            claimed.institution,
            Operation.PAYMENTS,
            lambda connector, bank: connector.begin_payment(
                bank, claimed.order, psu, deadline_seconds=DEADLINE_SECONDS
            ),
            deadline_seconds=DEADLINE_SECONDS,
            present=psu.present,
        )
    except ConnectorError as refused:
        return refused
    failpoint("banks.payment.sent")
    return started


def sent(caller: Caller, claimed: Claimed, answer: PaymentStarted | ConnectorError) -> Standing:
    """Write down what the bank said to the order. One that was given up for another meanwhile changes nothing."""
    row = BankPayment.objects.one(id=claimed.payment_id, lock=True)
    assert row is not None, "bank payments are never deleted"
    now = clock.wall()
    if row.end_to_end_id == claimed.order.end_to_end_id and row.handle_sealed is None and row.status == Status.CREATED:
        row.lease_until = None
        if isinstance(answer, ConnectorError):
            row.failure, row.failure_reason = answer.kind.value, str(answer)[:140]
        else:
            row.handle_sealed = handles.seal(caller, _TABLE, "handle_sealed", row.id, answer.handle)
            row.bank_url, row.begun_at = answer.redirect_url, now
            _take_word(row, answer.status, answer.bank_status, None, now)
        row.save()
    return selectors.standing(row, now=now)


def give_up(*, payment_id: UUID) -> Standing:
    """The payer does not want to pay this way. Nothing changes once a bank has the order, or may have."""
    row = BankPayment.objects.one(id=payment_id, lock=True)
    assert row is not None
    if row.status == Status.CREATED and row.handle_sealed is None and not _is_claimed(row):
        _end(row, Status.CANCELED, failure="user_canceled")
    return selectors.standing(row, now=clock.wall())


def expire(*, payment_id: UUID) -> Standing:
    """End a payment for which nobody chose a bank in time; our job would do it, and the page need not wait for it."""
    row = BankPayment.objects.one(id=payment_id, lock=True)
    assert row is not None
    now = clock.wall()
    _expire(row, now)
    return selectors.standing(row, now=now)


# --- following it -----------------------------------------------------------------------------------------------------


def look(caller: Caller, payment_id: UUID, *, psu: Psu = ABSENT) -> Standing:
    """How the payment stands, after asking its bank; outside of any transaction. A silent bank changes nothing."""
    with use_environment(caller.environment):
        row = BankPayment.objects.one(id=payment_id)
        assert row is not None
        now = clock.wall()
        known = selectors.standing(row, now=now)
        if row.handle_sealed is None or row.institution_id is None or (known.is_over and not _is_given_up(row)):
            return known
        bank = institutions.by_id(row.institution_id)
        handle = handles.open(caller, _TABLE, "handle_sealed", row.id, bytes(row.handle_sealed))
    if bank is None:
        return known
    try:
        word = bank_calls.ask(
            bank,
            Operation.PAYMENTS,
            lambda connector, profile: connector.payment_state(profile, handle, psu, deadline_seconds=DEADLINE_SECONDS),
            deadline_seconds=DEADLINE_SECONDS,
            present=psu.present,
        )
    except ConnectorError as silent:
        log.info("bank_payment_unanswered", payment=str(payment_id), kind=silent.kind.value, code=silent.code)
        return known
    failpoint("banks.payment.asked")
    with use_environment(caller.environment):
        return _heard(payment_id, word)


def due(caller: Caller) -> Iterator[Standing]:
    """Each payment that has to be looked at, after its bank was asked, or its time was found to be over.

    Several jobs may run at once: each takes what no other holds.
    """
    for _ in range(BATCH):
        with use_environment(caller.environment):
            now = clock.wall()
            row = (
                BankPayment.objects.select_for_update(skip_locked=True)
                .filter(check_at__lte=now)
                .order_by("check_at")
                .first()
            )
            if row is None:
                return
            _expire(row, now)
            row.check_at = None if _is_watched_enough(row, now) else now + _pause(row, now)
            row.save(update_fields=["check_at"])
        yield look(caller, row.id)


def recheck_seconds(age_seconds: float) -> int:
    """How long to wait before a bank is asked again about an order this old: often at first, hourly in the end."""
    if age_seconds < 600:
        return 15
    return 300 if age_seconds < 86_400 else 3600


def _heard(payment_id: UUID, word: PaymentState) -> Standing:
    """Write down the bank's word about an order it has."""
    row = BankPayment.objects.one(id=payment_id, lock=True)
    assert row is not None
    now = clock.wall()
    _take_word(row, word.status, word.bank_status, word.reason, now)
    row.save()
    return selectors.standing(row, now=now)


def _take_word(row: BankPayment, status: Status, bank_status: str, reason: str | None, now: datetime) -> None:
    """An end that the bank told is final, whatever it says later; one that we assumed gives way to the bank's."""
    given_up = _is_given_up(row)
    if row.status in bank_payment_state.FINAL and not given_up:
        return
    row.bank_status = bank_status[:4]
    if given_up and status not in bank_payment_state.FINAL:
        return
    row.status = status.value
    row.failure = row.failure_reason = None
    if row.status == Status.REQUIRES_ACTION and row.begun_at is not None and row.begun_at + AT_BANK <= now:
        row.status, row.failure = Status.FAILED.value, _EXPIRED
    elif row.status == Status.FAILED:
        row.failure, row.failure_reason = "rejected", (reason or "")[:140] or None
    elif row.status == Status.CANCELED:
        row.failure = "user_canceled"
    if row.status in bank_payment_state.FINAL:
        row.ended_at = now
    if row.check_at is not None or _is_given_up(row):
        row.check_at = now + _pause(row, now)


def _end(row: BankPayment, status: Status, *, failure: str) -> None:
    row.status, row.failure, row.ended_at = status.value, failure, clock.wall()
    row.save()


def _expire(row: BankPayment, now: datetime) -> None:
    if row.handle_sealed is None and row.status == Status.CREATED and row.expires_at <= now and not _is_claimed(row):
        _end(row, Status.CANCELED, failure=_EXPIRED)


def _is_given_up(row: BankPayment) -> bool:
    """Whether we, and not its bank, ended an order that the bank has."""
    return row.status == Status.FAILED and row.failure == _EXPIRED and row.handle_sealed is not None


def _is_watched_enough(row: BankPayment, now: datetime) -> bool:
    return _is_given_up(row) and row.begun_at is not None and row.begun_at + WATCHED <= now


def _pause(row: BankPayment, now: datetime) -> timedelta:
    if _is_given_up(row):
        return WATCH_PAUSE
    return timedelta(seconds=recheck_seconds((now - (row.begun_at or now)).total_seconds()))


def _is_claimed(row: BankPayment) -> bool:
    return row.lease_until is not None and row.lease_until > clock.wall()


def _linked(caller: Caller, account: str) -> tuple[BankAccount, Connection] | None:
    found = BankAccount.objects.one(account_id=caller.account, id=ids.lookup("bka", account))
    owner = Connection.objects.one(id=found.connection_id) if found else None
    return (found, owner) if found and owner and owner.removed_at is None and found.status == "open" else None


def _end_to_end_id() -> str:
    """35 characters at most, letters and digits: what both sides find the order by."""
    return f"FC{secrets.token_hex(14).upper()}"
