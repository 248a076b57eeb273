"""What every connector keeps: the bank in memory, and the Berlin Group client speaking HTTP to the same bank.

Each request is held against the Berlin Group's own description on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import uuid4

import pytest

from banks.clients.berlin_group.connector import BerlinGroupConnector
from banks.clients.connector import (
    ABSENT,
    BadResponse,
    Connector,
    ConnectorError,
    ConsentExpired,
    ConsentRequest,
    ConsentRevoked,
    EntriesQuery,
    InstitutionDown,
    LoginRequired,
    NotSupported,
    PaymentOrder,
    Psu,
)
from banks.clients.fake import LOST, FakeConnector
from banks.domain.bank_data import EntryStatus
from banks.domain.bank_payment_state import Status
from banks.domain.profiles import BankProfile, Capabilities
from tests.banks.connector.front import Front
from tests.banks.connector.scripted_bank import running
from tests.banks.fake_bank import TODAY, account, entry

HERE = Psu(present=True, ip_address="192.0.2.7", user_agent="Mozilla/5.0")
LIMIT = {"deadline_seconds": 20.0}


@dataclass
class World:
    """A connector, the bank it speaks to, and that bank's memory."""

    connector: Connector
    bank: BankProfile
    memory: FakeConnector
    front: Front | None = None

    def consent(self, **given):
        values = {"request_id": str(uuid4()), "valid_until": TODAY + timedelta(days=90), "recurring": True,
                  "calls_per_day": 4, "redirect_uri": "https://app.example/link/back/x.y",
                  "refused_uri": "https://app.example/link/refused/x.y"}  # fmt: skip
        return self.connector.begin_consent(self.bank, ConsentRequest(**{**values, **given}), HERE, **LIMIT)

    def agreed(self):
        begun = self.consent()
        self.memory.agree()
        return begun.handle

    def entries(self, handle, psu=ABSENT, **given):
        query = EntriesQuery(**{"resource_id": "acc-1", "since": TODAY - timedelta(days=90), **given})
        return self.connector.entries(self.bank, handle, psu, query, **LIMIT)

    def whole(self, handle, **given):
        found, page = [], None
        while True:
            got = self.entries(handle, page=page, **given)
            found += got.entries
            page = got.next_page
            if page is None:
                return found

    def pay(self, **given):
        values = {"request_id": str(uuid4()), "end_to_end_id": f"E{uuid4().hex[:20]}", "amount_minor": 1230,
                  "currency": "eur", "creditor_name": "Продавница", "creditor_iban": "MK07200002785123453",
                  "debtor_iban": None, "remittance": "Order 7", "redirect_uri": "https://app.example/pay/back/x.y",
                  "refused_uri": "https://app.example/pay/refused/x.y"}  # fmt: skip
        return self.connector.begin_payment(self.bank, PaymentOrder(**{**values, **given}), HERE, **LIMIT)


def profile(url, **given):
    return BankProfile(
        slug="memory", name="Memory", country="MK", connector="berlin_group", base_url=url,
        payment_products={"eur": "sepa-credit-transfers"}, capabilities=Capabilities(payments=True, **given),
    )  # fmt: skip


@pytest.fixture(params=["fake", "berlin_group"])
def world(request):
    memory = FakeConnector(page_size=3)
    memory.put(account())
    if request.param == "fake":
        yield World(memory, profile("https://bank.test"), memory)
        return
    with running() as scripted:
        bank = profile(scripted.url)
        scripted.default = front = Front(memory, bank)
        yield World(BerlinGroupConnector(), bank, memory, front)


def test_both_are_connectors(world):
    assert isinstance(world.connector, Connector)


def test_a_consent_waits_for_the_customer_and_tells_the_bank_s_own_end(world):
    world.memory.consent_days_max = TODAY + timedelta(days=30)
    begun = world.consent()
    assert begun.redirect_url.startswith("https://bank.test/")
    state = world.connector.consent_state(world.bank, begun.handle, HERE, **LIMIT)
    assert (state.status, state.valid_until) == ("pending", TODAY + timedelta(days=30))
    world.memory.agree()
    assert world.connector.consent_state(world.bank, begun.handle, ABSENT, **LIMIT).status == "valid"


def test_the_same_request_is_the_same_consent(world):
    request_id = str(uuid4())
    assert world.consent(request_id=request_id).handle == world.consent(request_id=request_id).handle
    assert len(world.memory.consents) == 1


@pytest.mark.parametrize(
    ("act", "status", "error"),
    [("refuse", "refused", LoginRequired), ("expire", "expired", ConsentExpired), ("withdraw", "revoked", ConsentRevoked)],
)  # fmt: skip
def test_each_end_of_a_consent_is_told_and_closes_the_data(world, act, status, error):
    handle = world.agreed()
    getattr(world.memory, act)()
    assert world.connector.consent_state(world.bank, handle, ABSENT, **LIMIT).status == status
    with pytest.raises(error):
        world.connector.accounts(world.bank, handle, ABSENT, balances=False, **LIMIT)
    with pytest.raises(error):
        world.entries(handle)


def test_a_consent_that_the_bank_forgot_is_revoked(world):
    with pytest.raises(ConsentRevoked):
        handle = world.agreed()
        world.memory.consents.clear()
        world.connector.accounts(world.bank, handle, ABSENT, balances=True, **LIMIT)


def test_giving_back_twice_is_giving_back(world):
    handle = world.agreed()
    for _ in range(2):
        world.connector.revoke_consent(world.bank, handle, **LIMIT)
    assert world.connector.consent_state(world.bank, handle, ABSENT, **LIMIT).status == "revoked"
    world.memory.consents.clear()
    world.connector.revoke_consent(world.bank, handle, **LIMIT)


def test_accounts_come_with_balances_where_asked(world):
    handle = world.agreed()
    (bare,) = world.connector.accounts(world.bank, handle, HERE, balances=False, **LIMIT)
    assert bare == account(balances=())
    assert world.connector.accounts(world.bank, handle, ABSENT, balances=True, **LIMIT) == (account(),)
    assert world.connector.balances(world.bank, handle, ABSENT, "acc-1", **LIMIT) == account().balances


def test_every_entry_arrives_once_over_any_number_of_pages(world):
    entries = [entry(-1000 - number, name=f"Shop {number}", transaction_id=f"T{number}") for number in range(10)]
    world.memory.put(account(), *entries)
    assert world.whole(world.agreed()) == entries


def test_older_entries_and_unwanted_pending_ones_stay_away(world):
    old = entry(-1, day=TODAY - timedelta(days=91))
    waiting = entry(-5, day=None)
    world.memory.put(account(), entry(7, name="Payer"), waiting, old)
    handle = world.agreed()
    assert {found.status for found in world.whole(handle)} == {EntryStatus.BOOKED, EntryStatus.PENDING}
    assert world.whole(handle, pending=False) == [entry(7, name="Payer")]
    assert world.entries(handle).pending_included
    assert not world.entries(handle, pending=False).pending_included


def test_an_account_that_is_not_there_breaks_the_read(world):
    with pytest.raises(BadResponse):
        world.entries(world.agreed(), resource_id="nobody's")


def test_an_order_is_taken_once_and_its_status_followed(world):
    begun = world.pay()
    assert (begun.status, begun.bank_status) == (Status.REQUIRES_ACTION, "RCVD")
    assert begun.redirect_url
    for word, reason, status in (("ACSP", None, Status.PROCESSING), ("RJCT", "AM04", Status.FAILED)):
        world.memory.settle(word, reason=reason)
        state = world.connector.payment_state(world.bank, begun.handle, ABSENT, **LIMIT)
        assert (state.status, state.bank_status, state.reason) == (status, word, reason)
    order = world.memory.payments[world.memory.newest_payment()].order
    assert (order.amount_minor, order.currency, order.creditor_name, order.remittance) == (
        1230,
        "eur",
        "Продавница",
        "Order 7",
    )


def test_a_currency_the_bank_does_not_take(world):
    with pytest.raises(NotSupported):
        world.pay(currency="usd")
    assert not world.memory.payments


def test_the_probe_needs_nobody_and_sees_an_outage(world):
    world.connector.probe(world.bank, **LIMIT)
    assert not world.memory.consents


def test_only_connector_errors_leave_a_connector(world):
    world.memory.is_down = True
    calls = [
        lambda: world.consent(),
        lambda: world.pay(),
        lambda: world.connector.revoke_consent(world.bank, {"consent_id": "c"}, **LIMIT),
    ]
    for call in calls:
        with pytest.raises(ConnectorError):
            call()


def test_another_connector_s_bank_is_refused(world):
    other = BankProfile(slug="x", name="X", country="MK", connector="file", base_url="https://x.example")
    with pytest.raises(ValueError, match="file"):
        world.connector.probe(other, **LIMIT)


def test_the_fake_loses_answers_and_raises_what_was_planned():
    fake = FakeConnector()
    world = World(fake, profile("https://bank.test"), fake)
    fake.will("begin_payment", LOST, None)
    with pytest.raises(InstitutionDown):
        world.pay()
    assert len(fake.payments) == 1, "the bank has it, and nobody heard"
    world.pay()
    fake.will("probe", LoginRequired())
    with pytest.raises(LoginRequired):
        fake.probe(world.bank, **LIMIT)
    assert (fake.count("begin_payment"), fake.count()) == (2, 3)
    assert [call.present for call in fake.calls] == [True, True, False]
    assert date(2026, 11, 26) == TODAY
