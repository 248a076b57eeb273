"""What banks answer, read: the traps one by one, and anything at all without another error than `BadResponse`."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banks.clients.berlin_group import parser, refusals
from banks.clients.berlin_group.connector import amount_text
from banks.clients.connector import BadResponse, ConnectorError
from banks.domain.bank_data import BalanceKind, EntryStatus, ExchangeData, PartyData
from connect.kit import currencies

OWN = "MK07999000000000195"
SEVERAL = "xxx".upper()  # the currency of an account that holds several


def read(amount="-1.00", currency="EUR", *, own=OWN, pending=False, **given):
    line = {"bookingDate": "2026-10-01", **given, "transactionAmount": {"amount": amount, "currency": currency}}
    (found,) = parser.entries({"pending" if pending else "booked": [line]}, own_iban=own)
    return found


# --- amounts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("-1.00", "EUR", -100), ("-1", "EUR", -100), ("-1.5", "MKD", -150), ("-0.01", "RSD", -1), ("-5", "JPY", -5),
     ("-5.000", "EUR", -500), ("-5.0", "JPY", -5), ("-1.234", "KWD", -1234), ("-99999999999999", "ALL", -9_999_999_999_999_900),
     (" -7.20 ", "EUR", -720), ("-007.20", "EUR", -720), ("0", "EUR", 0), (Decimal("-1.5"), "EUR", -150), (-3, "EUR", -300)],
)  # fmt: skip
def test_amounts_are_whole_minor_units(amount, currency, minor):
    assert read(amount, currency).amount_minor == minor


@pytest.mark.parametrize(
    "amount",
    ["", "abc", "1,00", "1.", ".5", "--1", "1e3", "1.005", "١٢", "1 000.00", "9" * 15, None, True, [], {}, "NaN", Decimal("1E+9")],
)  # fmt: skip
def test_what_is_no_amount_breaks_the_page(amount):
    with pytest.raises(BadResponse):
        read(amount)


@pytest.mark.parametrize("currency", ["", SEVERAL, "ZZZ", None, 978, "EURO"])
def test_an_entry_has_a_currency_that_is_known(currency):
    with pytest.raises(BadResponse):
        read(currency=currency)


@given(st.sampled_from(sorted(currencies.EXPONENTS)), st.integers(-(10**14) + 1, 10**14 - 1))
def test_amounts_survive_the_way_to_text_and_back(currency, minor):
    text = f"{'-' if minor < 0 else ''}{amount_text(abs(minor), currency)}"
    assert parser.money({"amount": text, "currency": currency.upper()}) == (minor, currency)


# --- directions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "given", "minor"),
    [
        ("-100.03", {"creditorName": "Renault"}, -10_003),
        ("-100.03", {"debtorName": "Renault"}, -10_003),
        ("256.67", {"creditorName": "John Miles"}, -25_667),
        ("+256.67", {"creditorName": "John Miles"}, -25_667),
        ("343.01", {"debtorName": "Paul Simpson"}, 34_301),
        ("1.00", {"creditorName": "A", "creditorAccount": {"iban": OWN}, "debtorName": "B", "debtorAccount": {"iban": "RS35"}}, 100),
        ("1.00", {"creditorName": "A", "debtorName": "B", "debtorAccount": {"iban": OWN}}, -100),
        ("1.00", {"creditorName": "A", "debtorName": "B", "creditDebitIndicator": "DBIT"}, -100),
        ("1.00", {"creditorName": "A", "debtorName": "B", "creditDebitIndicator": "CRDT"}, 100),
        ("1.00", {"creditDebitIndicator": "DBIT"}, -100),
        ("1.00", {"creditorName": "NOTPROVIDED", "debtorName": "B"}, 100),
        ("1.00", {}, 100),
        ("1.00", {"bankTransactionCode": "PMNT-CCRD-CWDL"}, -100),
        ("1.00", {"proprietaryBankTransactionCode": "PMNT-RCDT-ESCT"}, 100),
        ("1.00", {"bankTransactionCode": "PMNT-CCRD-POSD", "creditDebitIndicator": "CRDT"}, 100),
        ("-0.00", {"debtorName": "B"}, 0),
    ],
)  # fmt: skip
def test_the_direction(amount, given, minor):
    assert read(amount, **given).amount_minor == minor


def test_the_counterparty_is_the_other_side():
    both = {"creditorName": "Shop", "creditorAccount": {"bban": "210-1"}, "creditorAgent": "TUTNMK22", "debtorName": "Me",
            "debtorAccount": {"iban": OWN}}  # fmt: skip
    assert read("-1.00", **both).counterparty == PartyData(name="Shop", account="210-1", bic="TUTNMK22")
    assert read(
        "1.00", ultimateDebtor="Grandma", debtorAccount={"other": {"identification": "X1"}}
    ).counterparty == PartyData(name="Grandma", account="X1")


# --- texts and dates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "blank", ["", " ", "\t\n", "NOTPROVIDED", "notprovided", " NotProvided ", "N/A", None, [], {}, "\x00"]
)
def test_what_says_nothing_is_none(blank):
    found = read(transactionId=blank, entryReference=blank, endToEndId=blank, creditorName=blank,
                 remittanceInformationUnstructured=blank)  # fmt: skip
    assert (found.transaction_id, found.entry_reference, found.end_to_end_id, found.remittance) == (None,) * 4
    assert found.counterparty == PartyData()


def test_texts_are_trimmed_and_can_be_stored():
    found = read(creditorName="  Продавница \x00\n  „Ана“ ", remittanceInformationUnstructuredArray=["one", " ", "two"])
    assert (found.counterparty.name, found.remittance) == ("Продавница „Ана“", "one two")
    assert read(remittanceInformationUnstructured="x" * 5_000).remittance == "x" * 1_000


def test_numbers_for_ids_are_texts():
    assert read(transactionId=123456789012345678901).transaction_id == "123456789012345678901"


@pytest.mark.parametrize(
    ("given", "booked"),
    [({"bookingDate": "2026-10-01"}, date(2026, 10, 1)), ({"bookingDate": "2026-10-01T23:59:59Z"}, date(2026, 10, 1)),
     ({"bookingDate": None, "valueDate": "2026-10-02"}, date(2026, 10, 2)),
     ({"bookingDate": "", "transactionDate": "2026-10-03", "valueDate": "2026-10-02"}, date(2026, 10, 3))],
)  # fmt: skip
def test_booking_dates(given, booked):
    assert read(**given).booking_date == booked


@pytest.mark.parametrize("written", ["2026-02-30", "01.10.2026", "soon", "0000-01-01"])
def test_what_is_no_date_breaks_the_page(written):
    with pytest.raises(BadResponse):
        read(bookingDate=written)


def test_a_booked_entry_has_a_date_and_a_pending_one_needs_none():
    with pytest.raises(BadResponse):
        read(bookingDate=None)
    found = read(bookingDate=None, pending=True)
    assert (found.status, found.booking_date) == (EntryStatus.PENDING, None)


def test_references_exchanges_and_balances_after():
    found = read(
        "-10.00", remittanceInformationStructured={"reference": "RF18 5390"}, purposeCode="SALA",
        proprietaryBankTransactionCode="POS", endToEndId="E2E",
        currencyExchange=[{"sourceCurrency": "EUR", "targetCurrency": "USD", "unitCurrency": "EUR", "exchangeRate": "1.08"}],
        balanceAfterTransaction={"balanceType": "interimBooked", "balanceAmount": {"amount": "5.00", "currency": "EUR"}},
    )  # fmt: skip
    assert (found.structured_reference, found.purpose_code, found.bank_transaction_code) == ("RF18 5390", "SALA", "POS")
    assert found.exchange == ExchangeData(amount_minor=None, currency="usd", rate="1.08")
    assert found.balance_after_minor == 500
    given = {"sourceCurrency": "USD", "instructedAmount": {"amount": "10.80", "currency": "USD"}}
    assert read(currencyExchange=given).exchange == ExchangeData(amount_minor=1080, currency="usd", rate=None)
    assert read(currencyExchange=[None, {"sourceCurrency": "EUR"}]).exchange is None
    assert read(remittanceInformationStructuredArray=["97 123"]).structured_reference == "97 123"


# --- accounts and balances --------------------------------------------------------------------------------------------


def one(**given):
    (found,) = parser.accounts({"accounts": [{"resourceId": "a", "currency": "MKD", **given}]})
    return found


def test_accounts_as_banks_write_them():
    found = one(
        iban="mk07 9990 0000 0000 195",
        bban="999-1",
        ownerNames=[{"name": "Ана"}],
        displayName="Плата",
        status="blocked",
    )
    assert (found.iban, found.national_number, found.owner_name, found.name) == (OWN, "999-1", "Ана", "Плата")
    assert (found.status, one(status="strange").status, one(currency=SEVERAL).currency) == ("blocked", "enabled", "xxx")
    assert one(iban="").iban is None


@pytest.mark.parametrize(
    "given", [{"resourceId": None}, {"resourceId": " "}, {"currency": None}, {"balances": {}}, {"balances": [1]}]
)
def test_an_account_that_cannot_be_read_breaks_the_list(given):
    with pytest.raises(BadResponse):
        one(**given)


def test_one_balance_of_each_kind_the_nearest_to_now():
    def item(kind, amount, **more):
        return {"balanceType": kind, "balanceAmount": {"amount": amount, "currency": "EUR"}, **more}

    found = parser.balances([
        item("closingBooked", "1"), item("interimBooked", "2", lastChangeDateTime="2026-11-26T10:00:00+01:00"),
        item("expected", "-3", referenceDate="2026-11-25"), item("nonInvoiced", "4"), item("forwardAvailable", "5"), item("new", "x"),
    ])  # fmt: skip
    assert [(item.kind, item.amount_minor, item.as_of) for item in found] == [
        (BalanceKind.BOOKED, 200, datetime(2026, 11, 26, 9, tzinfo=UTC)),
        (BalanceKind.EXPECTED, -300, datetime(2026, 11, 25, tzinfo=UTC)),
        (BalanceKind.AVAILABLE, 500, None),
    ]


# --- anything at all --------------------------------------------------------------------------------------------------

LEAF = st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=12) | st.sampled_from(
    ["EUR", SEVERAL, "1.00", "-1", "2026-10-01", "NOTPROVIDED", "booked", "valid", "interimBooked", "\x00", "9999-12-31T99"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["accounts", "balances", "balanceType", "balanceAmount", "amount", "currency", "booked", "pending", "transactions",
     "_links", "next", "href", "iban", "bban", "other", "resourceId", "transactionAmount", "bookingDate", "valueDate",
     "creditorAccount", "debtorAccount", "creditorName", "ownerNames", "name", "currencyExchange", "sourceCurrency",
     "instructedAmount", "balanceAfterTransaction", "remittanceInformationStructured", "tppMessages", "code",
     "consentStatus", "validUntil", "lastChangeDateTime", "referenceDate", "remittanceInformationUnstructuredArray"]
)  # fmt: skip
ANYTHING = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=40
)
ACCOUNT = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("resourceId", "currency", "iban", "balances", "ownerNames", "status"), ANYTHING)
)
ENTRY = st.fixed_dictionaries(
    {"transactionAmount": st.just({"amount": "1.00", "currency": "EUR"}) | ANYTHING},
    optional=dict.fromkeys(("bookingDate", "valueDate", "creditorAccount", "debtorAccount", "creditorName", "currencyExchange", "balanceAfterTransaction", "transactionId", "creditDebitIndicator", "remittanceInformationStructured", "remittanceInformationUnstructuredArray"), ANYTHING),
)  # fmt: skip


def survives(work, *given, **named):
    with suppress(BadResponse):
        work(*given, **named)


@given(st.dictionaries(NAMES, ANYTHING, max_size=6) | ANYTHING)
def test_no_answer_raises_anything_but_a_bad_response(found):
    body = json.dumps(found, default=str).encode()
    survives(lambda: parser.accounts(parser.document(body)))
    survives(lambda: parser.consent_state(parser.document(body)))
    survives(
        lambda: parser.entries(parser.report_of(parser.document(body)), own_iban=parser.own_iban(parser.document(body)))
    )
    survives(lambda: parser.link(parser.document(body), "next"))
    survives(parser.balances, found)
    survives(parser.money, found)
    for status in (400, 401, 429, 500):
        assert isinstance(refusals.error(status, body, retry_after=str(found)), ConnectorError)


@given(st.lists(ACCOUNT, max_size=3))
def test_no_account_does(accounts):
    survives(parser.accounts, {"accounts": accounts})


@given(st.lists(ENTRY, max_size=3), st.sampled_from(["booked", "pending"]))
def test_no_entry_does(lines, name):
    survives(parser.entries, {name: lines}, own_iban=OWN)


@given(st.binary(max_size=200))
def test_no_bytes_do(body):
    survives(parser.document, body)
    assert isinstance(refusals.error(500, body), ConnectorError)


@given(ENTRY)
def test_what_is_read_can_be_stored(line):
    """No text is blank, longer than its column, or holds what PostgreSQL refuses."""
    try:
        (found,) = parser.entries({"booked": [line]}, own_iban=OWN)
    except BadResponse:
        return
    texts = [found.transaction_id, found.entry_reference, found.counterparty.name, found.counterparty.account,
             found.structured_reference, found.remittance]  # fmt: skip
    for text, longest in zip(texts, (100, 100, 140, 34, 60, 1_000), strict=True):
        assert text is None or (0 < len(text) <= longest and text == text.strip() and "\x00" not in text)
        assert text is None or text.encode()
    assert abs(found.amount_minor) < 2**63
