"""The Berlin Group connector and Sandbox Bank, over HTTP: the life of a consent and of an order, and each misbehaviour."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from banks.clients.berlin_group.client import Clock
from banks.clients.berlin_group.connector import BerlinGroupConnector
from banks.clients.connector import (
    ABSENT,
    BadResponse,
    ConnectorError,
    ConsentExpired,
    ConsentRequest,
    ConsentRevoked,
    EntriesQuery,
    InstitutionDown,
    LoginRequired,
    PaymentOrder,
    Psu,
    RateLimited,
)
from banks.domain.bank_payment_state import Status
from banks.domain.profiles import SANDBOX
from banks.models import Institution
from banks.selectors import institutions
from connect.kit import clock

HERE = Psu(present=True, ip_address="192.0.2.7", user_agent="Mozilla/5.0")
LIMIT = {"deadline_seconds": 30.0}
CONNECTOR = BerlinGroupConnector(Clock(sleep=lambda _: None))
TODAY = clock.wall().date()


@pytest.fixture
def bank(db, sandbox_bank):
    return institutions.profile(Institution.objects.get(slug=SANDBOX))


def begin(bank, **given):
    values = {"request_id": str(uuid4()), "valid_until": TODAY + timedelta(days=90), "recurring": True,
              "calls_per_day": 4, "redirect_uri": "https://app.example/back?x=1",
              "refused_uri": "https://app.example/refused"}  # fmt: skip
    return CONNECTOR.begin_consent(bank, ConsentRequest(**{**values, **given}), HERE, **LIMIT)


@pytest.fixture
def handle(bank, sandbox_bank):
    begun = begin(bank)
    sandbox_bank.authorise(consent=begun.handle["consent_id"])
    return begun.handle


def whole(bank, handle, resource_id, psu=HERE, days=365):
    found, page = [], None
    while True:
        query = EntriesQuery(resource_id=resource_id, since=TODAY - timedelta(days=days), page=page)
        got = CONNECTOR.entries(bank, handle, psu, query, **LIMIT)
        found += got.entries
        page = got.next_page
        if page is None:
            return found


def first(bank, handle, currency="mkd"):
    listed = CONNECTOR.accounts(bank, handle, HERE, balances=True, **LIMIT)
    return next(known for known in listed if known.currency == currency)


def test_a_consent_is_given_read_by_and_given_back(bank, sandbox_bank):
    begun = begin(bank)
    assert begun.redirect_url.startswith(f"{sandbox_bank.url}/bank/")
    assert CONNECTOR.consent_state(bank, begun.handle, HERE, **LIMIT).status == "pending"
    iban = sandbox_bank.iban()
    sandbox_bank.authorise(consent=begun.handle["consent_id"], accounts=[iban])
    state = CONNECTOR.consent_state(bank, begun.handle, HERE, **LIMIT)
    assert (state.status, state.valid_until) == ("valid", TODAY + timedelta(days=90))
    (account,) = CONNECTOR.accounts(bank, begun.handle, HERE, balances=True, **LIMIT)
    assert account.iban == iban
    asked = CONNECTOR.balances(bank, begun.handle, HERE, account.resource_id, **LIMIT)
    assert [replace(known, as_of=None) for known in asked] == [replace(known, as_of=None) for known in account.balances]
    for _ in range(2):
        CONNECTOR.revoke_consent(bank, begun.handle, **LIMIT)
    assert CONNECTOR.consent_state(bank, begun.handle, ABSENT, **LIMIT).status == "revoked"
    with pytest.raises((LoginRequired, ConsentRevoked)):
        CONNECTOR.accounts(bank, begun.handle, ABSENT, balances=False, **LIMIT)


def test_the_entries_add_up_to_the_balance_in_every_currency(bank, handle):
    for account in CONNECTOR.accounts(bank, handle, HERE, balances=True, **LIMIT):
        entries = whole(bank, handle, account.resource_id, days=3_650)
        booked = next(balance.amount_minor for balance in account.balances if balance.kind == "booked")
        assert sum(entry.amount_minor for entry in entries if entry.status == "booked") == booked
        assert {entry.currency for entry in entries} <= {account.currency}


@pytest.mark.parametrize(("outcome", "status"), [("refuse", "refused"), ("fail", "refused")])
def test_a_refused_consent(bank, sandbox_bank, outcome, status):
    begun = begin(bank)
    sandbox_bank.authorise(consent=begun.handle["consent_id"], outcome=outcome)
    assert CONNECTOR.consent_state(bank, begun.handle, HERE, **LIMIT).status == status


@pytest.mark.parametrize(
    ("kind", "error"),
    [("down", InstitutionDown), ("too_many", RateLimited), ("error", BadResponse), ("malformed", BadResponse),
     ("html", BadResponse), ("loop", BadResponse)],
)  # fmt: skip
def test_each_misbehaviour_is_its_error(bank, sandbox_bank, handle, kind, error):
    account = first(bank, handle)
    sandbox_bank.control("misbehave", {"kind": kind})
    with pytest.raises(ConnectorError) as raised:
        whole(bank, handle, account.resource_id)
    assert type(raised.value) is error


def test_an_outage_that_passes_is_read_over(bank, sandbox_bank, handle):
    account = first(bank, handle)
    sandbox_bank.control("misbehave", {"kind": "down", "times": 2})
    assert whole(bank, handle, account.resource_id)


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_bank_that_keeps_us_waiting(bank, sandbox_bank, handle, kind):
    account = first(bank, handle)
    sandbox_bank.control("misbehave", {"kind": kind, "times": 1})
    query = EntriesQuery(resource_id=account.resource_id, since=TODAY)
    with pytest.raises(InstitutionDown) as raised:
        CONNECTOR.entries(bank, handle, HERE, query, deadline_seconds=0.5)
    assert raised.value.code == "timeout"
    sandbox_bank.reset()


@pytest.mark.parametrize("kind", ["relative_links", "unsigned_amounts"])
def test_habits_of_banks_change_nothing(bank, sandbox_bank, handle, kind):
    account = first(bank, handle)
    before = whole(bank, handle, account.resource_id)
    sandbox_bank.control("misbehave", {"kind": kind})
    assert whole(bank, handle, account.resource_id) == before


@pytest.mark.parametrize("kind", ["blank_ids", "not_provided_ids"])
def test_ids_that_say_nothing_are_none(bank, sandbox_bank, handle, kind):
    account = first(bank, handle)
    before = whole(bank, handle, account.resource_id)
    sandbox_bank.control("misbehave", {"kind": kind})
    bare = [replace(entry, transaction_id=None, entry_reference=None, end_to_end_id=None) for entry in before]
    assert whole(bank, handle, account.resource_id) == bare


def test_unattended_reads_are_counted_by_the_bank_and_attended_ones_are_not(bank, sandbox_bank, handle):
    account = first(bank, handle)
    query = EntriesQuery(resource_id=account.resource_id, since=TODAY)
    for psu in [ABSENT] * 4 + [HERE] * 3:
        CONNECTOR.entries(bank, handle, psu, query, **LIMIT)
    with pytest.raises(RateLimited) as refused:
        CONNECTOR.entries(bank, handle, ABSENT, query, **LIMIT)
    assert 0 <= (refused.value.retry_after_seconds or 0) <= 86_400


@pytest.mark.parametrize(
    ("settled", "status"), [("agree", Status.SUCCEEDED), ("refuse", Status.CANCELED), ("fail", Status.FAILED)]
)
@pytest.mark.parametrize("chosen", [True, False])
def test_an_order(bank, sandbox_bank, settled, status, chosen):
    payer, payee = (account["iban"] for account in (
        next(one for one in sandbox_bank.accounts() if one["currency"] == "MKD"),
        next(one for one in sandbox_bank.accounts() if one["currency"] == "EUR"),
    ))  # fmt: skip
    order = PaymentOrder(
        request_id=str(uuid4()), end_to_end_id=f"E{uuid4().hex[:20]}", amount_minor=1_230, currency="mkd",
        creditor_name="Продавница", creditor_iban=payee, debtor_iban=payer if chosen else None, remittance="Order 7",
        redirect_uri="https://app.example/back", refused_uri="https://app.example/refused",
    )  # fmt: skip
    begun = CONNECTOR.begin_payment(bank, order, HERE, **LIMIT)
    assert begun.status is Status.REQUIRES_ACTION
    assert begun.redirect_url
    sandbox_bank.authorise(payment=begun.handle["payment_id"], accounts=[payer], outcome=settled)
    state = CONNECTOR.payment_state(bank, begun.handle, ABSENT, **LIMIT)
    assert state.status is status
    assert bool(state.reason) == (status is not Status.SUCCEEDED)


def test_the_probe_and_an_expired_consent(bank, sandbox_bank, handle):
    CONNECTOR.probe(bank, **LIMIT)
    sandbox_bank.control(f"consents/{handle['consent_id']}", {"status": "expired"})
    assert CONNECTOR.consent_state(bank, handle, ABSENT, **LIMIT).status == "expired"
    with pytest.raises(ConsentExpired):
        CONNECTOR.accounts(bank, handle, ABSENT, balances=False, **LIMIT)
