"""What only the Berlin Group client does: headers, links, fallbacks, circles, and every refusal on its way through."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
from openapi_core.exceptions import OpenAPIError

from banks.clients import get
from banks.clients.berlin_group.connector import BerlinGroupConnector
from banks.clients.connector import (
    ABSENT,
    BadResponse,
    CertificateProblem,
    ConnectorError,
    ConsentExpired,
    ConsentRequest,
    EntriesQuery,
    InstitutionDown,
    LoginRequired,
    NotSupported,
    PaymentOrder,
    Psu,
    RateLimited,
    ScaFailed,
)
from banks.domain.bank_payment_state import Status
from banks.domain.profiles import BankProfile, Capabilities
from connect.kit.tenancy import TransactionForbidden, use_environment
from tests.banks.connector.scripted_bank import Says, Seen, check, refusal, running

CONNECTOR = BerlinGroupConnector()
HANDLE = {"consent_id": "c-1"}
SEVERAL = "xxx".upper()  # the currency of an account that holds several
HERE = Psu(present=True, ip_address="192.0.2.7", user_agent="Mozilla/5.0 (X11)")
LIMIT = {"deadline_seconds": 20.0}
QUERY = EntriesQuery(resource_id="acc/1", since=date(2026, 9, 1))
LINKS = {"account": {"href": "/v1/accounts/acc"}}


@pytest.fixture
def scripted():
    with running() as bank:
        yield bank


def profile(scripted, **given):
    return BankProfile(
        slug="test-bank", name="Test", country="MK", connector="berlin_group", base_url=scripted.url,
        payment_products={"eur": "sepa-credit-transfers", "mkd": "domestic-mkd"},
        capabilities=Capabilities(payments=True), **given,
    )  # fmt: skip


def consent_request(**given):
    values = {"request_id": str(uuid4()), "valid_until": date(2027, 1, 1), "recurring": True, "calls_per_day": 4,
              "redirect_uri": "https://app.example/back", "refused_uri": "https://app.example/refused"}  # fmt: skip
    return ConsentRequest(**{**values, **given})


def order(**given):
    values = {"request_id": str(uuid4()), "end_to_end_id": "E1", "amount_minor": 5, "currency": "eur",
              "creditor_name": "Shop", "creditor_iban": "MK07200002785123453", "debtor_iban": "MK07999000000000195",
              "remittance": "", "redirect_uri": "https://app.example/back",
              "refused_uri": "https://app.example/refused"}  # fmt: skip
    return PaymentOrder(**{**values, **given})


def report(*booked, pending=None, following=None, **more):
    links = {**LINKS, **({"next": {"href": following}} if following else {})}
    listed = {"booked": list(booked), "_links": links, **({"pending": pending} if pending is not None else {})}
    return Says(200, {"transactions": listed, **more})


def line(amount, **given):
    return {"transactionAmount": {"amount": amount, "currency": "EUR"}, "bookingDate": "2026-10-01", **given}


def created(links, **given):
    return Says(201, {"consentId": "c-9", "consentStatus": "received", "_links": links, **given})


def test_it_is_registered_under_its_name():
    assert isinstance(get("berlin_group"), BerlinGroupConnector)


def test_it_refuses_to_run_inside_a_transaction(scripted, environment):
    with use_environment(environment), pytest.raises(TransactionForbidden):
        CONNECTOR.probe(profile(scripted), **LIMIT)
    assert scripted.seen == []


# --- headers ----------------------------------------------------------------------------------------------------------


def test_the_bank_is_told_of_its_customer_only_while_they_are_present(scripted):
    scripted.default = report()
    CONNECTOR.entries(profile(scripted), HANDLE, HERE, QUERY, **LIMIT)
    CONNECTOR.entries(profile(scripted), HANDLE, Psu(present=False, ip_address="192.0.2.7"), QUERY, **LIMIT)
    attended, unattended = scripted.seen
    assert (attended.headers["PSU-IP-Address"], attended.headers["PSU-User-Agent"]) == (
        "192.0.2.7",
        "Mozilla/5.0 (X11)",
    )
    assert not [name for name in unattended.headers if name.upper().startswith("PSU-")]
    assert attended.headers["Consent-ID"] == "c-1"
    assert UUID(attended.headers["X-Request-ID"]) != UUID(unattended.headers["X-Request-ID"])
    assert attended.target == "/v1/accounts/acc%2F1/transactions?bookingStatus=both&dateFrom=2026-09-01"


def test_every_request_is_as_the_description_has_it(scripted):
    bank = profile(scripted)
    scripted.says(created({"startAuthorisation": {"href": "/v1/consents/c-9/authorisations"}}),
                  Says(201, {"scaStatus": "received", "_links": {"scaRedirect": {"href": "https://bank.example/x"}}}),
                  Says(200, {"consentStatus": "valid", "validUntil": "2027-01-01"}), Says(204, b""),
                  Says(200, {"accounts": []}), Says(200, {"accounts": []}), Says(200, {"balances": []}), report(),
                  Says(201, {"transactionStatus": "RCVD", "paymentId": "p", "_links": {"scaRedirect": "https://bank.example/p"}}),
                  Says(201, {"transactionStatus": "RJCT", "paymentId": "p", "_links": {}}),
                  Says(200, {"transactionStatus": "ACSC"}), Says(403, refusal("CONSENT_UNKNOWN")))  # fmt: skip
    CONNECTOR.begin_consent(bank, consent_request(), HERE, **LIMIT)
    CONNECTOR.consent_state(bank, HANDLE, HERE, **LIMIT)
    CONNECTOR.revoke_consent(bank, HANDLE, **LIMIT)
    CONNECTOR.accounts(bank, HANDLE, HERE, balances=True, **LIMIT)
    CONNECTOR.accounts(bank, HANDLE, ABSENT, balances=False, **LIMIT)
    CONNECTOR.balances(bank, HANDLE, ABSENT, "acc", **LIMIT)
    CONNECTOR.entries(bank, HANDLE, ABSENT, QUERY, **LIMIT)
    CONNECTOR.begin_payment(bank, order(), HERE, **LIMIT)
    CONNECTOR.begin_payment(bank, order(debtor_iban=None), HERE, **LIMIT)
    CONNECTOR.payment_state(bank, {"product": "sepa-credit-transfers", "payment_id": "p"}, ABSENT, **LIMIT)
    CONNECTOR.probe(bank, **LIMIT)
    assert len(scripted.seen) == 12
    for seen in scripted.seen:
        check(seen)


def test_the_description_says_no_to_a_request_without_its_headers():
    whole = Seen("GET", "/v1/accounts", {}, {"X-Request-ID": str(uuid4()), "Consent-ID": "c"}, b"", "")
    check(whole)
    with pytest.raises(OpenAPIError):
        check(Seen("GET", "/v1/accounts", {}, {"X-Request-ID": str(uuid4())}, b"", ""))


@pytest.mark.parametrize(
    ("given", "sent"),
    [("::ffff:192.0.2.9", "192.0.2.9"), ("2001:db8::1", "2001:db8::1"), (None, "0.0.0.0"), ("nonsense", "0.0.0.0")],
)  # fmt: skip
def test_a_consent_names_an_address_in_any_case(scripted, given, sent):
    scripted.says(created({"scaRedirect": {"href": "https://bank.example/x"}}))
    CONNECTOR.begin_consent(profile(scripted), consent_request(), Psu(present=True, ip_address=given), **LIMIT)
    assert scripted.seen[0].headers["PSU-IP-Address"] == sent


# --- the way to the bank's page ---------------------------------------------------------------------------------------


def test_a_consent_asks_for_what_was_agreed_and_no_more(scripted):
    scripted.default = created({"scaRedirect": {"href": "https://bank.example/x"}})
    request = consent_request(transactions=False, recurring=False)
    begun = CONNECTOR.begin_consent(profile(scripted), request, HERE, **LIMIT)
    assert begun.redirect_url == "https://bank.example/x"
    assert scripted.seen[0].json() == {
        "access": {"accounts": [], "balances": []}, "recurringIndicator": False, "validUntil": "2027-01-01",
        "frequencyPerDay": 1, "combinedServiceIndicator": False,
    }  # fmt: skip
    headers = scripted.seen[0].headers
    assert headers["X-Request-ID"] == request.request_id
    assert (headers["TPP-Redirect-URI"], headers["TPP-Nok-Redirect-URI"]) == (request.redirect_uri, request.refused_uri)


def test_a_relative_redirect_stands_at_the_bank(scripted):
    scripted.says(created({"scaRedirect": {"href": "/bank/authorise/1"}}))
    begun = CONNECTOR.begin_consent(profile(scripted), consent_request(), HERE, **LIMIT)
    assert begun.redirect_url == f"{scripted.url}/bank/authorise/1"


def test_an_attempt_is_started_where_the_bank_leaves_it_to_us(scripted):
    scripted.says(created({"startAuthorisation": {"href": "/v1/consents/c-9/authorisations"}}),
                  Says(201, {"authorisationId": "a", "_links": {"scaRedirect": {"href": "https://bank.example/y"},
                                                              "scaStatus": {"href": "/v1/consents/c-9/authorisations/a"}}}))  # fmt: skip
    begun = CONNECTOR.begin_consent(profile(scripted), consent_request(), HERE, **LIMIT)
    assert begun.redirect_url == "https://bank.example/y"
    first, second = scripted.seen
    assert (second.method, second.path) == ("POST", "/v1/consents/c-9/authorisations")
    assert second.headers["TPP-Redirect-URI"] == "https://app.example/back"
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert begun.handle["authorisation"].endswith("/v1/consents/c-9/authorisations/a")


@pytest.mark.parametrize(
    "links",
    [{"scaOAuth": {"href": "https://bank.example/.well-known"}},
     {"startAuthorisationWithPsuAuthentication": {"href": "/v1/consents/c-9/authorisations"}}, {}, None, []],
)  # fmt: skip
def test_other_ways_than_a_redirect_are_not_supported_yet(scripted, links):
    scripted.says(created(links))
    with pytest.raises(NotSupported):
        CONNECTOR.begin_consent(profile(scripted), consent_request(), HERE, **LIMIT)


@pytest.mark.parametrize("target", ["javascript:alert(1)", "http://login.example/x", "https://u:p@x.example/"])
def test_the_customer_is_not_sent_to_an_unsafe_address(scripted, target):
    scripted.says(created({"scaRedirect": {"href": target}}))
    with pytest.raises(BadResponse):
        CONNECTOR.begin_consent(profile(scripted), consent_request(), HERE, **LIMIT)


@pytest.mark.parametrize(
    ("said", "status"),
    [("received", "pending"), ("partiallyAuthorised", "pending"), ("valid", "valid"), ("rejected", "refused"),
     ("revokedByPsu", "revoked"), ("terminatedByTpp", "revoked"), ("expired", "expired"), ("SOMETHING_NEW", "pending")],
)  # fmt: skip
def test_each_status_of_a_consent(scripted, said, status):
    scripted.says(Says(200, {"consentStatus": said, "validUntil": "9999-12-31"}))
    state = CONNECTOR.consent_state(profile(scripted), HANDLE, HERE, **LIMIT)
    assert (state.status, state.valid_until) == (status, date(9999, 12, 31))


@pytest.mark.parametrize(
    ("said", "expected"),
    [(Says(200, {"scaStatus": "failed", "tppMessage": {"category": "ERROR", "code": "PSU_CREDENTIALS_INVALID"}}), ScaFailed),
     (Says(200, {"scaStatus": "failed"}), None), (Says(500, b""), None), (Says(200, b"<html>"), None)],
)  # fmt: skip
def test_a_refused_consent_is_a_failed_sca_where_the_bank_says_so(scripted, said, expected):
    handle = {**HANDLE, "authorisation": "/v1/consents/c-1/authorisations/a"}
    scripted.says(Says(200, {"consentStatus": "rejected"}), said)
    if expected:
        with pytest.raises(expected):
            CONNECTOR.consent_state(profile(scripted), handle, HERE, **LIMIT)
    else:
        assert CONNECTOR.consent_state(profile(scripted), handle, HERE, **LIMIT).status == "refused"


# --- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["PARAMETER_NOT_SUPPORTED", "FORMAT_ERROR"])
def test_a_bank_without_pending_entries_is_asked_for_booked_ones(scripted, code):
    scripted.refuses(400, code)
    scripted.says(report(line("-1.00"), following="/v1/accounts/acc/transactions?page=2"), report(line("-2.00")))
    first = CONNECTOR.entries(profile(scripted), HANDLE, ABSENT, QUERY, **LIMIT)
    second = CONNECTOR.entries(
        profile(scripted),
        HANDLE,
        ABSENT,
        EntriesQuery(resource_id="acc/1", since=QUERY.since, page=first.next_page),
        **LIMIT,
    )
    assert [seen.query.get("bookingStatus") for seen in scripted.seen] == ["both", "booked", None]
    assert (first.pending_included, second.pending_included) == (False, False)


@pytest.mark.parametrize("code", ["PERIOD_INVALID", "CONSENT_EXPIRED"])
def test_other_refusals_are_not_tried_around(scripted, code):
    scripted.refuses(400, code)
    with pytest.raises(ConnectorError):
        CONNECTOR.entries(profile(scripted), HANDLE, ABSENT, QUERY, **LIMIT)
    assert len(scripted.seen) == 1


def test_a_bank_that_gives_no_balances_along_is_asked_without(scripted):
    scripted.refuses(400, "PARAMETER_NOT_SUPPORTED")
    scripted.says(
        Says(200, {"accounts": [{"resourceId": "a", "currency": SEVERAL, "iban": "mk07 9990 0000 0000 195"}]})
    )
    (found,) = CONNECTOR.accounts(profile(scripted), HANDLE, ABSENT, balances=True, **LIMIT)
    assert (found.currency, found.iban, found.balances) == ("xxx", "MK07999000000000195", ())


@pytest.mark.parametrize(
    "form",
    ["/v1/accounts/acc/transactions?{}", "{url}/v1/accounts/acc/transactions?{}", "v1/accounts/acc/transactions?{}"],
)
def test_a_paging_link_is_followed_as_it_stands(scripted, form):
    odd = "cursor=a%2Fb%3D%3D&x=%D0%90&dateFrom=&empty"
    scripted.says(report(line("-1.00"), following=form.format(odd, url=scripted.url)), report(line("-2.00")))
    first = CONNECTOR.entries(profile(scripted), HANDLE, ABSENT, QUERY, **LIMIT)
    CONNECTOR.entries(
        profile(scripted),
        HANDLE,
        ABSENT,
        EntriesQuery(resource_id="other", since=date(2020, 1, 1), page=first.next_page),
        **LIMIT,
    )
    assert scripted.seen[1].target == f"/v1/accounts/acc/transactions?{odd}"


def follow(scripted, pages=50):
    page, found = None, []
    for _ in range(pages):
        got = CONNECTOR.entries(
            profile(scripted), HANDLE, ABSENT, EntriesQuery(resource_id="acc", since=QUERY.since, page=page), **LIMIT
        )
        found += got.entries
        page = got.next_page
        if page is None:
            return found
    raise AssertionError("it never ends")


@pytest.mark.parametrize("round_trip", [1, 2, 3])
def test_a_list_that_turns_in_circles_is_noticed(scripted, round_trip):
    base = "/v1/accounts/acc/transactions?bookingStatus=both&dateFrom=2026-09-01"
    scripted.default = lambda seen: report(
        line("-1.00"), following=f"{base}&n={(int(seen.query.get('n', 0)) + 1) % round_trip}"
    )
    with pytest.raises(BadResponse) as raised:
        follow(scripted)
    assert raised.value.code == "loop"
    assert len(scripted.seen) <= round_trip + 2


def test_a_link_to_somebody_else_is_not_followed(scripted):
    scripted.says(report(line("-1.00"), following="https://evil.example/v1/accounts"))
    with pytest.raises(BadResponse):
        CONNECTOR.entries(profile(scripted), HANDLE, ABSENT, QUERY, **LIMIT)


def test_a_list_that_is_a_file_is_not_supported_yet(scripted):
    scripted.says(Says(200, {"_links": {"download": {"href": "/v1/x"}}}))
    with pytest.raises(NotSupported):
        CONNECTOR.entries(profile(scripted), HANDLE, ABSENT, QUERY, **LIMIT)


def test_balances_that_come_along_are_handed_on(scripted):
    balance = {"balanceType": "interimBooked", "balanceAmount": {"amount": "10", "currency": "EUR"}}
    scripted.says(report(line("-1.00"), balances=[balance]))
    page = CONNECTOR.entries(profile(scripted), HANDLE, ABSENT, QUERY, **LIMIT)
    assert [found.amount_minor for found in page.balances] == [1000]


# --- every refusal, through the connector -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(401, refusal("CONSENT_EXPIRED")), ConsentExpired),
        (Says(401, refusal("CONSENT_INVALID")), LoginRequired),
        (Says(401, refusal("CERTIFICATE_EXPIRED")), CertificateProblem),
        (Says(429, refusal("ACCESS_EXCEEDED"), headers={"Retry-After": "-1875538"}), RateLimited),
        (Says(401, {"type": "x", "title": "no", "code": "TOKEN_EXPIRED"}, headers={"Content-Type": "application/problem+json"}), LoginRequired),
        (Says(200, b"<!doctype html><h1>Maintenance</h1>", headers={"Content-Type": "text/html"}), BadResponse),
        (Says(500, b"<h1>Oops</h1>", headers={"Content-Type": "text/html"}), BadResponse),
        (Says(200, b'{"accounts": [', headers={}), BadResponse),
        (Says(200, []), BadResponse),
        (Says(200, {"accounts": {}}), BadResponse),
        (Says(200, b"[" * 200_000), BadResponse),
        (Says(200, b'{"accounts": NaN}'), BadResponse),
        (Says(200, b"\xff\xfe"), BadResponse),
        (Says(302, b"", headers={"Location": "https://evil.example/"}), BadResponse),
    ],
)  # fmt: skip
def test_what_a_bank_says_is_one_of_our_errors(scripted, says, kind):
    scripted.default = says
    with pytest.raises(ConnectorError) as raised:
        CONNECTOR.accounts(profile(scripted), HANDLE, ABSENT, balances=False, **LIMIT)
    assert type(raised.value) is kind
    assert len(scripted.seen) == 1


# --- payments ---------------------------------------------------------------------------------------------------------


def test_an_order_as_the_standard_has_it(scripted):
    scripted.says(Says(201, {"transactionStatus": "RCVD", "paymentId": "p/1", "_links": {"scaRedirect": {"href": "https://bank.example/p"}}}),
                  Says(200, {"transactionStatus": "ACSC", "psuMessage": "Thanks"}))  # fmt: skip
    begun = CONNECTOR.begin_payment(profile(scripted), order(), HERE, **LIMIT)
    body = scripted.seen[0].json()
    assert body["instructedAmount"] == {"currency": "EUR", "amount": "0.05"}
    assert body["debtorAccount"] == {"iban": "MK07999000000000195"}
    assert "remittanceInformationUnstructured" not in body
    state = CONNECTOR.payment_state(profile(scripted), begun.handle, ABSENT, **LIMIT)
    assert (state.status, state.reason) == (Status.SUCCEEDED, None)
    assert scripted.seen[1].target == "/v1/payments/sepa-credit-transfers/p%2F1/status"


def test_an_order_that_is_refused_at_once_needs_no_page(scripted):
    scripted.says(
        Says(201, {"transactionStatus": "RJCT", "paymentId": "p", "_links": {"startAuthorisation": {"href": "/v1/x"}}})
    )
    begun = CONNECTOR.begin_payment(profile(scripted), order(), HERE, **LIMIT)
    assert (begun.status, begun.redirect_url) == (Status.FAILED, None)
    assert len(scripted.seen) == 1


def test_an_order_whose_answer_is_lost_is_not_sent_again(scripted):
    scripted.default = Says(raw=b"")
    with pytest.raises(InstitutionDown):
        CONNECTOR.begin_payment(profile(scripted), order(), HERE, **LIMIT)
    assert len(scripted.seen) == 1


def test_a_bank_without_payments_gets_none(scripted):
    bank = BankProfile(slug="b", name="B", country="MK", connector="berlin_group", base_url=scripted.url,
                       payment_products={"eur": "x"})  # fmt: skip
    with pytest.raises(NotSupported):
        CONNECTOR.begin_payment(bank, order(), HERE, **LIMIT)
    assert scripted.seen == []


# --- probe ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", [Says(403, refusal("CONSENT_UNKNOWN")), Says(404, refusal("RESOURCE_UNKNOWN")), Says(400, refusal("FORMAT_ERROR")),
                                  Says(401, refusal("TOKEN_UNKNOWN")), Says(200, {"consentStatus": "received"})])  # fmt: skip
def test_a_bank_that_refuses_in_the_standard_s_words_is_there(scripted, says):
    scripted.says(says)
    CONNECTOR.probe(profile(scripted), **LIMIT)
    assert "Consent-ID" not in scripted.seen[0].headers


@pytest.mark.parametrize(
    ("says", "kind"),
    [(Says(200, b"<html>"), BadResponse), (Says(404, b"<html>"), BadResponse), (Says(500, b""), BadResponse),
     (Says(401, refusal("CERTIFICATE_INVALID")), CertificateProblem)],
)  # fmt: skip
def test_a_page_of_somebody_else_is_no_answer(scripted, says, kind):
    scripted.says(says)
    with pytest.raises(kind):
        CONNECTOR.probe(profile(scripted), **LIMIT)


def test_the_deadline_bounds_the_whole_call_with_its_repetitions(scripted):
    scripted.default = Says(hang=True)
    with pytest.raises(InstitutionDown):
        CONNECTOR.probe(profile(scripted), deadline_seconds=0.3)
    assert len(scripted.seen) == 1
