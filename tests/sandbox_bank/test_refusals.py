"""Every refusal of the interface, each as the Berlin Group's description wants it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox_bank.refusals import STATUSES
from tests.sandbox_bank.third_party import CHOICE, PAYMENTS, order

NOBODY = "4d3bbd0c-7c1c-4a35-9a8f-3f0a6c2b7d11"


def blocked(tpp, bank):
    bank.control(f"accounts/{bank.iban()}", {"status": "blocked"})


def begun_only(tpp, bank):
    tpp.consent = tpp.begin().json()["consentId"]


def expired(tpp, bank):
    bank.control("clock", {"offset_seconds": 181 * 86_400})


def told(status):
    return lambda tpp, bank: bank.control(f"consents/{tpp.consent}", {"status": status})


def given_back(tpp, bank):
    tpp.call("DELETE", f"/v1/consents/{tpp.consent}")


def used_up(tpp, bank):
    tpp.present = False
    for _ in range(4):
        tpp.get("/v1/accounts")


def nothing(tpp, bank):
    pass


READ = "{account}/transactions?bookingStatus=both&dateFrom=2026-01-01"
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
READS = {
    # what is wrong: (what happens first, path, headers, status, code)
    "no request id": (nothing, "/v1/accounts", {"X-Request-ID": None}, 400, "FORMAT_ERROR"),
    "a request id of another kind": (nothing, "/v1/accounts", {"X-Request-ID": "1"}, 400, "FORMAT_ERROR"),
    "an address that is none": (nothing, "/v1/accounts", {"PSU-IP-Address": "here"}, 400, "FORMAT_ERROR"),
    "no consent": (nothing, "/v1/accounts", {"Consent-ID": None}, 400, "FORMAT_ERROR"),
    "an unknown consent": (nothing, "/v1/accounts", {"Consent-ID": NOBODY}, 400, "CONSENT_UNKNOWN"),
    "an unknown consent in the path": (nothing, f"/v1/consents/{NOBODY}", {}, 403, "CONSENT_UNKNOWN"),
    "a consent nobody agreed to": (begun_only, "/v1/accounts", {}, 401, "CONSENT_INVALID"),
    "a consent that ran out": (expired, "/v1/accounts", {}, 401, "CONSENT_EXPIRED"),
    "a consent the bank ended": (told("expired"), "/v1/accounts", {}, 401, "CONSENT_EXPIRED"),
    "a consent the customer withdrew": (told("revokedByPsu"), "/v1/accounts", {}, 401, "CONSENT_INVALID"),
    "a consent that was given back": (given_back, "/v1/accounts", {}, 401, "CONSENT_INVALID"),
    "too many calls": (used_up, "/v1/accounts", {}, 429, "ACCESS_EXCEEDED"),
    "an unknown account": (nothing, f"/v1/accounts/{NOBODY}/balances", {}, 404, "RESOURCE_UNKNOWN"),
    "an account of somebody else": (nothing, "{stranger}/balances", {}, 401, "CONSENT_INVALID"),
    "a blocked account": (blocked, "{account}/balances", {}, 403, "SERVICE_BLOCKED"),
    "no booking status": (nothing, "{account}/transactions?dateFrom=2026-01-01", {}, 400, "FORMAT_ERROR"),
    "a status this bank does not list": (
        nothing, "{account}/transactions?bookingStatus=information&dateFrom=2026-01-01", {}, 400, "PARAMETER_NOT_SUPPORTED",
    ),
    "a delta": (nothing, f"{READ}&deltaList=true", {}, 400, "PARAMETER_NOT_SUPPORTED"),
    "no first day": (nothing, "{account}/transactions?bookingStatus=both", {}, 400, "FORMAT_ERROR"),
    "a day that is none": (nothing, f"{READ}&dateTo=2026-02-30", {}, 400, "FORMAT_ERROR"),
    "a period backwards": (nothing, f"{READ}&dateTo=2025-12-31", {}, 400, "PERIOD_INVALID"),
    "a period in the future": (
        nothing, f"{{account}}/transactions?bookingStatus=both&dateFrom={TOMORROW}", {}, 400, "PERIOD_INVALID",
    ),
    "a page that is none": (nothing, f"{READ}&pageIndex=-1", {}, 400, "FORMAT_ERROR"),
    "an unknown entry": (nothing, f"{{account}}/transactions/{NOBODY}", {}, 404, "RESOURCE_UNKNOWN"),
    "XML": (nothing, "/v1/accounts", {"Accept": "application/xml"}, 406, "REQUESTED_FORMATS_INVALID"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", READS)
def test_a_read_is_refused(tpp, sandbox_bank, wrong):
    before, path, headers, status, code = READS[wrong]
    places = {
        "account": f"/v1/accounts/{sandbox_bank.accounts()[0]['resource']}",
        "stranger": f"/v1/accounts/{sandbox_bank.accounts('user_many')[0]['resource']}",
    }
    tpp.agreed()
    before(tpp, sandbox_bank)
    refused = tpp.call("GET", path.format(**places), **headers)
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (status, code)


def access(**lists):
    return {**CHOICE, **lists}


CONSENTS = {
    "no body of an object": ([], {}, 400, "FORMAT_ERROR"),
    "no access": ({"access": None}, {}, 400, "FORMAT_ERROR"),
    "a yes as a text": ({"recurringIndicator": "true"}, {}, 400, "FORMAT_ERROR"),
    "no combined service": ({"combinedServiceIndicator": None}, {}, 400, "FORMAT_ERROR"),
    "calls as a yes": ({"frequencyPerDay": True}, {}, 400, "FORMAT_ERROR"),
    "no calls at all": ({"frequencyPerDay": 0}, {}, 400, "FORMAT_ERROR"),
    "a day that is none": ({"validUntil": "soon"}, {}, 400, "FORMAT_ERROR"),
    "a day in the past": ({"validUntil": "2020-01-01"}, {}, 400, "FORMAT_ERROR"),
    "another word for all": ({"access": {"allPsd2": "all"}}, {}, 400, "FORMAT_ERROR"),
    "all and some": ({"access": {"allPsd2": "allAccounts", "accounts": []}}, {}, 400, "FORMAT_ERROR"),
    "a list of something unknown": ({"access": {"cards": []}}, {}, 400, "PARAMETER_NOT_SUPPORTED"),
    "a wrong IBAN": (
        {"access": {name: [{"iban": "MK07999200001000164"}] for name in CHOICE}}, {}, 400, "FORMAT_ERROR",
    ),
    "some lists filled, some empty": (
        {"access": access(accounts=[{"iban": "DE89370400440532013000"}])}, {}, 400, "FORMAT_ERROR",
    ),
    "no customer": ({}, {"PSU-IP-Address": None}, 400, "FORMAT_ERROR"),
    "no way back": ({}, {"TPP-Redirect-URI": None}, 400, "FORMAT_ERROR"),
    "a way back that is a script": ({}, {"TPP-Redirect-URI": "javascript:alert(1)"}, 400, "FORMAT_ERROR"),
    "another approach": ({}, {"TPP-Redirect-Preferred": "false"}, 400, "PARAMETER_NOT_SUPPORTED"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", CONSENTS)
def test_a_consent_is_refused(tpp, wrong):
    changed, headers, status, code = CONSENTS[wrong]
    body = {"access": CHOICE, "recurringIndicator": True, "validUntil": "9999-12-31", "frequencyPerDay": 4,
            "combinedServiceIndicator": False}  # fmt: skip
    refused = tpp.call("POST", "/v1/consents", {**body, **changed} if isinstance(changed, dict) else changed, **headers)
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (status, code)


ORDERS = {
    "an unknown product": ("/v1/payments/target-2-payments", {}, 404, "PRODUCT_UNKNOWN"),
    "many at once": ("/v1/bulk-payments/sepa-credit-transfers", {}, 404, "PRODUCT_UNKNOWN"),
    "another currency": (PAYMENTS, {"instructedAmount": {"currency": "MKD", "amount": "1"}}, 403, "PRODUCT_INVALID"),
    "nothing": (PAYMENTS, {"instructedAmount": {"currency": "EUR", "amount": "0.00"}}, 400, "FORMAT_ERROR"),
    "less than nothing": (PAYMENTS, {"instructedAmount": {"currency": "EUR", "amount": "-1"}}, 400, "FORMAT_ERROR"),
    "a number": (PAYMENTS, {"instructedAmount": {"currency": "EUR", "amount": 1}}, 400, "FORMAT_ERROR"),
    "half a cent": (PAYMENTS, {"instructedAmount": {"currency": "EUR", "amount": "1.005"}}, 400, "FORMAT_ERROR"),
    "nobody to pay": (PAYMENTS, {"creditorName": " "}, 400, "FORMAT_ERROR"),
    "a long id": (PAYMENTS, {"endToEndIdentification": "x" * 36}, 400, "FORMAT_ERROR"),
    "a wrong IBAN": (PAYMENTS, {"creditorAccount": {"iban": "DE89370400440532013001"}}, 400, "FORMAT_ERROR"),
    "an account of another bank": (
        PAYMENTS, {"debtorAccount": {"iban": "DE89370400440532013000"}}, 400, "PAYMENT_FAILED",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", ORDERS)
def test_an_order_is_refused(tpp, wrong):
    path, changed, status, code = ORDERS[wrong]
    refused = tpp.call("POST", path, order(**changed))
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (status, code)


def test_an_order_that_is_settled_is_not_withdrawn(tpp, sandbox_bank):
    path = tpp.call("POST", PAYMENTS, order()).headers["location"]
    sandbox_bank.authorise(payment="E2E-1")
    refused = tpp.call("DELETE", path)
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (405, "CANCELLATION_INVALID")


def test_what_is_decided_cannot_be_agreed_to_again(tpp):
    tpp.agreed()
    refused = tpp.call("POST", f"/v1/consents/{tpp.consent}/authorisations", {})
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (409, "STATUS_INVALID")


def test_no_password_is_taken_by_the_interface(tpp):
    path = tpp.begin().headers["location"]
    (attempt,) = tpp.get(f"{path}/authorisations")["authorisationIds"]
    refused = tpp.call("PUT", f"{path}/authorisations/{attempt}", {"psuData": {"password": "pass_good"}})
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (405, "SERVICE_INVALID")


def test_a_body_that_is_no_json(tpp, client, sandbox_bank):
    headers = {"X-Request-ID": "0f9a3c3e-8f0b-4f3f-9a57-64a1a3f5d0e1", "PSU-IP-Address": "192.0.2.7",
               "TPP-Redirect-URI": "https://app.example", "Content-Type": "application/json"}  # fmt: skip
    refused = client.post(f"{sandbox_bank.url}/v1/consents", content=b"{", headers=headers)
    tpp.check(refused)
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (400, "FORMAT_ERROR")


def test_every_code_is_tried():
    tried = {case[-1] for table in (READS, CONSENTS, ORDERS) for case in table.values()}
    assert tried | {"CANCELLATION_INVALID", "STATUS_INVALID", "SERVICE_INVALID"} == set(STATUSES)
