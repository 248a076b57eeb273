"""How a customer agrees: a page at the bank that lives ten minutes, a password, a code."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from sandbox_bank import clock, consents, payments, settings
from sandbox_bank.models import Account, Authorisation, Consent, Customer, Payment
from sandbox_bank.refusals import Refusal

PAGE_LIFE = timedelta(minutes=10)
CODE: Final = "1234"
TRIES = 5
LOCKED_FOR = timedelta(minutes=15)


def start(subject: Consent | Payment) -> Authorisation:
    """A new attempt, with a page of its own."""
    waits = subject.status == ("received" if isinstance(subject, Consent) else "RCVD")
    if not waits:
        raise Refusal("STATUS_INVALID", f"Nothing can be agreed to any more; it is {subject.status}.")
    return Authorisation.objects.create(
        authorisation_id=str(uuid.uuid4()),
        token=secrets.token_urlsafe(32),
        consent=subject if isinstance(subject, Consent) else None,
        payment=subject if isinstance(subject, Payment) else None,
        expires_at=clock.now() + PAGE_LIFE,
    )


def of(subject: Consent | Payment) -> QuerySet[Authorisation]:
    """All attempts, oldest first."""
    kind = "consent" if isinstance(subject, Consent) else "payment"
    return Authorisation.objects.filter(**{kind: subject}).order_by("pk")


def find(subject: Consent | Payment, authorisation_id: str) -> Authorisation:
    """One attempt of this consent or order."""
    found = of(subject).filter(authorisation_id=authorisation_id).first()
    if found is None:
        raise Refusal("RESOURCE_UNKNOWN", "There is no such authorisation.", status=404)
    return found


def page_url(authorisation: Authorisation) -> str:
    """Where the customer has to go."""
    return f"{settings.BANK_URL}/bank/authorise/{authorisation.token}"


def is_open(authorisation: Authorisation) -> bool:
    """Whether its page still works."""
    over = authorisation.sca_status in {"finalised", "failed"}
    return not over and authorisation.expires_at > clock.now()


def log_in(authorisation: Authorisation, login: str, password: str) -> Customer | None:
    """The customer with this password; None for a wrong one or a locked login."""
    customer = Customer.objects.filter(login=login).first()
    if customer is None or is_locked(customer):
        return None
    if not constant_time_compare(customer.password, password):
        _wrong(customer)
        return None
    Customer.objects.filter(pk=customer.pk).update(wrong_tries=0)
    authorisation.customer = customer
    _advance(authorisation, "psuAuthenticated")
    return customer


def is_locked(customer: Customer) -> bool:
    """Whether the login is locked, for good or for a while."""
    return customer.locked or bool(customer.locked_until and customer.locked_until > clock.now())


def check_code(authorisation: Authorisation, customer: Customer, code: str) -> bool:
    """Whether the one-time code is right. Five wrong ones fail the attempt and lock the login for a while."""
    if not customer.code_fails and constant_time_compare(code.strip(), CODE):
        _advance(authorisation, "started")
        return True
    authorisation.wrong_codes += 1
    authorisation.save(update_fields=["wrong_codes"])
    if authorisation.wrong_codes >= TRIES:
        customer.locked_until = clock.now() + LOCKED_FOR
        customer.save(update_fields=["locked_until"])
        fail(authorisation)
    return False


def agree(authorisation: Authorisation, customer: Customer, accounts: list[Account]) -> None:
    """The customer agreed: to show these accounts, or to pay from the first of them."""
    subject = authorisation.subject()
    _advance(authorisation, "finalised", customer)
    if isinstance(subject, Consent):
        consents.grant(subject, customer, accounts)
    else:
        payments.accept(subject, customer, accounts[0])


def refuse(authorisation: Authorisation, customer: Customer | None = None) -> None:
    """The customer said no."""
    _advance(authorisation, "failed", customer)
    subject = authorisation.subject()
    if isinstance(subject, Consent):
        consents.set_status(subject, "rejected")
    else:
        payments.cancel(subject, "The customer refused.")


def fail(authorisation: Authorisation, customer: Customer | None = None) -> None:
    """The customer could not be authenticated; that refuses the whole thing."""
    _advance(authorisation, "failed", customer)
    subject = authorisation.subject()
    if isinstance(subject, Consent):
        consents.set_status(subject, "rejected")
    else:
        payments.reject(subject, "The customer could not be authenticated.")


def _advance(authorisation: Authorisation, sca_status: str, customer: Customer | None = None) -> None:
    authorisation.sca_status = sca_status
    authorisation.customer = customer or authorisation.customer
    authorisation.save(update_fields=["sca_status", "customer"])


def _wrong(customer: Customer) -> None:
    customer.wrong_tries += 1
    if customer.wrong_tries >= TRIES:
        customer.wrong_tries, customer.locked_until = 0, clock.now() + LOCKED_FOR
    customer.save(update_fields=["wrong_tries", "locked_until"])
