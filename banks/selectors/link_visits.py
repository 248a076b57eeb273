"""A link session as the hosted page shows it: for whom, which bank, and how far the customer has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

import msgspec

from banks.domain import link_state
from banks.domain.bank_data import AccountData, BalanceKind
from banks.domain.health import Standing
from banks.domain.link_state import Mode, Status
from banks.domain.profiles import SANDBOX
from banks.selectors import consents, institution_health, institutions, link_sessions
from banks.shapes.link_sessions import PREFIX
from connect.kit import currencies, ids
from connect.kit.caller import EnvironmentRef
from connect.selectors import organizations


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A bank to choose. `address` is that of its interface, None when it cannot be reached from here."""

    slug: str
    name: str
    native_name: str
    country: str
    standing: Standing
    address: str | None
    consent_days: int
    is_sandbox: bool

    @property
    def is_available(self) -> bool:
        """Whether it can be linked here."""
        return self.address is not None

    @property
    def is_troubled(self) -> bool:
        """Whether calls to it fail these days, so that its customer had better know before they go there."""
        return self.standing in (Standing.DEGRADED, Standing.DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An account to choose. `number` is masked; `balance_minor` is in minor units of `currency`."""

    resource_id: str
    label: str
    number: str
    currency: str
    balance_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Plain values. `bank_url` is where the bank waits for its customer, `bank` the one they chose or were given.

    `seen_at` is the business time of the visit. `is_waiting`: a request to the bank is under way. `last_error` is why
    the last try failed.
    """

    environment: EnvironmentRef
    session_id: str
    account_id: UUID
    merchant: str
    mode: str
    status: str
    bank: Bank | None
    permissions: list[str]
    countries: list[str]
    history_days: int
    purpose: str | None
    recurring: bool
    consent_until: date | None
    return_url: str | None
    locale: str | None
    bank_url: str | None
    offers: list[Offer]
    last_error: str | None
    consents_path: str | None
    expires_at: datetime
    seen_at: datetime
    is_waiting: bool

    @property
    def livemode(self) -> bool:
        """Whether the banks are real."""
        return self.environment.livemode

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= self.seen_at

    @property
    def is_open(self) -> bool:
        """Whether the customer can still do something."""
        return not self.is_over and not link_state.is_over(self.status)

    @property
    def is_once(self) -> bool:
        """Whether the account is read once, and not again and again."""
        return not self.recurring

    @property
    def renews(self) -> bool:
        """Whether a connection is renewed, so that there is neither a bank nor an account to choose."""
        return self.mode == Mode.UPDATE

    @property
    def way_back(self) -> str | None:
        """The app's address with what became of the visit, or None when the app has none or nothing is decided."""
        words = {Status.COMPLETE: "complete", Status.CANCELED: "canceled", Status.EXPIRED: "expired"}
        status = "expired" if self.is_over and self.status in link_state.IN_PROGRESS else None
        status = status or words.get(Status(self.status))
        if self.return_url is None or status is None:
            return None
        parts = urlsplit(self.return_url)
        query = [*parse_qsl(parts.query, keep_blank_values=True), ("link_session", self.session_id), ("status", status)]
        return urlunsplit(parts._replace(query=urlencode(query)))


def get(environment: EnvironmentRef, secret: str, *, now: datetime, business: datetime) -> Visit | None:
    """The visit behind a page's secret, or None. Runs inside the open environment."""
    row = link_sessions.by_secret(secret)
    if row is None:
        return None
    known = institutions.by_id(row.institution_id) if row.institution_id else None
    return Visit(
        environment=environment,
        session_id=ids.encode(PREFIX, row.id),
        account_id=row.account_id,
        merchant=organizations.name(environment.organization_id),
        mode=row.mode,
        status=row.status,
        bank=_banks([known])[0] if known else None,
        permissions=row.permissions,
        countries=row.countries,
        history_days=row.history_days,
        purpose=row.purpose,
        recurring=row.recurring,
        consent_until=row.consent_until,
        return_url=row.return_url,
        locale=row.locale,
        bank_url=row.bank_url,
        offers=[_offer(account) for account in msgspec.convert(row.offered or [], tuple[AccountData, ...])],
        last_error=row.last_error,
        consents_path=consents.path(environment, row.connection_id)
        if row.connection_id and row.status == Status.COMPLETE
        else None,
        expires_at=row.expires_at,
        seen_at=business,
        is_waiting=not link_state.is_over(row.status) and row.lease_until is not None and row.lease_until > now,
    )


def banks(visit: Visit, query: str, country: str) -> list[Bank]:
    """The banks to choose from, by name in either script and by country; the sandbox first, then what is available."""
    countries = [country] if country in visit.countries or (country and not visit.countries) else visit.countries
    found = institutions.search(query, livemode=visit.livemode, countries=countries)
    return _banks(found)


def bank(visit: Visit, slug: str) -> Bank | None:
    """The bank of that slug, if it is there for this visit."""
    found = institutions.find(slug, livemode=visit.livemode)
    return _banks([found])[0] if found and found.is_enabled else None


def masked(data: AccountData) -> str:
    """The account's number as far as its owner needs it: the country and the last four."""
    if data.iban:
        return f"{data.iban[:2]}•• •••• {data.iban[-4:]}"
    return f"•••• {data.national_number[-4:]}" if data.national_number else ""


def _banks(rows: Sequence[Any]) -> list[Bank]:
    standings = institution_health.statuses([row.id for row in rows])
    found = []
    for row in rows:
        profile = institutions.profile(row)
        found.append(
            Bank(
                slug=row.slug,
                name=row.name,
                native_name=row.native_name,
                country=row.country,
                standing=standings[row.id],
                address=profile.base_url if profile else None,
                consent_days=profile.capabilities.consent_days if profile else 0,
                is_sandbox=row.slug == SANDBOX,
            )
        )
    return found


def _offer(data: AccountData) -> Offer:
    balances = sorted(data.balances, key=lambda one: one.kind != BalanceKind.AVAILABLE)
    balance = balances[0] if balances else None
    return Offer(
        resource_id=data.resource_id,
        label=data.name or data.product or "",
        number=masked(data),
        currency=balance.currency if balance else data.currency,
        balance_minor=balance.amount_minor if balance and currencies.is_known(balance.currency) else None,
    )
