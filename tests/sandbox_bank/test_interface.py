"""The interface does what the standard says; every answer is held against the Berlin Group's description."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox_bank.third_party import BACK, CHOICE, REFUSED, order

EVERYTHING = ["accounts", "balances", "transactions"]


def today() -> datetime:
    return datetime.now(UTC).date()


# --- consents ---------------------------------------------------------------------------------------------------------


def test_a_consent_from_the_first_call_to_the_last(tpp, sandbox_bank):
    begun = tpp.begin()
    body = begun.json()
    assert begun.status_code == 201
    assert begun.headers["aspsp-sca-approach"] == "REDIRECT"
    assert body["consentStatus"] == "received"
    assert body["_links"]["scaRedirect"]["href"].startswith(f"{sandbox_bank.url}/bank/authorise/")
    path = begun.headers["location"]
    assert tpp.get(f"{path}/status") == {"consentStatus": "received"}
    (attempt,) = tpp.get(f"{path}/authorisations")["authorisationIds"]
    assert tpp.get(f"{path}/authorisations/{attempt}") == {"scaStatus": "received"}

    iban = sandbox_bank.iban("EUR")
    assert sandbox_bank.authorise(consent=body["consentId"], accounts=[iban]) == {"status": "valid", "redirect": BACK}
    agreed = tpp.get(path)
    assert agreed["consentStatus"] == "valid"
    assert agreed["access"] == {name: [{"iban": iban, "currency": "EUR"}] for name in EVERYTHING}
    assert tpp.get(f"{path}/authorisations/{attempt}") == {"scaStatus": "finalised"}

    assert tpp.call("DELETE", path).status_code == 204
    assert tpp.get(f"{path}/status") == {"consentStatus": "terminatedByTpp"}
    assert tpp.call("DELETE", path).status_code == 204


@pytest.mark.parametrize(("outcome", "redirect"), [("refuse", REFUSED), ("fail", REFUSED)])
def test_a_consent_that_is_not_given(tpp, sandbox_bank, outcome, redirect):
    begun = tpp.begin()
    answered = sandbox_bank.authorise(consent=begun.json()["consentId"], outcome=outcome)
    assert answered == {"status": "rejected", "redirect": redirect}
    path = begun.headers["location"]
    (attempt,) = tpp.get(f"{path}/authorisations")["authorisationIds"]
    assert tpp.get(f"{path}/authorisations/{attempt}") == {"scaStatus": "failed"}


def test_the_bank_shortens_what_is_too_long(tpp):
    path = tpp.begin(frequencyPerDay=100).headers["location"]
    found = tpp.get(path)
    assert found["validUntil"] == (today() + timedelta(days=180)).isoformat()
    assert found["frequencyPerDay"] == 4
    soon = (today() + timedelta(days=30)).isoformat()
    assert tpp.get(tpp.begin(validUntil=soon).headers["location"])["validUntil"] == soon


def test_the_same_request_again_is_the_same_consent(tpp):
    request_id = str(uuid.uuid4())
    body = {"access": CHOICE, "recurringIndicator": True, "validUntil": "9999-12-31", "frequencyPerDay": 4,
            "combinedServiceIndicator": False}  # fmt: skip
    first, second = (tpp.call("POST", "/v1/consents", body, X_Request_ID=request_id).json() for _ in range(2))
    assert first == second


def test_a_third_party_may_begin_the_authorisation_itself(tpp, sandbox_bank):
    body = {"access": CHOICE, "recurringIndicator": True, "validUntil": "9999-12-31", "frequencyPerDay": 4,
            "combinedServiceIndicator": False}  # fmt: skip
    begun = tpp.call("POST", "/v1/consents", body, TPP_Explicit_Authorisation_Preferred="true").json()
    assert "scaRedirect" not in begun["_links"]
    started = tpp.call("POST", begun["_links"]["startAuthorisation"]["href"], {})
    assert started.status_code == 201
    assert started.json()["_links"]["scaRedirect"]["href"].startswith(f"{sandbox_bank.url}/bank/authorise/")


@pytest.mark.parametrize(
    ("access", "accounts", "balances", "entries"),
    [
        (CHOICE, 5, 200, 200),
        ({"accounts": [], "balances": []}, 5, 200, 401),
        ({"allPsd2": "allAccounts"}, 5, 200, 200),
        ({"availableAccounts": "allAccounts"}, 5, 401, 401),
        ({"availableAccountsWithBalance": "allAccounts"}, 5, 200, 401),
    ],
)
def test_each_model_of_access_reaches_what_it_says(tpp, access, accounts, balances, entries):
    tpp.agreed(access)
    found = tpp.get("/v1/accounts?withBalance=true")["accounts"]
    assert len(found) == accounts
    assert all(("balances" in one) == (balances == 200) for one in found)
    path = tpp.account()
    assert tpp.call("GET", f"{path}/balances").status_code == balances
    assert tpp.call("GET", f"{path}/transactions?bookingStatus=both&dateFrom=2026-01-01").status_code == entries


def test_a_consent_for_named_accounts_reaches_those(tpp, sandbox_bank):
    euro, dinar = {"iban": sandbox_bank.iban("EUR")}, {"iban": sandbox_bank.iban("RSD")}
    tpp.agreed({"accounts": [euro, dinar], "balances": [euro, dinar], "transactions": [dinar]})
    assert {one["iban"] for one in tpp.get("/v1/accounts")["accounts"]} == {euro["iban"], dinar["iban"]}
    assert tpp.call("GET", f"{tpp.account('EUR')}/balances").status_code == 200
    refused = tpp.call("GET", f"{tpp.account('EUR')}/transactions?bookingStatus=both&dateFrom=2026-01-01")
    assert refused.json()["tppMessages"][0]["code"] == "CONSENT_INVALID"
    assert tpp.entries(tpp.account("RSD"))["account"]["iban"] == dinar["iban"]


@pytest.mark.parametrize(("expires", "left"), [(False, "valid"), (True, "expired")])
def test_a_new_consent_ends_the_former_one_only_where_the_bank_does_that(tpp, sandbox_bank, expires, left):
    sandbox_bank.control("switches", {"expire_former_consents": expires})
    former = tpp.agreed().consent
    latter = tpp.agreed().consent
    assert tpp.get(f"/v1/consents/{former}/status") == {"consentStatus": left}
    assert tpp.get(f"/v1/consents/{latter}/status") == {"consentStatus": "valid"}


def test_accounts_may_get_new_names_with_a_new_consent(tpp, sandbox_bank):
    sandbox_bank.control("switches", {"new_resource_ids": True})
    first = {one["iban"]: one["resourceId"] for one in tpp.agreed().get("/v1/accounts")["accounts"]}
    second = {one["iban"]: one["resourceId"] for one in tpp.agreed().get("/v1/accounts")["accounts"]}
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())
    assert tpp.entries(tpp.account())["transactions"]["booked"]


# --- accounts and entries ---------------------------------------------------------------------------------------------


def test_an_account_says_what_it_is(tpp, sandbox_bank):
    path = tpp.agreed().account("EUR")
    found = tpp.get(f"{path}?withBalance=true")["account"]
    assert found["iban"] == sandbox_bank.iban("EUR")
    assert found["ownerName"] == "Ана Петровска"
    assert found["balances"] == tpp.get(f"{path}/balances")["balances"]
    assert {one["balanceType"] for one in found["balances"]} == {"interimBooked", "interimAvailable"}


def test_pages_hold_every_entry_once_and_newest_first(tpp, sandbox_bank):
    sandbox_bank.control("switches", {"page_size": 40})
    path = tpp.agreed().account()
    pages, following = [], f"{path}/transactions?bookingStatus=both&dateFrom=2000-01-01"
    while following:
        pages.append(tpp.get(following)["transactions"])
        following = pages[-1]["_links"].get("next", {}).get("href")
    booked = [one for page in pages for one in page["booked"]]
    everything = sandbox_bank.control("transactions/list", {"account": sandbox_bank.iban()})["transactions"]
    assert len(pages) > 5
    assert {one["transactionId"] for one in booked} == {
        one["transactionId"] for one in everything if not one["pending"]
    }
    assert len(booked) == len({one["transactionId"] for one in booked})
    assert [one["bookingDate"] for one in booked] == sorted((one["bookingDate"] for one in booked), reverse=True)
    assert [len(page["pending"]) for page in pages] == [2, *[0] * (len(pages) - 1)]


def test_a_period_is_inclusive(tpp):
    path = tpp.agreed().account()
    days = sorted({one["bookingDate"] for one in tpp.entries(path, "booked")["transactions"]["booked"]})
    first, last = days[2], days[5]
    found = tpp.get(f"{path}/transactions?bookingStatus=booked&dateFrom={first}&dateTo={last}")["transactions"]
    assert sorted({one["bookingDate"] for one in found["booked"]}) == days[2:6]
    assert "pending" not in found


def test_only_pending_entries_when_asked(tpp):
    found = tpp.entries(tpp.agreed().account(), "pending")["transactions"]
    assert "booked" not in found
    assert len(found["pending"]) == 2
    assert all("bookingDate" not in one for one in found["pending"])


def test_one_entry_by_its_id(tpp):
    path = tpp.agreed().account()
    entry = tpp.entries(path)["transactions"]["booked"][0]
    assert tpp.get(f"{path}/transactions/{entry['transactionId']}") == {"transactionsDetails": entry}


def test_calls_without_the_customer_are_counted_by_account_and_endpoint(tpp, sandbox_bank):
    mkd, eur = tpp.agreed().account("MKD"), tpp.account("EUR")
    tpp.present = False
    for _ in range(4):
        assert tpp.call("GET", f"{mkd}/balances").status_code == 200
    refused = tpp.call("GET", f"{mkd}/balances")
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (429, "ACCESS_EXCEEDED")
    assert tpp.call("GET", f"{eur}/balances").status_code == 200
    assert tpp.call("GET", mkd).status_code == 200
    assert tpp.call("GET", f"{mkd}/balances", PSU_IP_Address="192.0.2.7").status_code == 200
    sandbox_bank.control("clock", {"offset_seconds": 86_400})
    assert tpp.call("GET", f"{mkd}/balances").status_code == 200


def test_the_pages_of_a_list_count_as_one_call(tpp, sandbox_bank):
    sandbox_bank.control("switches", {"page_size": 20})
    path = tpp.agreed().account()
    tpp.present = False
    following = f"{path}/transactions?bookingStatus=booked&dateFrom=2000-01-01"
    while following:
        following = tpp.get(following)["transactions"]["_links"].get("next", {}).get("href")
    calls = sandbox_bank.log("transactions")
    assert len(calls) > 5
    assert {one["attended"] for one in calls} == {False}


# --- payments ---------------------------------------------------------------------------------------------------------


def test_an_order_is_settled_and_stands_in_the_account(tpp, sandbox_bank):
    before = sandbox_bank.accounts()[1]
    begun = tpp.call("POST", "/v1/payments/sepa-credit-transfers", order())
    assert begun.status_code == 201
    assert begun.json()["transactionStatus"] == "RCVD"
    path = begun.headers["location"]
    assert tpp.get(path)["debtorAccount"] == {}
    assert sandbox_bank.authorise(payment="E2E-1") == {"status": "ACSC", "redirect": BACK}
    assert tpp.get(f"{path}/status") == {"transactionStatus": "ACSC"}
    found = tpp.get(path)
    assert found["instructedAmount"] == {"currency": "EUR", "amount": "12.30"}
    assert found["debtorAccount"]["iban"] == before["iban"]
    after = sandbox_bank.accounts()[1]
    assert round(float(before["booked"]) - float(after["booked"]), 2) == 12.30
    newest = sandbox_bank.control("transactions/list", {"account": before["iban"]})["transactions"][-1]
    assert (newest["endToEndId"], newest["creditorName"]) == ("E2E-1", "Müller & Söhne")
    assert newest["transactionAmount"]["amount"] == "-12.30"


@pytest.mark.parametrize("currency", ["MKD", "RSD", "ALL"])
def test_domestic_orders_have_products_of_their_own(tpp, sandbox_bank, currency):
    product = f"/v1/payments/domestic-{currency.lower()}-credit-transfers"
    amount = {"currency": currency, "amount": "100.00"}
    body = order(instructedAmount=amount, creditorAccount={"iban": sandbox_bank.iban(currency, "user_many")})
    begun = tpp.call("POST", product, {**body, "debtorAccount": {"iban": sandbox_bank.iban(currency)}})
    sandbox_bank.authorise(payment=begun.json()["paymentId"])
    assert tpp.get(f"{begun.headers['location']}/status") == {"transactionStatus": "ACSC"}
    received = sandbox_bank.control("transactions/list", {"account": sandbox_bank.iban(currency, "user_many")})
    assert received["transactions"][-1]["transactionAmount"] == amount


def test_an_order_goes_through_its_script(tpp, sandbox_bank):
    sandbox_bank.control("payments/script", {"statuses": ["ACTC", "ACSP", "ACSC"]})
    path = tpp.call("POST", "/v1/payments/sepa-credit-transfers", order()).headers["location"]
    assert tpp.get(f"{path}/status")["transactionStatus"] == "RCVD"
    sandbox_bank.authorise(payment="E2E-1")
    booked = sandbox_bank.accounts()[1]["booked"]
    seen = [tpp.get(f"{path}/status")["transactionStatus"] for _ in range(2)]
    assert sandbox_bank.accounts()[1]["booked"] != booked  # the second look sent it to the end
    assert [*seen, tpp.get(f"{path}/status")["transactionStatus"]] == ["ACTC", "ACSP", "ACSC"]


def test_a_declined_order_gives_its_reason_and_moves_nothing(tpp, sandbox_bank):
    sandbox_bank.control("payments/script", {"statuses": ["PDNG", "RJCT"], "reason": "AC04 ClosedAccountNumber"})
    before = sandbox_bank.accounts()
    path = tpp.call("POST", "/v1/payments/sepa-credit-transfers", order()).headers["location"]
    sandbox_bank.authorise(payment="E2E-1")
    assert sandbox_bank.accounts()[1]["available"] != before[1]["available"]
    tpp.get(f"{path}/status")
    declined = tpp.get(f"{path}/status")
    assert (declined["transactionStatus"], declined["psuMessage"]) == ("RJCT", "AC04 ClosedAccountNumber")
    assert sandbox_bank.accounts() == before


def test_without_money_an_order_is_declined(tpp, sandbox_bank):
    body = order(instructedAmount={"currency": "EUR", "amount": "99999999.00"})
    path = tpp.call("POST", "/v1/payments/sepa-credit-transfers", body).headers["location"]
    assert sandbox_bank.authorise(payment="E2E-1")["status"] == "RJCT"
    assert "AM04" in tpp.get(f"{path}/status")["psuMessage"]


def test_a_stuck_order_is_settled_by_hand(tpp, sandbox_bank):
    sandbox_bank.control("payments/script", {"statuses": ["PDNG"]})
    begun = tpp.call("POST", "/v1/payments/sepa-credit-transfers", order())
    path, payment = begun.headers["location"], begun.json()["paymentId"]
    sandbox_bank.authorise(payment=payment)
    assert {tpp.get(f"{path}/status")["transactionStatus"] for _ in range(4)} == {"PDNG"}
    sandbox_bank.control(f"payments/{payment}", {"status": "ACSC"})
    assert tpp.get(f"{path}/status")["transactionStatus"] == "ACSC"


def test_an_order_is_withdrawn(tpp, sandbox_bank):
    sandbox_bank.control("payments/script", {"statuses": ["PDNG"]})
    before = sandbox_bank.accounts()
    path = tpp.call("POST", "/v1/payments/sepa-credit-transfers", order()).headers["location"]
    sandbox_bank.authorise(payment="E2E-1")
    assert tpp.call("DELETE", path).status_code == 204
    assert tpp.get(f"{path}/status")["transactionStatus"] == "CANC"
    assert sandbox_bank.accounts() == before


def test_the_same_order_again_is_the_same_order(tpp):
    request_id = str(uuid.uuid4())
    path = "/v1/payments/sepa-credit-transfers"
    first, second = (tpp.call("POST", path, order(), X_Request_ID=request_id).json() for _ in range(2))
    assert first["paymentId"] == second["paymentId"]


def test_the_attempts_of_an_order(tpp, sandbox_bank):
    path = tpp.call("POST", "/v1/payments/sepa-credit-transfers", order()).headers["location"]
    assert tpp.call("POST", f"{path}/authorisations", {}).status_code == 201
    attempts = tpp.get(f"{path}/authorisations")["authorisationIds"]
    assert len(attempts) == 2
    sandbox_bank.authorise(payment="E2E-1")
    assert [tpp.get(f"{path}/authorisations/{one}")["scaStatus"] for one in attempts] == ["received", "finalised"]
