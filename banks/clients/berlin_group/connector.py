"""The Berlin Group connector: which request each method of the Protocol is, and what its answer means."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from uuid import UUID, uuid4, uuid5

from banks.clients.berlin_group import client, parser
from banks.clients.berlin_group.client import Clock, Deadline, Response
from banks.clients.connector import (
    ABSENT,
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
    LoginRequired,
    NotSupported,
    PaymentOrder,
    PaymentStarted,
    PaymentState,
    Psu,
    ScaFailed,
)
from banks.domain.bank_data import AccountData, BalanceData, EntryPage
from banks.domain.bank_payment_state import FINAL, Status, of_bank_status
from banks.domain.profiles import BankProfile
from connect.kit import currencies

_UNKNOWN_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - no address to listen on: the header must be there
_PROBED: Final = "00000000-0000-4000-8000-000000000000"
"""A consent that no bank has: asking for it says whether the bank answers, and is about nobody."""
_NOT_UNDERSTOOD: Final = frozenset(
    {"PARAMETER_NOT_SUPPORTED", "PARAMETER_NOT_CONSISTENT", "FORMAT_ERROR", "SERVICE_INVALID"}
)
PAGES_MAX: Final = 1_000
"""Pages of one list; a bank that has more to say turns in circles."""


@dataclass
class BerlinGroupConnector(GuardedConnector):
    """See `banks.clients.connector.Connector`. `clock` is for tests."""

    name: ClassVar[str] = "berlin_group"

    clock: Clock = field(default_factory=Clock)

    # --- consents ---

    def begin_consent(
        self, bank: BankProfile, request: ConsentRequest, psu: Psu, *, deadline_seconds: float
    ) -> ConsentStarted:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        access: dict[str, list[Any]] = {"accounts": []}  # empty: the customer chooses at the bank
        if request.balances:
            access["balances"] = []
        if request.transactions:
            access["transactions"] = []
        body = {
            "access": access,
            "recurringIndicator": request.recurring,
            "validUntil": request.valid_until.isoformat(),
            "frequencyPerDay": max(1, request.calls_per_day) if request.recurring else 1,
            "combinedServiceIndicator": False,
        }
        ways = _ways_back(request.redirect_uri, request.refused_uri)
        headers = {**_headers(psu, request.request_id, always=True), **ways}
        found = self._post(bank, "/v1/consents", body, headers, deadline)
        consent_id = parser.required(found, "consentId")
        redirect, authorisation = self._sca(bank, found, request.request_id, psu, ways, deadline)
        if redirect is None:
            raise NotSupported("the bank offers no redirect", code="no_redirect")
        return ConsentStarted(handle=_handle(consent_id=consent_id, authorisation=authorisation), redirect_url=redirect)

    def consent_state(self, bank: BankProfile, handle: Handle, psu: Psu, *, deadline_seconds: float) -> ConsentState:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        try:
            found = self._get(bank, f"/v1/consents/{_segment(handle['consent_id'])}", _headers(psu), deadline)
        except BadResponse as error:
            if error.code == "RESOURCE_UNKNOWN":
                raise ConsentRevoked(str(error), code=error.code, http_status=error.http_status) from error
            raise
        state = parser.consent_state(found)
        if state.status == "refused":
            self._say_why(bank, handle, psu, deadline)
        return state

    def revoke_consent(self, bank: BankProfile, handle: Handle, *, deadline_seconds: float) -> None:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        path = f"/v1/consents/{_segment(handle['consent_id'])}"
        try:
            client.write("DELETE", bank, path, headers=_headers(ABSENT), content=None, deadline=deadline)
        except (ConsentRevoked, ConsentExpired):
            return
        except BadResponse as error:
            if error.http_status not in {404, 409, 410}:
                raise
        except LoginRequired as error:
            if error.code != "CONSENT_INVALID":
                raise

    # --- data ---

    def accounts(
        self, bank: BankProfile, handle: Handle, psu: Psu, *, balances: bool, deadline_seconds: float
    ) -> tuple[AccountData, ...]:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        headers = _headers(psu, consent=handle)
        if balances:
            try:
                return parser.accounts(self._get(bank, "/v1/accounts?withBalance=true", headers, deadline))
            except NotSupported as error:
                if error.code not in _NOT_UNDERSTOOD:
                    raise
        return parser.accounts(self._get(bank, "/v1/accounts", headers, deadline))

    def balances(
        self, bank: BankProfile, handle: Handle, psu: Psu, resource_id: str, *, deadline_seconds: float
    ) -> tuple[BalanceData, ...]:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        path = f"/v1/accounts/{_segment(resource_id)}/balances"
        return parser.balances(self._get(bank, path, _headers(psu, consent=handle), deadline).get("balances"))

    def entries(
        self, bank: BankProfile, handle: Handle, psu: Psu, query: EntriesQuery, *, deadline_seconds: float
    ) -> EntryPage:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        headers = _headers(psu, consent=handle)
        if query.page is not None:
            page = _Page.read(query.page)
            return self._page(bank, page, self._answer(bank, page.link, headers, deadline))
        wanted = query.pending and bank.capabilities.pending
        try:
            page = _Page.first(query, pending=wanted)
            return self._page(bank, page, self._answer(bank, page.link, headers, deadline))
        except NotSupported as error:
            if not wanted or error.code not in _NOT_UNDERSTOOD:
                raise
        page = _Page.first(query, pending=False)
        return self._page(bank, page, self._answer(bank, page.link, headers, deadline))

    def _page(self, bank: BankProfile, page: _Page, answer: Response) -> EntryPage:
        found = parser.document(answer.body)
        if parser.link(found, "download"):
            raise NotSupported("the bank gives this list as a file only", code="download_only")
        report = parser.report_of(found)
        if parser.link(report, "download"):
            raise NotSupported("the bank gives this list as a file only", code="download_only")
        following = parser.link(report, "next")
        return EntryPage(
            entries=parser.entries(report, own_iban=parser.own_iban(found)),
            next_page=page.following(bank, following) if following else None,
            pending_included=page.pending,
            balances=parser.balances(found["balances"]) if found.get("balances") is not None else (),
        )

    # --- payments ---

    def begin_payment(
        self, bank: BankProfile, order: PaymentOrder, psu: Psu, *, deadline_seconds: float
    ) -> PaymentStarted:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        product = bank.payment_products.get(order.currency)
        if product is None or not bank.capabilities.payments:
            raise NotSupported(f"{bank.slug} takes no orders in {order.currency.upper()}", code="no_product")
        body: dict[str, Any] = {
            "endToEndIdentification": order.end_to_end_id,
            # The standard wants the field; an empty one lets the customer choose at the bank.
            "debtorAccount": {"iban": order.debtor_iban} if order.debtor_iban else {},
            "instructedAmount": {
                "currency": order.currency.upper(),
                "amount": amount_text(order.amount_minor, order.currency),
            },
            "creditorAccount": {"iban": order.creditor_iban},
            "creditorName": order.creditor_name,
        }
        if order.remittance:
            body["remittanceInformationUnstructured"] = order.remittance
        ways = _ways_back(order.redirect_uri, order.refused_uri)
        headers = {**_headers(psu, order.request_id, always=True), **ways}
        found = self._post(bank, f"/v1/payments/{_segment(product)}", body, headers, deadline)
        payment_id, bank_status = parser.required(found, "paymentId"), parser.required(found, "transactionStatus")
        status, redirect, authorisation = of_bank_status(bank_status), None, None
        if status not in FINAL:
            redirect, authorisation = self._sca(bank, found, order.request_id, psu, ways, deadline)
        return PaymentStarted(
            handle=_handle(payment_id=payment_id, product=product, authorisation=authorisation),
            status=status,
            bank_status=bank_status[:4],
            redirect_url=redirect,
        )

    def payment_state(self, bank: BankProfile, handle: Handle, psu: Psu, *, deadline_seconds: float) -> PaymentState:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        path = f"/v1/payments/{_segment(handle['product'])}/{_segment(handle['payment_id'])}/status"
        found = self._get(bank, path, _headers(psu), deadline)
        bank_status = parser.required(found, "transactionStatus")
        status = of_bank_status(bank_status)
        refused = status in FINAL and status is not Status.SUCCEEDED
        return PaymentState(
            status=status, bank_status=bank_status[:4], reason=_reason(found) if refused else None
        )  # fmt: skip

    # --- health ---

    def probe(self, bank: BankProfile, *, deadline_seconds: float) -> None:
        self.guard(bank)
        deadline = Deadline(deadline_seconds, self.clock)
        try:
            self._get(bank, f"/v1/consents/{_PROBED}/status", _headers(ABSENT), deadline)
        except (ConsentRevoked, ConsentExpired, LoginRequired, NotSupported):
            return  # a refusal in the standard's words is an answer
        except BadResponse as error:
            if error.code != "RESOURCE_UNKNOWN":
                raise

    # --- inside ---

    def _answer(self, bank: BankProfile, path: str, headers: Mapping[str, str], deadline: Deadline) -> Response:
        return client.read(bank, path, headers=headers, deadline=deadline)

    def _get(self, bank: BankProfile, path: str, headers: Mapping[str, str], deadline: Deadline) -> parser.Json:
        return parser.document(self._answer(bank, path, headers, deadline).body)

    def _post(
        self, bank: BankProfile, path: str, body: Mapping[str, Any], headers: Mapping[str, str], deadline: Deadline
    ) -> parser.Json:
        content = json.dumps(body, ensure_ascii=False).encode()
        sent = {**headers, "Content-Type": "application/json"}
        return parser.document(
            client.write("POST", bank, path, headers=sent, content=content, deadline=deadline).body
        )  # fmt: skip

    def _sca(
        self,
        bank: BankProfile,
        found: parser.Json,
        request_id: str,
        psu: Psu,
        ways: Mapping[str, str],
        deadline: Deadline,
    ) -> tuple[str | None, str | None]:
        """Where the customer agrees, and where the attempt's status stands. Starts one where the bank leaves it to us.

        None for the address when nothing is to be done; `NotSupported` for a way that is no redirect.
        """
        redirect = parser.link(found, "scaRedirect")
        start = parser.link(found, "startAuthorisation")
        if redirect is None and start is not None:
            again = _headers(psu, str(uuid5(UUID(request_id), "authorisation")), always=True)
            found = self._post(bank, start, {}, {**again, **ways}, deadline)
            redirect = parser.link(found, "scaRedirect")
        if redirect is None:
            others = [name for name in parser.links(found) if "uthori" in name or name == "scaOAuth"]
            if others:
                raise NotSupported(f"the bank offers {', '.join(sorted(others))[:200]} only", code="no_redirect")
            return None, None
        status = parser.link(found, "scaStatus")
        return client.page_address(bank, redirect), client.address(bank, status) if status else None

    def _say_why(self, bank: BankProfile, handle: Handle, psu: Psu, deadline: Deadline) -> None:
        """Raise `ScaFailed` when the bank says that a refused consent is one that could not be authenticated."""
        if "authorisation" not in handle:
            return
        try:
            found = self._get(bank, handle["authorisation"], _headers(psu), deadline)
        except ConnectorError:
            return  # the consent is refused either way
        messages = [found.get("tppMessage"), *(found.get("tppMessages") or [])]
        codes = {item.get("code") for item in messages if _is_object(item)}
        if codes & {"PSU_CREDENTIALS_INVALID", "SCA_INVALID"}:
            raise ScaFailed(code="PSU_CREDENTIALS_INVALID")


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of a list. What we must know of the pages before it travels in the link's fragment, which is never sent.

    `seen` are marks of the links that were followed so far, this one included.
    """

    link: str
    pending: bool
    seen: tuple[str, ...]

    @classmethod
    def first(cls, query: EntriesQuery, *, pending: bool) -> _Page:
        asked = {
            "bookingStatus": "both" if pending else "booked",
            "dateFrom": query.since.isoformat(),
        }  # fmt: skip
        link = f"/v1/accounts/{_segment(query.resource_id)}/transactions?{urlencode(asked)}"
        return cls(link, pending, ())

    @classmethod
    def read(cls, page: str) -> _Page:
        link, _, rest = page.partition("#")
        pending, _, seen = rest.partition(".")
        return cls(link, pending == "p", tuple(filter(None, seen.split("."))))

    def following(self, bank: BankProfile, link: str) -> str:
        """The next page, as `EntriesQuery.page` takes it; raises `BadResponse` when the list turns in circles."""
        seen = (*self.seen, _mark(client.address(bank, self.link)))
        found = client.address(bank, link)
        if _mark(found) in seen or len(seen) >= PAGES_MAX:
            raise BadResponse("the list turns in circles", code="loop")
        return f"{found}#{'p' if self.pending else 'b'}.{'.'.join(seen)}"


def _mark(address: str) -> str:
    """The same for the same page, however its query is ordered."""
    parts = urlsplit(address)
    page = (parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return hashlib.sha256(repr(page).encode()).hexdigest()[:16]


def amount_text(minor: int, currency: str) -> str:
    """`12.30` for 1230 of a currency with two decimals."""
    exponent = currencies.exponent(currency)
    whole, part = divmod(minor, 10**exponent)
    return f"{whole}.{part:0{exponent}}" if exponent else str(whole)


def _headers(
    psu: Psu, request_id: str | None = None, *, consent: Handle | None = None, always: bool = False
) -> dict[str, str]:
    """What goes with a call. The customer's address says that they are present; consents and orders always need it."""
    found = {"X-Request-ID": request_id or str(uuid4())}
    if consent is not None:
        found["Consent-ID"] = consent["consent_id"]
    if psu.present or always:
        found["PSU-IP-Address"] = _address(psu.ip_address)
        agent = (psu.user_agent or "").encode("ascii", "ignore").decode()
        if agent := "".join(letter for letter in agent if letter.isprintable()).strip()[:300]:
            found["PSU-User-Agent"] = agent
    return found


def _address(text: str | None) -> str:
    """The standard knows IPv4 only; an address of the newer kind is sent all the same, because it is the true one."""
    try:
        found = ipaddress.ip_address(text or "")
    except ValueError:
        return _UNKNOWN_ADDRESS
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _ways_back(redirect_uri: str, refused_uri: str) -> dict[str, str]:
    return {
        "TPP-Redirect-Preferred": "true",
        "TPP-Redirect-URI": redirect_uri,
        "TPP-Nok-Redirect-URI": refused_uri,
    }


def _handle(**parts: str | None) -> Handle:
    return {name: value for name, value in parts.items() if value is not None}


def _segment(text: str) -> str:
    return quote(text, safe="")


def _reason(found: parser.Json) -> str | None:
    messages = found.get("tppMessages")
    first = messages[0] if isinstance(messages, list) and messages and _is_object(messages[0]) else {}
    return parser.text(found.get("psuMessage"), 140) or parser.text(first.get("text") or first.get("code"), 140)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)
