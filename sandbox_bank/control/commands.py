"""What the control can do. Each takes the fields of its JSON body and answers with what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from sandbox_bank import authorisations, clock, consents, data, entries, faults, money, payments
from sandbox_bank.models import Account, Authorisation, Call, Consent, Customer, Entry, Fault, Payment

WIRE = {
    "transactionId": "transaction_id", "entryReference": "entry_reference", "endToEndId": "end_to_end_id",
    "bookingDate": "booking_date", "valueDate": "value_date", "counterparty": "counterparty",
    "counterpartyIban": "counterparty_iban", "remittance": "remittance", "reference": "reference",
    "purposeCode": "purpose_code", "bankCode": "bank_code", "exchange": "exchange", "shown": "shown",
}  # fmt: skip
SWITCHES: dict[str, type] = {
    "page_size": int, "max_consent_days": int, "calls_per_day": int, "expire_former_consents": bool,
    "new_resource_ids": bool,
}  # fmt: skip
FAULT_MAX = 1_000_000
"""Calls or seconds: enough to try anything, and no number that the database cannot keep."""
OFFSET_MAX = 10 * 366 * 86_400
"""Beyond it days run out of the calendar, and with them every page of the bank."""


class Wrong(Exception):
    """The control was asked for something that is not there or makes no sense."""


def reset() -> dict[str, Any]:
    """The bank as it was when nothing had happened."""
    data.reset()
    return {"today": clock.today().isoformat()}


def set_clock(*, frozen_at: str | None = None, offset_seconds: int = 0) -> dict[str, Any]:
    """Stop the clock at a moment (`2027-01-31T12:00:00Z`), or let it run so much ahead (or behind)."""
    moment = None
    if frozen_at:
        moment = datetime.fromisoformat(frozen_at)
        if moment.tzinfo is None:
            raise Wrong("frozen_at needs its time zone: 2027-01-31T12:00:00Z.")
    if abs(offset_seconds) > OFFSET_MAX:
        raise Wrong(f"offset_seconds is at most {OFFSET_MAX}, ten years, ahead or behind.")
    row = clock.bank()
    row.frozen_at, row.offset_seconds = moment, offset_seconds
    row.save()
    return {"now": clock.now().isoformat()}


def set_switches(**switches: Any) -> dict[str, Any]:
    """How the bank behaves in general; answers with all switches."""
    row = clock.bank()
    for name, value in switches.items():
        if type(value) is not SWITCHES.get(name):
            raise Wrong(f"{name} is no switch, or its value is of the wrong type. Switches: {', '.join(SWITCHES)}.")
        setattr(row, name, value)
    row.save()
    return {name: getattr(row, name) for name in SWITCHES}


def misbehave(
    *, kind: str, endpoint: str = "", times: int | None = None, seconds: float | None = None, **details: Any
) -> dict[str, Any]:
    """Begin to misbehave, until told otherwise, for `times` calls or for `seconds`."""
    if kind not in faults.KINDS:
        raise Wrong(f"kind is one of {', '.join(faults.KINDS)}.")
    if any(value is not None and not 0 <= value <= FAULT_MAX for value in (times, seconds)):
        raise Wrong(f"times and seconds are at most {FAULT_MAX}, and not negative.")
    return {"fault": faults.set_up(kind, endpoint=endpoint, times=times, seconds=seconds, details=details).pk}


def behave(*, kind: str = "") -> dict[str, Any]:
    """Stop misbehaving; in one way, or altogether."""
    found = Fault.objects.filter(kind=kind) if kind else Fault.objects.all()
    return {"removed": found.delete()[0]}


@transaction.atomic
def add_transaction(
    *, account: str, amount: str, pending: bool = False, copies: int = 1, **columns: Any
) -> dict[str, Any]:
    """Write a line. `shown` holds fields that replace what is shown, whatever they are: `{"transactionId": ""}`."""
    minor, found = _minor(amount), account_of(account)
    made = [entries.add(found, amount=minor, pending=pending, **_columns(columns)) for _ in range(copies)]
    return {"transaction": _entry(made[0]), "transactions": [_entry(one) for one in made]}


@transaction.atomic
def change_transaction(*, transaction: str, amount: str | None = None, **columns: Any) -> dict[str, Any]:
    """Let a line say something else, as banks do afterwards."""
    entry = entry_of(transaction)
    for name, value in _columns(columns).items():
        setattr(entry, name, value)
    if amount is not None:
        entry.amount = _minor(amount)
    entry.save()
    entry.refresh_from_db()
    return {"transaction": _entry(entry)}


@transaction.atomic
def book_transaction(*, transaction: str, amount: str | None = None, **columns: Any) -> dict[str, Any]:
    """Book a pending line: another id and today's date, unless given."""
    entry = entry_of(transaction)
    if not entry.pending:
        raise Wrong("It is booked already.")
    given = _columns(columns)
    if amount is not None:
        given["amount"] = _minor(amount)
    return {"transaction": _entry(entries.book(entry, **given))}


def remove_transaction(*, transaction: str) -> dict[str, Any]:
    """The line is gone, as if it had never been."""
    entry_of(transaction).delete()
    return {}


def set_account(*, account: str, status: str) -> dict[str, Any]:
    """`enabled`, `blocked` or `deleted`."""
    if status not in {"enabled", "blocked", "deleted"}:
        raise Wrong("status is enabled, blocked or deleted.")
    found = account_of(account)
    found.status = status
    found.save(update_fields=["status"])
    return {"account": found.resource_id}


def set_consent(*, consent: str, status: str) -> dict[str, Any]:
    """`expired`, `revokedByPsu`, or any other status."""
    if status not in {
        "received",
        "rejected",
        "valid",
        "revokedByPsu",
        "expired",
        "terminatedByTpp",
        "partiallyAuthorised",
    }:
        raise Wrong("status is one of the standard, such as expired or revokedByPsu.")
    found = consent_of(consent)
    consents.set_status(found, status)
    return {"consent": found.consent_id, "status": found.status}


def set_payment(*, payment: str, status: str, reason: str = "") -> dict[str, Any]:
    """`ACSC` settles an order, `RJCT` declines it; its account follows."""
    if status not in payments.STATUSES:
        raise Wrong(f"status is one of {', '.join(sorted(payments.STATUSES))}.")
    found = payment_of(payment)
    found.script = []
    payments.set_status(found, status, reason)
    return {"payment": found.payment_id, "status": found.status}


def script_payments(*, statuses: list[str], reason: str = "") -> dict[str, Any]:
    """The statuses orders go through once agreed to, one for each time the status is read: `["ACTC", "ACSC"]`."""
    if not statuses or not set(statuses) <= payments.STATUSES:
        raise Wrong(f"statuses are some of {', '.join(sorted(payments.STATUSES))}.")
    row = clock.bank()
    row.payment_script, row.payment_reason = statuses, reason
    row.save()
    return {"statuses": statuses}


def set_customer(*, user: str, **changes: Any) -> dict[str, Any]:
    """`locked`, `code_fails` or `must_change_password` of a login; unlocking forgets wrong tries."""
    if stranger := set(changes) - {"locked", "code_fails", "must_change_password"}:
        raise Wrong(f"{', '.join(sorted(stranger))} cannot be set.")
    found = customer_of(user)
    for name, value in changes.items():
        setattr(found, name, bool(value))
    if not found.locked:
        found.wrong_tries, found.locked_until = 0, None
    found.save()
    return {"user": found.login}


@transaction.atomic
def authorise(
    *,
    user: str = "user_good",
    consent: str = "",
    payment: str = "",
    accounts: list[str] | None = None,
    outcome: str = "agree",
) -> dict[str, Any]:
    """Do in one call what the customer does on the pages: `agree`, `refuse`, or `fail` to authenticate.

    `accounts` names accounts by IBAN or resource id; all that are offered when it is left out. Answers with where the
    bank would send the customer.
    """
    subject = consent_of(consent) if consent else payment_of(payment)
    customer = customer_of(user)
    attempt = authorisations.of(subject).last() or authorisations.start(subject)
    attempt = Authorisation.objects.select_for_update(of=("self",)).get(pk=attempt.pk)
    if not authorisations.is_open(attempt):
        raise Wrong("Nothing can be agreed to any more.")
    if outcome == "agree":
        authorisations.agree(attempt, customer, _chosen(attempt.subject(), customer, accounts))
    elif outcome == "refuse":
        authorisations.refuse(attempt, customer)
    elif outcome == "fail":
        authorisations.fail(attempt, customer)
    else:
        raise Wrong("outcome is agree, refuse or fail.")
    return {"status": attempt.subject().status, "redirect": way_back(attempt)}


def way_back(attempt: Authorisation) -> str:
    """Where the customer goes after an attempt."""
    subject = attempt.subject()
    return subject.redirect_uri if attempt.sca_status == "finalised" else subject.refused_uri


def log(*, since: int = 0, endpoint: str = "") -> dict[str, Any]:
    """The calls of the interface, oldest first. `since` is the number of the last one known."""
    found = Call.objects.filter(pk__gt=since).order_by("pk")
    rows = found.filter(endpoint=endpoint) if endpoint else found
    return {"calls": [_call(row) for row in rows]}


def state() -> dict[str, Any]:
    """Everything there is: customers with their accounts, consents, orders, faults, the clock."""
    return {
        "now": clock.now().isoformat(),
        "switches": {name: getattr(clock.bank(), name) for name in SWITCHES},
        "users": [_customer(row) for row in Customer.objects.order_by("pk")],
        "consents": [_consent(row) for row in Consent.objects.order_by("pk")],
        "payments": [_payment(row) for row in Payment.objects.order_by("pk")],
        "faults": [_fault(row) for row in Fault.objects.order_by("pk")],
    }


def transactions(*, account: str) -> dict[str, Any]:
    """All lines of an account, oldest first."""
    rows = Entry.objects.filter(account=account_of(account)).select_related("account").order_by("pk")
    return {"transactions": [_line(row) for row in rows]}


def pending() -> list[dict[str, Any]]:
    """All lines on their way, with their account."""
    rows = Entry.objects.filter(pending=True).select_related("account").order_by("pk")
    return [{"account": row.account.iban, **_line(row)} for row in rows]


def account_of(text: str) -> Account:
    """An account by IBAN or resource id."""
    found = Account.objects.filter(iban=text).first() or Account.objects.filter(resource_id=text).first()
    return _found(found, "account")


def entry_of(text: str) -> Entry:
    """A line by its id."""
    return _found(Entry.objects.filter(transaction_id=text).order_by("-pk").first(), "transaction")


def consent_of(text: str) -> Consent:
    """A consent by its id."""
    return _found(Consent.objects.filter(consent_id=text).first(), "consent")


def payment_of(text: str) -> Payment:
    """An order by its id, or by its end-to-end id."""
    found = Payment.objects.filter(payment_id=text).first()
    return _found(
        found or Payment.objects.filter(order__endToEndIdentification=text).order_by("-pk").first(), "payment"
    )


def customer_of(text: str) -> Customer:
    """A customer by login."""
    return _found(Customer.objects.filter(login=text).first(), "user")


def _found(row: Any, what: str) -> Any:
    if row is None:
        raise Wrong(f"There is no such {what}.")
    return row


def _chosen(subject: Consent | Payment, customer: Customer, named: list[str] | None) -> list[Account]:
    offered = (
        consents.offered(subject, customer)
        if isinstance(subject, Consent)
        else payments.payable_from(subject, customer)
    )
    chosen = [one for one in offered if named is None or one.iban in named or one.resource_id in named]
    if not chosen:
        raise Wrong("The customer has no such account.")
    return chosen


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    if stranger := set(given) - set(WIRE):
        raise Wrong(f"{', '.join(sorted(stranger))} is no field. Fields: {', '.join(WIRE)}.")
    return {WIRE[name]: value for name, value in given.items()}


def _minor(amount: str) -> int:
    minor = money.read(amount)
    if minor is None:
        raise Wrong("amount is a text such as -12.30.")
    return minor


def _entry(row: Entry) -> dict[str, Any]:
    row.refresh_from_db()
    return _line(row)


def _line(row: Entry) -> dict[str, Any]:
    return {"pending": row.pending, **entries.shown(row), "transactionId": row.transaction_id}


def _account(row: Account) -> dict[str, Any]:
    sums = entries.balances(row)
    return {
        "resource": row.resource_id, "iban": row.iban, "currency": row.currency, "name": row.name, "status": row.status,
        "booked": money.text(sums.booked), "available": money.text(sums.available),
    }  # fmt: skip


def _call(row: Call) -> dict[str, Any]:
    return {
        "number": row.pk, "at": row.at.isoformat(), "method": row.method, "path": row.path, "endpoint": row.endpoint,
        "status": row.status, "attended": row.attended, "request_id": row.request_id, "consent": row.consent,
        "account": row.account,
    }  # fmt: skip


def _customer(row: Customer) -> dict[str, Any]:
    accounts = [_account(one) for one in Account.objects.filter(customer=row).order_by("pk")]
    return {"user": row.login, "password": row.password, "name": row.name, "accounts": accounts}


def _consent(row: Consent) -> dict[str, Any]:
    return {
        "consent": row.consent_id, "status": row.status, "valid_until": row.valid_until.isoformat(),
        "user": row.customer.login if row.customer else "", "access": row.access,
        "accounts": [one["resource"] for one in row.grants],
    }  # fmt: skip


def _payment(row: Payment) -> dict[str, Any]:
    return {
        "payment": row.payment_id, "status": row.status, "reason": row.reason, "amount": money.text(row.amount),
        "currency": row.currency, "end_to_end_id": row.order.get("endToEndIdentification", ""),
        "creditor": row.order["creditorName"],
    }  # fmt: skip


def _fault(row: Fault) -> dict[str, Any]:
    until = row.until.isoformat() if row.until else None
    return {"fault": row.pk, "kind": row.kind, "endpoint": row.endpoint, "remaining": row.remaining, "until": until}
