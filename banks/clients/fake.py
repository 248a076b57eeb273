"""A bank in memory that keeps the connector's contract: for service tests without a bank.

    fake = FakeConnector()
    fake.put(AccountData(…), EntryData(…), EntryData(…))
    with clients.replaced("berlin_group", fake): …

Consents wait until `agree()`. `will("entries", InstitutionDown())` plans what the next calls meet, and `calls` lists
every call that was made.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, Final, Literal

from banks.clients.connector import (
    BadResponse,
    ConnectorError,
    ConsentExpired,
    ConsentRequest,
    ConsentRevoked,
    ConsentStarted,
    ConsentState,
    EntriesQuery,
    GuardedConnector,
    Handle,
    InstitutionDown,
    LoginRequired,
    NotSupported,
    PaymentOrder,
    PaymentStarted,
    PaymentState,
    Psu,
)
from banks.domain.bank_data import AccountData, BalanceData, EntryData, EntryPage, EntryStatus
from banks.domain.bank_payment_state import of_bank_status
from banks.domain.profiles import BankProfile

Method = Literal[
    "begin_consent", "consent_state", "revoke_consent", "accounts", "balances", "entries", "begin_payment",
    "payment_state", "probe",
]  # fmt: skip
LOST: Final = "lost"
"""A plan: the bank does as asked, and its answer never comes (`InstitutionDown`)."""
Plan = ConnectorError | Literal["lost"] | None


@dataclass(frozen=True, slots=True)
class Call:
    """One call: which, for which bank, whether the customer was present, how long it could take, what was asked."""

    method: Method
    bank: str
    present: bool
    deadline_seconds: float
    asked: Any = None


@dataclass(slots=True)
class FakeConsent:
    """A consent at the fake bank."""

    request: ConsentRequest
    status: Literal["pending", "valid", "refused", "expired", "revoked"]
    valid_until: date


@dataclass(slots=True)
class FakePayment:
    """An order at the fake bank; `order.amount_minor` moved once `bank_status` is an end that says so."""

    order: PaymentOrder
    bank_status: str = "RCVD"
    reason: str | None = None


@dataclass
class FakeConnector(GuardedConnector):
    """Does everything as asked unless told otherwise. Takes the place of the connector whose name it bears.

    `accounts_held` are the accounts by resource id and `entries_held` their entries, newest first; change both as you
    like. `page_size` is how many entries a page holds. Every consent reaches every account.
    """

    name: ClassVar[str] = "berlin_group"

    page_size: int = 100
    consent_days_max: date | None = None
    calls: list[Call] = field(default_factory=list)
    consents: dict[str, FakeConsent] = field(default_factory=dict)
    payments: dict[str, FakePayment] = field(default_factory=dict)
    accounts_held: dict[str, AccountData] = field(default_factory=dict)
    entries_held: dict[str, list[EntryData]] = field(default_factory=dict)
    plans: dict[Method, deque[Plan]] = field(default_factory=dict)
    is_down: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    # --- what a test says ---

    def put(self, account: AccountData, *entries: EntryData) -> None:
        """Open an account with these entries, or replace one."""
        self.accounts_held[account.resource_id] = account
        self.entries_held[account.resource_id] = list(entries)

    def will(self, method: Method, *plans: Plan) -> None:
        """Plan the next calls of `method`: an error to raise, `LOST` for an answer that never comes, None for none."""
        self.plans.setdefault(method, deque()).extend(plans)

    def count(self, method: Method | None = None) -> int:
        """How many calls of `method`, or of all, were made."""
        return sum(call.method == method or method is None for call in self.calls)

    def newest_consent(self) -> str:
        """The id of the consent that was begun last."""
        return next(reversed(self.consents))

    def agree(self, consent_id: str | None = None) -> None:
        """The customer agrees at the bank; in the newest consent unless one is named."""
        self._consent(consent_id).status = "valid"

    def refuse(self, consent_id: str | None = None) -> None:
        """The customer refuses."""
        self._consent(consent_id).status = "refused"

    def expire(self, consent_id: str | None = None) -> None:
        """The consent's time runs out."""
        self._consent(consent_id).status = "expired"

    def withdraw(self, consent_id: str | None = None) -> None:
        """The customer withdraws the consent at the bank."""
        self._consent(consent_id).status = "revoked"

    def newest_payment(self) -> str:
        """The id of the order that came in last."""
        return next(reversed(self.payments))

    def settle(self, bank_status: str = "ACSC", *, reason: str | None = None, payment_id: str | None = None) -> None:
        """The bank's word for an order from now on; for the newest unless one is named."""
        payment = self.payments[payment_id or self.newest_payment()]
        payment.bank_status, payment.reason = bank_status, reason

    # --- what a connector does ---

    def begin_consent(
        self, bank: BankProfile, request: ConsentRequest, psu: Psu, *, deadline_seconds: float
    ) -> ConsentStarted:
        lost = self._called("begin_consent", bank, psu.present, deadline_seconds, request)
        known = [key for key, consent in self.consents.items() if consent.request.request_id == request.request_id]
        consent_id = known[0] if known else secrets.token_hex(8)
        if not known:
            until = min(request.valid_until, self.consent_days_max or request.valid_until)
            self.consents[consent_id] = FakeConsent(request, "pending", until)
        self._answer(lost)
        return ConsentStarted(
            handle={"consent_id": consent_id}, redirect_url=f"https://bank.test/consents/{consent_id}"
        )

    def consent_state(self, bank: BankProfile, handle: Handle, psu: Psu, *, deadline_seconds: float) -> ConsentState:
        lost = self._called("consent_state", bank, psu.present, deadline_seconds, dict(handle))
        consent = self.consents.get(handle["consent_id"])
        self._answer(lost)
        if consent is None:
            raise ConsentRevoked(code="CONSENT_UNKNOWN")
        return ConsentState(status=consent.status, valid_until=consent.valid_until)

    def revoke_consent(self, bank: BankProfile, handle: Handle, *, deadline_seconds: float) -> None:
        lost = self._called("revoke_consent", bank, False, deadline_seconds, dict(handle))
        if consent := self.consents.get(handle["consent_id"]):
            consent.status = "revoked"
        self._answer(lost)

    def accounts(
        self, bank: BankProfile, handle: Handle, psu: Psu, *, balances: bool, deadline_seconds: float
    ) -> tuple[AccountData, ...]:
        lost = self._called("accounts", bank, psu.present, deadline_seconds)
        self._require_consent(handle)
        self._answer(lost)
        return tuple(known if balances else replace(known, balances=()) for known in self.accounts_held.values())

    def balances(
        self, bank: BankProfile, handle: Handle, psu: Psu, resource_id: str, *, deadline_seconds: float
    ) -> tuple[BalanceData, ...]:
        lost = self._called("balances", bank, psu.present, deadline_seconds, resource_id)
        self._require_consent(handle)
        self._answer(lost)
        return self._account(resource_id).balances

    def entries(
        self, bank: BankProfile, handle: Handle, psu: Psu, query: EntriesQuery, *, deadline_seconds: float
    ) -> EntryPage:
        lost = self._called("entries", bank, psu.present, deadline_seconds, query)
        self._require_consent(handle)
        self._account(query.resource_id)
        with_pending = query.pending and bank.capabilities.pending
        since, start = query.since, 0
        if query.page:
            start, since, with_pending = _read_page(query.page)
        listed = [
            entry
            for entry in self.entries_held[query.resource_id]
            if (entry.status is EntryStatus.PENDING and with_pending)
            or (entry.status is EntryStatus.BOOKED and entry.booking_date is not None and entry.booking_date >= since)
        ]
        rest = start + self.page_size
        self._answer(lost)
        return EntryPage(
            entries=tuple(listed[start:rest]),
            next_page=f"{rest}/{since.isoformat()}/{int(with_pending)}" if rest < len(listed) else None,
            pending_included=with_pending,
        )

    def begin_payment(
        self, bank: BankProfile, order: PaymentOrder, psu: Psu, *, deadline_seconds: float
    ) -> PaymentStarted:
        lost = self._called("begin_payment", bank, psu.present, deadline_seconds, order)
        if order.currency not in bank.payment_products:
            raise NotSupported(f"{bank.slug} takes no orders in {order.currency}")
        payment_id = secrets.token_hex(8)
        self.payments[payment_id] = FakePayment(order)
        self._answer(lost)
        return PaymentStarted(
            handle={"payment_id": payment_id},
            status=of_bank_status("RCVD"),
            bank_status="RCVD",
            redirect_url=f"https://bank.test/payments/{payment_id}",
        )

    def payment_state(self, bank: BankProfile, handle: Handle, psu: Psu, *, deadline_seconds: float) -> PaymentState:
        lost = self._called("payment_state", bank, psu.present, deadline_seconds, dict(handle))
        payment = self.payments.get(handle["payment_id"])
        self._answer(lost)
        if payment is None:
            raise BadResponse(code="RESOURCE_UNKNOWN")
        return PaymentState(
            status=of_bank_status(payment.bank_status), bank_status=payment.bank_status, reason=payment.reason
        )

    def probe(self, bank: BankProfile, *, deadline_seconds: float) -> None:
        self._answer(self._called("probe", bank, False, deadline_seconds))

    # --- inside ---

    def _called(
        self, method: Method, bank: BankProfile, present: bool, deadline_seconds: float, asked: Any = None
    ) -> bool:
        """Note the call and meet its plan: raises a planned error, and tells whether the answer will be lost."""
        self.guard(bank)
        with self.lock:
            self.calls.append(Call(method, bank.slug, present, deadline_seconds, asked))
            plans = self.plans.get(method)
            plan = plans.popleft() if plans else None
        if isinstance(plan, ConnectorError):
            raise plan
        if self.is_down:
            raise InstitutionDown("the fake bank is down", code="down", http_status=503)
        return plan == LOST

    def _answer(self, lost: bool) -> None:
        if lost:
            raise InstitutionDown("the answer never came", code="timeout")

    def _consent(self, consent_id: str | None) -> FakeConsent:
        return self.consents[consent_id or self.newest_consent()]

    def _require_consent(self, handle: Handle) -> None:
        consent = self.consents.get(handle["consent_id"])
        status = consent.status if consent else "revoked"
        if status == "expired":
            raise ConsentExpired(code="CONSENT_EXPIRED", http_status=401)
        if status == "revoked":
            raise ConsentRevoked(code="CONSENT_UNKNOWN", http_status=403)
        if status != "valid":
            raise LoginRequired(code="CONSENT_INVALID", http_status=401)

    def _account(self, resource_id: str) -> AccountData:
        if resource_id not in self.accounts_held:
            raise BadResponse(f"no account {resource_id}", code="RESOURCE_UNKNOWN", http_status=404)
        return self.accounts_held[resource_id]


def _read_page(page: str) -> tuple[int, date, bool]:
    start, since, with_pending = page.split("/")
    return int(start), date.fromisoformat(since), with_pending == "1"
