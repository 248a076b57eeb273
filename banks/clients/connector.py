"""What every connector to banks is to us: one Protocol, its requests and its answers.

A connector speaks to banks of one kind (Berlin Group, files, …). Six rules hold for every call:

* It is made **outside any transaction** and has a deadline in seconds; past it `InstitutionDown` is raised.
* A connector keeps nothing. What it needs later is in the handle it returned, which is stored sealed.
* Requests and answers are plain values of `banks.domain`. No row, no caller, no clock travels.
* Only a `ConnectorError` is raised, and its kind says what follows (`banks.domain.failures`).
* `psu.present` tells the bank that its customer sits before the screen; a job never says so.
* Reads may be repeated by the connector where its kind says `may_retry`. What moves money is **never** sent twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal, Protocol, runtime_checkable

from banks.domain.bank_data import AccountData, BalanceData, EntryPage
from banks.domain.bank_payment_state import Status as PaymentStatus
from banks.domain.failures import MEANINGS, FailureKind
from banks.domain.profiles import BankProfile
from banks.domain.psu import ABSENT as ABSENT
from banks.domain.psu import Psu as Psu
from connect.kit import tenancy

Handle = dict[str, str]
"""What a connector needs to find its consent or payment again: short texts, stored sealed."""


class ConnectorError(Exception):
    """A bank did not answer as asked. `code` is the bank's own word and `text` its sentence, for the log only.

    `http_status` is that of its answer, None when there was none or the connector does not speak HTTP.
    """

    kind: ClassVar[FailureKind]

    def __init__(
        self,
        text: str = "",
        *,
        code: str | None = None,
        retry_after_seconds: int | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(text or MEANINGS[self.kind].message)
        self.code = code
        self.retry_after_seconds = retry_after_seconds
        self.http_status = http_status


class LoginRequired(ConnectorError):
    """The customer has to log in again."""

    kind = FailureKind.LOGIN_REQUIRED


class ConsentExpired(ConnectorError):
    """The consent has run out."""

    kind = FailureKind.CONSENT_EXPIRED


class ConsentRevoked(ConnectorError):
    """The customer, or the bank, withdrew the consent; also when the bank no longer knows it."""

    kind = FailureKind.CONSENT_REVOKED


class UserCanceled(ConnectorError):
    """The customer gave up at the bank."""

    kind = FailureKind.USER_CANCELED


class ScaFailed(ConnectorError):
    """The customer could not be authenticated."""

    kind = FailureKind.SCA_FAILED


class ChangePassword(ConnectorError):
    """The bank wants a new password first."""

    kind = FailureKind.CHANGE_PASSWORD


class RateLimited(ConnectorError):
    """Too many calls. `retry_after_seconds` is between 0 and 86,400, whatever the bank wrote."""

    kind = FailureKind.RATE_LIMITED


class InstitutionDown(ConnectorError):
    """No connection, no answer in time, or 502, 503, 504; also while the breaker is open, when nothing is sent."""

    kind = FailureKind.INSTITUTION_DOWN


class BadResponse(ConnectorError):
    """An answer that breaks the standard: other status, no JSON, missing fields, a list that turns in circles."""

    kind = FailureKind.BAD_RESPONSE


class NotSupported(ConnectorError):
    """The bank cannot do this."""

    kind = FailureKind.NOT_SUPPORTED


class CertificateProblem(ConnectorError):
    """Our certificate or signature was refused."""

    kind = FailureKind.CERTIFICATE_PROBLEM


# --- requests ---


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """What the customer agreed to on our page. `valid_until` is inclusive; the bank may shorten it.

    `redirect_uri` is where the bank sends them back, `refused_uri` where when they refused. `request_id` (a UUID) makes
    it the same request when it is sent again.
    """

    request_id: str
    valid_until: date
    recurring: bool
    calls_per_day: int
    redirect_uri: str
    refused_uri: str
    balances: bool = True
    transactions: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesQuery:
    """Which entries of an account. `page` is a link that the bank gave; followed as it is, the rest ignored."""

    resource_id: str
    since: date
    pending: bool = True
    page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """Move `amount_minor` (> 0, minor units) from the customer's account to the creditor's.

    `end_to_end_id` (35 characters at most) is unique per order: by it the order is found again. `debtor_iban` None lets
    the customer choose at the bank.
    """

    request_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    creditor_name: str
    creditor_iban: str
    debtor_iban: str | None
    remittance: str
    redirect_uri: str
    refused_uri: str


# --- answers ---


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStarted:
    """The bank waits for its customer at `redirect_url`. `handle` finds the consent again."""

    handle: Handle
    redirect_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """How a consent stands now. `pending`: the customer has not agreed yet. `valid_until` is the bank's own word."""

    status: Literal["pending", "valid", "refused", "expired", "revoked"]
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStarted:
    """The bank took the order. `redirect_url` is where its customer has to agree, None when nothing is to be done."""

    handle: Handle
    status: PaymentStatus
    bank_status: str
    redirect_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentState:
    """How an order stands. `bank_status` is the bank's word (`ACSC`), `reason` its reason for a refusal."""

    status: PaymentStatus
    bank_status: str
    reason: str | None = None


@runtime_checkable
class Connector(Protocol):
    """A way to banks of one kind. `name` is stored with connections; it never changes.

    Every method raises `ConnectorError` only. `deadline_seconds` bounds the whole call with all its repetitions.
    """

    name: ClassVar[str]

    def begin_consent(
        self, bank: BankProfile, request: ConsentRequest, psu: Psu, *, deadline_seconds: float
    ) -> ConsentStarted:
        """Ask the bank for a consent and learn where its customer has to go.

        Called with the customer present, after they agreed on our page.
        """
        ...

    def consent_state(self, bank: BankProfile, handle: Handle, psu: Psu, *, deadline_seconds: float) -> ConsentState:
        """How the consent stands. Called when the customer comes back, and before a connection is believed dead.

        `refused` means that they canceled, or failed to authenticate: where the bank tells which, `UserCanceled` or
        `ScaFailed` is raised instead.
        """
        ...

    def revoke_consent(self, bank: BankProfile, handle: Handle, *, deadline_seconds: float) -> None:
        """Give the consent back. One that is gone already is given back, too."""
        ...

    def accounts(
        self, bank: BankProfile, handle: Handle, psu: Psu, *, balances: bool, deadline_seconds: float
    ) -> tuple[AccountData, ...]:
        """The accounts the consent reaches, with balances where they were asked for and the bank gives them along."""
        ...

    def balances(
        self, bank: BankProfile, handle: Handle, psu: Psu, resource_id: str, *, deadline_seconds: float
    ) -> tuple[BalanceData, ...]:
        """The balances of one account."""
        ...

    def entries(
        self, bank: BankProfile, handle: Handle, psu: Psu, query: EntriesQuery, *, deadline_seconds: float
    ) -> EntryPage:
        """One page of an account's entries.

        An entry that cannot be read raises `BadResponse`: half a page must not look like a whole one.
        """
        ...

    def begin_payment(
        self, bank: BankProfile, order: PaymentOrder, psu: Psu, *, deadline_seconds: float
    ) -> PaymentStarted:
        """Hand in an order.

        IMPORTANT: money may move from here on, once the customer agrees at the bank. An order is sent ONCE: when no
        answer came, `InstitutionDown` is raised and nobody knows whether the bank has it; it has no handle then, its
        customer was never sent anywhere, and so it cannot be carried out.
        """
        ...

    def payment_state(self, bank: BankProfile, handle: Handle, psu: Psu, *, deadline_seconds: float) -> PaymentState:
        """How an order stands. Called any number of times; moves nothing."""
        ...

    def probe(self, bank: BankProfile, *, deadline_seconds: float) -> None:
        """A call without anybody's data that says whether the bank answers at all."""
        ...


class GuardedConnector(ABC):
    """Base of every connector: `guard` is the first line of each of its methods."""

    name: ClassVar[str]

    def guard(self, bank: BankProfile) -> None:
        """Refuse to run inside a transaction, and for a bank of another connector."""
        tenancy.forbid_inside_transaction(f"a call to {bank.slug}")
        if bank.connector != self.name:
            raise ValueError(f"{bank.slug} is reached by {bank.connector}, not by {self.name}")

    @abstractmethod
    def probe(self, bank: BankProfile, *, deadline_seconds: float) -> None:
        """See `Connector.probe`."""
