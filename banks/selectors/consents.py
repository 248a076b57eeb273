"""What an end customer agreed to, as their own page lists it. The page is found by a token that nobody stores.

The token names the environment and one connection, and is signed; it opens everything of the same customer, as the app
names them by `client_reference_id`, and that one connection when the app names nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

from banks.domain.connection_state import Status
from banks.models import BankAccount, Connection, Institution
from banks.shapes.connections import PREFIX
from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from connect.kit.tenancy import use_environment
from connect.selectors import environments, organizations

_TOKEN: Final = re.compile(r"([a-z2-7]{12})\.([0-9A-Za-z]{22})\.([0-9A-Za-z]{33})")
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One connection. `ended` is empty, or `expired`, `revoked` or `removed`."""

    connection_id: str
    bank: str
    permissions: list[str]
    history_days: int
    accounts: list[str]
    given_at: datetime
    until: date | None
    read_at: datetime | None
    ended: str

    @property
    def is_alive(self) -> bool:
        """Whether there is something to withdraw."""
        return not self.ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Whoever has the token, and what they agreed to, newest first."""

    environment: EnvironmentRef
    account_id: UUID
    merchant: str
    consents: list[Consent]

    @property
    def livemode(self) -> bool:
        """Whether the banks are real."""
        return self.environment.livemode


def path(environment: EnvironmentRef, connection_id: UUID) -> str:
    """The address of the page for the customer of this connection, from the root of the site."""
    body = ids.encode(PREFIX, connection_id).removeprefix(f"{PREFIX}_")
    return f"/consents/{environment.short_id}.{body}.{_signature(environment.short_id, body)}"


def by_token(token: str) -> Customer | None:
    """The customer behind a token, or None when it was not made here. Opens their environment."""
    match = _TOKEN.fullmatch(token)
    if match is None or not constant_time_compare(match[3], _signature(match[1], match[2])):
        return None
    environment = environments.by_short_id(match[1])
    identifier = ids.decode(PREFIX, f"{PREFIX}_{match[2]}")
    if environment is None or identifier is None:
        return None
    with use_environment(environment):
        named = Connection.objects.one(id=identifier)
        return _customer(environment, named) if named else None


def _customer(environment: EnvironmentRef, named: Connection) -> Customer:
    rows = [named]
    if named.client_reference_id is not None:
        same = Connection.objects.filter(
            account_id=named.account_id, client_reference_id=named.client_reference_id
        ).order_by("-id")
        rows = list(same[:_SHOWN])
    banks = Institution.objects.in_bulk([row.institution_id for row in rows])
    accounts: dict[UUID, list[str]] = {row.id: [] for row in rows}
    for account in BankAccount.objects.filter(connection_id__in=accounts).exclude(status="closed").order_by("id"):
        accounts[account.connection_id].append(_named(account))
    return Customer(
        environment=environment,
        account_id=named.account_id,
        merchant=organizations.name(environment.organization_id),
        consents=[_consent(row, banks[row.institution_id].name, accounts[row.id]) for row in rows],
    )


def _consent(row: Connection, bank: str, accounts: list[str]) -> Consent:
    ended = row.status if row.status in (Status.EXPIRED, Status.REVOKED, Status.REMOVED) else ""
    return Consent(
        connection_id=ids.encode(PREFIX, row.id),
        bank=bank,
        permissions=row.permissions,
        history_days=row.history_days,
        accounts=accounts,
        given_at=row.consented_at,
        until=row.consent_until,
        read_at=row.synced_at,
        ended=ended,
    )


def _named(account: Any) -> str:
    number = account.iban or account.national_number or ""
    label = account.name or account.product or ""
    return f"{label} •••• {number[-4:]}".strip() if number else label


def _signature(short_id: str, body: str) -> str:
    digest = salted_hmac("banks.consents", f"{short_id}.{body}", algorithm="sha256").digest()[:24]
    return ids.base62(int.from_bytes(digest, "big"), 33)
