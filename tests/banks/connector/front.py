"""A Berlin Group interface before the bank in memory, so that one contract can be held against both connectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from banks.clients.berlin_group.connector import amount_text
from banks.clients.connector import ABSENT, ConnectorError, ConsentRequest, EntriesQuery, PaymentOrder
from banks.clients.fake import FakeConnector
from banks.domain.bank_data import AccountData, BalanceKind, EntryData
from banks.domain.profiles import BankProfile
from tests.banks.connector.scripted_bank import Says, ScriptedBank, Seen, check, refusal

STATUSES = {
    "pending": "received",
    "valid": "valid",
    "refused": "rejected",
    "expired": "expired",
    "revoked": "revokedByPsu",
}
KINDS = {
    BalanceKind.BOOKED: "interimBooked",
    BalanceKind.AVAILABLE: "interimAvailable",
    BalanceKind.EXPECTED: "expected",
}


@dataclass
class Front:
    """Answers requests from `fake`, after holding them against the official description."""

    fake: FakeConnector
    bank: BankProfile
    checked: list[str] = field(default_factory=list)

    def __call__(self, seen: Seen) -> Says:
        check(seen)
        self.checked.append(f"{seen.method} {seen.path}")
        try:
            return self.answer(seen)
        except ConnectorError as error:
            return Says(error.http_status or 500, refusal(error.code or "X"))

    def answer(self, seen: Seen) -> Says:
        match seen.method, seen.path.strip("/").split("/")[1:]:
            case "POST", ["consents"]:
                return self.begin_consent(seen)
            case "GET", ["consents", consent_id]:
                state = self.fake.consent_state(self.bank, {"consent_id": consent_id}, ABSENT, deadline_seconds=1)
                return Says(200, {
                    "access": {"accounts": []}, "recurringIndicator": True, "frequencyPerDay": 4,
                    "validUntil": state.valid_until.isoformat(), "consentStatus": STATUSES[state.status],
                    "lastActionDate": "2026-11-26",
                })  # fmt: skip
            case "GET", ["consents", _, "status"]:
                return Says(403, refusal("CONSENT_UNKNOWN"))
            case "DELETE", ["consents", consent_id]:
                self.fake.revoke_consent(self.bank, {"consent_id": consent_id}, deadline_seconds=1)
                return Says(204, b"")
            case "GET", ["accounts"]:
                with_balance = seen.query.get("withBalance") == "true"
                handle = {"consent_id": seen.headers["Consent-ID"]}
                found = self.fake.accounts(self.bank, handle, ABSENT, balances=with_balance, deadline_seconds=1)
                return Says(200, {"accounts": [account(item) for item in found]})
            case "GET", ["accounts", resource_id, "balances"]:
                handle = {"consent_id": seen.headers["Consent-ID"]}
                found = self.fake.balances(self.bank, handle, ABSENT, resource_id, deadline_seconds=1)
                return Says(200, {"balances": [balance(item) for item in found]})
            case "GET", ["accounts", resource_id, "transactions"]:
                return self.entries(seen, resource_id)
            case "POST", ["payments", _]:
                return self.begin_payment(seen)
            case "GET", ["payments", _, payment_id, "status"]:
                state = self.fake.payment_state(self.bank, {"payment_id": payment_id}, ABSENT, deadline_seconds=1)
                return Says(200, {"transactionStatus": state.bank_status, "psuMessage": state.reason or ""})
        raise AssertionError(seen)

    def begin_consent(self, seen: Seen) -> Says:
        body = seen.json()
        request = ConsentRequest(
            request_id=seen.headers["X-Request-ID"], valid_until=date.fromisoformat(body["validUntil"]),
            recurring=body["recurringIndicator"], calls_per_day=body["frequencyPerDay"],
            redirect_uri=seen.headers["TPP-Redirect-URI"], refused_uri=seen.headers["TPP-Nok-Redirect-URI"],
        )  # fmt: skip
        begun = self.fake.begin_consent(self.bank, request, ABSENT, deadline_seconds=1)
        links = {
            "scaRedirect": {"href": begun.redirect_url},
            "self": {"href": f"/v1/consents/{begun.handle['consent_id']}"},
        }
        return Says(201, {"consentStatus": "received", "consentId": begun.handle["consent_id"], "_links": links})

    def entries(self, seen: Seen, resource_id: str) -> Says:
        page = seen.query.get("page")
        since = date.fromisoformat(seen.query.get("dateFrom", "1970-01-01"))
        query = EntriesQuery(
            resource_id=resource_id, since=since, pending=seen.query.get("bookingStatus") == "both", page=page
        )
        handle = {"consent_id": seen.headers["Consent-ID"]}
        found = self.fake.entries(self.bank, handle, ABSENT, query, deadline_seconds=1)
        links = {"account": {"href": f"/v1/accounts/{resource_id}"}}
        if found.next_page:
            asked = f"bookingStatus={seen.query['bookingStatus']}&page={found.next_page}"
            links["next"] = {"href": f"/v1/accounts/{resource_id}/transactions?{asked}"}
        report: dict[str, Any] = {"_links": links}
        for status in ("booked", "pending"):
            report[status] = [entry(item) for item in found.entries if item.status.value == status]
        return Says(200, {"transactions": report})

    def begin_payment(self, seen: Seen) -> Says:
        body = seen.json()
        order = PaymentOrder(
            request_id=seen.headers["X-Request-ID"], end_to_end_id=body["endToEndIdentification"],
            amount_minor=int(body["instructedAmount"]["amount"].replace(".", "")),
            currency=body["instructedAmount"]["currency"].lower(), creditor_name=body["creditorName"],
            creditor_iban=body["creditorAccount"]["iban"], debtor_iban=body["debtorAccount"].get("iban"),
            remittance=body.get("remittanceInformationUnstructured", ""),
            redirect_uri=seen.headers["TPP-Redirect-URI"], refused_uri=seen.headers["TPP-Nok-Redirect-URI"],
        )  # fmt: skip
        begun = self.fake.begin_payment(self.bank, order, ABSENT, deadline_seconds=1)
        links = {"scaRedirect": {"href": begun.redirect_url}}
        return Says(201, {"transactionStatus": "RCVD", "paymentId": begun.handle["payment_id"], "_links": links})


def amount(minor: int, currency: str) -> dict[str, str]:
    sign = "-" if minor < 0 else ""
    return {"currency": currency.upper(), "amount": f"{sign}{amount_text(abs(minor), currency)}"}


def balance(data: Any) -> dict[str, Any]:
    return {"balanceType": KINDS[data.kind], "balanceAmount": amount(data.amount_minor, data.currency)}


def account(data: AccountData) -> dict[str, Any]:
    shown = {"resourceId": data.resource_id, "iban": data.iban, "bban": data.national_number, "name": data.name,
             "currency": data.currency.upper(), "ownerName": data.owner_name, "product": data.product,
             "cashAccountType": data.cash_account_type, "status": data.status}  # fmt: skip
    told = {name: value for name, value in shown.items() if value is not None}
    return {**told, "balances": [balance(item) for item in data.balances]} if data.balances else told


def entry(data: EntryData) -> dict[str, Any]:
    other = "creditor" if data.amount_minor < 0 else "debtor"
    shown = {
        "transactionId": data.transaction_id, "entryReference": data.entry_reference, "endToEndId": data.end_to_end_id,
        "bookingDate": data.booking_date and data.booking_date.isoformat(),
        f"{other}Name": data.counterparty.name, "remittanceInformationUnstructured": data.remittance,
        f"{other}Account": {"iban": data.counterparty.account} if data.counterparty.account else None,
    }  # fmt: skip
    told = {name: value for name, value in shown.items() if value is not None}
    return {**told, "transactionAmount": amount(data.amount_minor, data.currency)}


__all__ = ["Front", "ScriptedBank"]
