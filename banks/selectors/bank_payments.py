"""Bank payments as they are read: by the secrets of their pages, and as others see how they stand.

The secret of our own page is derived, as a client secret is: the row keeps its hash, to find it again.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from banks.domain import bank_payment_state
from banks.domain.bank_payment_state import Status
from banks.models import BankPayment, Institution
from banks.selectors import institutions
from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from connect.kit.money import Money

SECRET_LENGTH: Final = 33
"""Base62 characters of 24 bytes, as on every hosted page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a payment stands, in plain values. `attempt` is the id of whoever asked for it.

    `bank_url` is where the bank waits for the payer. `is_being_sent`: somebody is handing it to the bank right now.
    `failure` says why it failed, or why the last try to hand it in did.
    """

    id: UUID
    account_id: UUID
    attempt: str
    status: Status
    amount: Money
    institution_id: UUID | None
    bank_name: str | None
    debtor_iban: str | None
    end_to_end_id: str
    creditor_name: str
    remittance: str
    bank_url: str | None
    return_url: str | None
    failure: str | None
    is_sent: bool
    is_being_sent: bool
    age_seconds: float
    expires_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self.status in bank_payment_state.FINAL

    @property
    def has_left_the_payer(self) -> bool:
        """Whether the payer has nothing more to do: it is over, or the bank works on it."""
        return self.is_over or self.status == Status.PROCESSING

    @property
    def last4(self) -> str | None:
        """What may be shown of the payer's account."""
        return self.debtor_iban[-4:] if self.debtor_iban else None


def secret(environment: EnvironmentRef, identifier: UUID) -> str:
    """The secret in the address of the page on which the payer chooses a bank."""
    message = b"pay_by_bank:" + environment.id.bytes + identifier.bytes
    digest = hmac.digest(settings.SECRET_KEY.encode(), message, hashlib.sha256)
    return ids.base62(int.from_bytes(digest[:24], "big"), SECRET_LENGTH)


def hash_of(secret: str) -> bytes:
    """What a row keeps of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def token(environment: EnvironmentRef, identifier: UUID) -> str:
    """What stands in the addresses of a payment's pages; whoever has it can pay, no more."""
    return f"{environment.short_id}.{secret(environment, identifier)}"


def page_url(environment: EnvironmentRef, identifier: UUID) -> str:
    """Where the payer chooses a bank."""
    return f"{settings.FC_PUBLIC_URL.rstrip('/')}/pay/{token(environment, identifier)}"


def by_secret(secret: str, *, now: datetime) -> Standing | None:
    """The payment behind the secret of our own page."""
    row = BankPayment.objects.one(secret_hash=hash_of(secret))
    return None if row is None else standing(row, now=now)


def by_state(state: str, *, now: datetime) -> Standing | None:
    """The payment behind the secret of the address to which the bank sends the payer back."""
    row = BankPayment.objects.one(state_hash=hash_of(state))
    return None if row is None else standing(row, now=now)


def by_attempt(attempt: str, *, now: datetime) -> Standing | None:
    """The payment that this attempt asked for."""
    row = BankPayment.objects.one(attempt=attempt)
    return None if row is None else standing(row, now=now)


def standing(row: BankPayment, *, now: datetime) -> Standing:
    """How the payment of `row` stands at `now`, the machine's time."""
    bank = institutions.by_id(row.institution_id) if row.institution_id else None
    return Standing(
        id=row.id,
        account_id=row.account_id,
        attempt=row.attempt,
        status=Status(row.status),
        amount=Money(row.amount_minor, row.currency),
        institution_id=row.institution_id,
        bank_name=(bank.native_name or bank.name) if bank else None,
        debtor_iban=row.debtor_iban,
        end_to_end_id=row.end_to_end_id,
        creditor_name=row.creditor_name,
        remittance=row.remittance,
        bank_url=row.bank_url,
        return_url=row.return_url,
        failure=row.failure,
        is_sent=row.handle_sealed is not None,
        is_being_sent=row.handle_sealed is None and row.lease_until is not None and row.lease_until > now,
        age_seconds=(now - (row.begun_at or row.created_at)).total_seconds(),
        expires_at=row.expires_at,
    )


def payable(currency: str, *, livemode: bool, query: str = "") -> list[Institution]:
    """Enabled banks that pay in this currency at our request, searched as `institutions.search` does."""
    found = []
    for row in institutions.search(query, livemode=livemode):
        bank = institutions.profile(row)
        if bank is not None and bank.capabilities.payments and currency in bank.payment_products:
            found.append(row)
    return found


def is_possible(currency: str, *, livemode: bool) -> bool:
    """Whether any bank pays in this currency at our request."""
    return bool(payable(currency, livemode=livemode))
