"""Money set aside: what it blocks, how it is posted, voided and expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from connect.kit import ids
from connect.kit.money import Money
from ledger.domain.errors import (
    AccountNotEmpty,
    CurrencyMismatch,
    DuplicateTransaction,
    HoldExceeded,
    HoldExpired,
    HoldNotPending,
    HoldUnknown,
    InsufficientFunds,
    UnbalancedTransaction,
)
from ledger.domain.postings import credit, debit
from ledger.selectors import balances, drift, transactions
from ledger.selectors import holds as selectors
from ledger.services import accounts, holds, journal
from tests.ledger.conftest import WORLD, fresh, spec, transfer

pytestmark = pytest.mark.usefixtures("opened")
WALLET = spec("customers:1", floor=0)
SHOP = spec("shops:1", floor=0)
FEES = spec("my:fees")


@pytest.fixture(autouse=True)
def _money(caller, opened):
    journal.post(caller, transfer(WORLD, WALLET, 1000))


def place(caller, minor=400, source=WALLET, destination=SHOP, **more):
    more.setdefault("idempotency_key", fresh("hold"))
    return holds.place(caller, source=source, destination=destination, amount=Money(minor, "eur"), **more)


def numbers(path):
    balance = balances.for_path(path)
    return balance.balance, balance.held_in, balance.held_out, balance.available


@pytest.fixture
def refuse(caller):
    def attempt(error, service, **arguments):
        with pytest.raises(error) as caught, transaction.atomic():
            service(caller, **arguments)
        return caught.value

    return attempt


def test_a_hold_lowers_what_is_available_and_nothing_else(caller):
    hold = place(caller, reference="pi_1", metadata={"a": "b"})
    assert (hold.state, hold.open_minor, hold.source_path, hold.destination_path) == (
        "pending",
        400,
        "customers:1",
        "shops:1",
    )
    assert numbers("customers:1") == (1000, 0, 400, 600)
    assert numbers("shops:1") == (0, 400, 0, 0)
    assert selectors.get(hold.id) == hold == selectors.for_reference("pi_1")[0]
    assert drift.report().ok


def test_every_step_is_one_statement(caller, django_assert_num_queries):
    for _ in range(2):
        with django_assert_num_queries(3):
            hold = place(caller)
            holds.post(caller, hold_id=hold.id, amount=100, final=False, idempotency_key=fresh("k"))
            holds.void(caller, hold_id=hold.id)


def test_outgoing_holds_count_against_the_floor_for_holds_and_postings(caller):
    place(caller, 900)
    with pytest.raises(InsufficientFunds), transaction.atomic():
        place(caller, 101)
    with pytest.raises(InsufficientFunds), transaction.atomic():
        journal.post(caller, transfer(WALLET, SHOP, 101))
    place(caller, 100)
    assert numbers("customers:1") == (1000, 0, 1000, 0)


def test_an_incoming_hold_never_pays_for_an_outgoing_one(caller):
    """Netting both sides would let an empty wallet promise what it has only been promised."""
    place(caller, 100, WALLET, SHOP)
    with pytest.raises(InsufficientFunds), transaction.atomic():
        place(caller, 100, SHOP, WALLET)


def test_holds_of_debit_normal_accounts_are_mirrored(caller):
    """Money leaves a till when it is credited, so there the destination is the side that is blocked."""
    till = spec("till", "debit", floor=0)
    journal.post(caller, transfer(till, WALLET, 300))
    place(caller, 200, WALLET, till)
    assert numbers("till") == (300, 0, 200, 100)
    with pytest.raises(InsufficientFunds), transaction.atomic():
        place(caller, 101, WALLET, till)
    place(caller, 500, till, WALLET)
    assert numbers("till") == (300, 500, 200, 100)


def test_posting_all_of_it(caller):
    hold = place(caller)
    posted = holds.post(caller, hold_id=hold.id, idempotency_key="capture:1", reference="ch_1")
    assert (posted.hold.state, posted.hold.posted_minor, posted.hold.open_minor) == ("posted", 400, 0)
    assert numbers("customers:1") == (600, 0, 0, 600)
    assert numbers("shops:1") == (400, 0, 0, 400)
    made = transactions.get(posted.transaction_id)
    assert (made.hold_id, made.reference, [line.amount_minor for line in made.lines]) == (hold.id, "ch_1", [-400, 400])
    assert drift.report().ok


def test_posting_a_part_releases_the_rest_when_final(caller):
    posted = holds.post(caller, hold_id=place(caller).id, amount=150, idempotency_key="c")
    assert (posted.hold.state, posted.hold.posted_minor, posted.hold.voided_minor) == ("posted", 150, 250)
    assert posted.hold.void_reason == "released"
    assert numbers("customers:1") == (850, 0, 0, 850)
    assert drift.report().ok


def test_posting_in_parts_until_nothing_is_left(caller, refuse):
    hold = place(caller)
    for number, part in enumerate((100, 299)):
        posted = holds.post(caller, hold_id=hold.id, amount=part, final=False, idempotency_key=f"c{number}")
        assert posted.hold.state == "pending"
    assert numbers("customers:1") == (601, 0, 1, 600)
    assert (
        "1 eur minor units left; 2 cannot"
        in refuse(HoldExceeded, holds.post, hold_id=hold.id, amount=2, idempotency_key="x").text
    )
    last = holds.post(caller, hold_id=hold.id, amount=1, final=False, idempotency_key="c2")
    assert last.hold.state == "posted"
    refuse(HoldNotPending, holds.post, hold_id=hold.id, idempotency_key="c3")
    refuse(HoldNotPending, holds.void, hold_id=hold.id)
    assert drift.report().ok


@pytest.mark.parametrize("amount", [0, -5, 401])
def test_amounts_outside_the_hold_are_refused(caller, refuse, amount):
    refuse(HoldExceeded, holds.post, hold_id=place(caller).id, amount=amount, idempotency_key="x")


def test_a_fee_joins_the_same_transaction(caller):
    hold = place(caller)
    fee = Money(12, "eur")
    posted = holds.post(
        caller, hold_id=hold.id, idempotency_key="c", kind="capture", lines=[debit(SHOP, fee), credit(FEES, fee)]
    )
    assert [(line.path, line.amount_minor) for line in transactions.get(posted.transaction_id).lines] == [
        ("customers:1", -400), ("shops:1", 400), ("shops:1", -12), ("my:fees", 12),
    ]  # fmt: skip
    assert numbers("shops:1") == (388, 0, 0, 388)
    assert drift.report().ok


def test_a_fee_may_not_take_more_than_the_receiver_has(caller, refuse):
    hold, fee = place(caller, 10), Money(11, "eur")
    refuse(
        InsufficientFunds, holds.post, hold_id=hold.id, idempotency_key="c", lines=[debit(SHOP, fee), credit(FEES, fee)]
    )
    refuse(
        UnbalancedTransaction,
        holds.post,
        hold_id=hold.id,
        idempotency_key="c",
        lines=[debit(SHOP, fee), credit(FEES, Money(1, "eur"))],
    )


def test_a_hold_placed_in_time_is_posted_though_the_floor_was_raised_since(caller):
    """What was set aside is not available any more, so posting it lowers nothing; a new debit is refused."""
    hold = place(caller)
    accounts.set_floor(caller, account_id=hold.source_id, floor_minor=5000)
    holds.post(caller, hold_id=hold.id, amount=100, final=False, idempotency_key="c1")
    with pytest.raises(InsufficientFunds), transaction.atomic():
        journal.post(caller, transfer(WALLET, SHOP, 1))
    holds.post(caller, hold_id=hold.id, idempotency_key="c2")
    assert numbers("customers:1") == (600, 0, 0, 600)


def test_voiding_releases(caller):
    hold = place(caller)
    voided = holds.void(caller, hold_id=hold.id, reason="declined")
    assert (voided.state, voided.voided_minor, voided.void_reason) == ("voided", 400, "declined")
    assert numbers("customers:1") == (1000, 0, 0, 1000)
    assert numbers("shops:1") == (0, 0, 0, 0)


def test_voiding_what_is_left_of_a_partly_posted_hold_leaves_it_posted(caller):
    hold = place(caller)
    holds.post(caller, hold_id=hold.id, amount=100, final=False, idempotency_key="c")
    voided = holds.void(caller, hold_id=hold.id)
    assert (voided.state, voided.posted_minor, voided.voided_minor) == ("posted", 100, 300)
    assert drift.report().ok


def test_expiry_is_a_void_with_a_reason(caller, refuse):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    late, soon, never = (
        place(caller, 100, expires_at=at) for at in (start + timedelta(days=9), start + timedelta(days=1), None)
    )
    then = replace(caller, clock=replace(caller.clock, frozen_at=start + timedelta(days=2)))
    with pytest.raises(HoldExpired), transaction.atomic():
        holds.post(then, hold_id=soon.id, idempotency_key="c")
    (expired,) = holds.expire_due(then)
    assert (expired.id, expired.state, expired.void_reason) == (soon.id, "voided", "expired")
    assert holds.expire_due(then) == []
    assert [selectors.get(hold.id).state for hold in (late, never)] == ["pending", "pending"]
    assert numbers("customers:1") == (1000, 0, 200, 800)
    assert drift.report().ok


def test_many_expire_in_one_statement_up_to_the_limit(caller, django_assert_num_queries):
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    for number in range(5):
        place(caller, 10, *((WALLET, SHOP) if number % 2 else (WORLD, WALLET)), expires_at=moment)
    with django_assert_num_queries(1):
        assert len(holds.expire_due(caller, limit=3)) == 3
    assert len(holds.expire_due(caller, limit=3)) == 2
    assert numbers("customers:1") == (1000, 0, 0, 1000)
    assert drift.report().ok


def test_keys_of_holds_and_their_posts_repeat_safely(caller, refuse):
    hold = place(caller, idempotency_key="h")
    assert place(caller, idempotency_key="h") == hold
    for change in ({"minor": 401}, {"source": SHOP, "destination": WALLET}, {"reference": "else"}):
        with pytest.raises(DuplicateTransaction), transaction.atomic():
            place(caller, **{"minor": 400, "idempotency_key": "h", **change})
    first = holds.post(caller, hold_id=hold.id, amount=100, final=False, idempotency_key="c")
    again = holds.post(caller, hold_id=hold.id, amount=100, final=False, idempotency_key="c")
    assert (again.transaction_id, again.existed, again.hold) == (first.transaction_id, True, first.hold)
    refuse(DuplicateTransaction, holds.post, hold_id=hold.id, amount=101, idempotency_key="c")
    refuse(DuplicateTransaction, holds.post, hold_id=place(caller, 1).id, idempotency_key="c")
    assert numbers("customers:1") == (900, 0, 301, 599)


def test_what_is_no_hold(caller, refuse):
    refuse(HoldUnknown, holds.void, hold_id=ids.new())
    refuse(HoldUnknown, holds.post, hold_id=ids.new(), idempotency_key="x")
    with pytest.raises(ValueError, match="two different accounts"):
        place(caller, destination=WALLET)
    with pytest.raises(ValueError, match="positive"):
        place(caller, 0)
    dinars = Money(5, "rsd")
    refuse(
        CurrencyMismatch,
        holds.place,
        source="customers:1",
        destination=spec("d", currency="rsd"),
        amount=dinars,
        idempotency_key="x",
    )


def test_an_account_with_open_holds_is_not_closed(caller, refuse):
    hold = place(caller)
    refuse(AccountNotEmpty, accounts.close, account_id=hold.destination_id)
    holds.void(caller, hold_id=hold.id)
    assert accounts.close(caller, account_id=hold.destination_id).closed_at is not None


def test_striped_accounts_take_holds(caller):
    clearing = spec("clearing", "debit", stripes=16)
    hold = place(caller, 300, WALLET, clearing)
    assert numbers("clearing") == (0, 0, 300, -300)
    holds.post(caller, hold_id=hold.id, idempotency_key="c")
    assert numbers("clearing") == (-300, 0, 0, -300)
    assert drift.report().ok
