"""Many at once: floors hold to the cent, nothing is posted twice, and nobody is left in a deadlock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from connect.api.execution import retrying
from connect.kit.money import Money
from connect.kit.tenancy import use_environment
from ledger.domain.errors import AccountClosed, AccountNotEmpty, AlreadyReversed, HoldNotPending, InsufficientFunds
from ledger.selectors import accounts as account_selectors
from ledger.selectors import balances, drift
from ledger.services import accounts, holds, journal
from tests.at_once import at_once, outcomes
from tests.ledger.conftest import WORLD, spec, transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def together(environment) -> Callable[..., Counter]:
    """Run works at the same time, each in transactions of its own; count what came of them."""

    def opened(work: Callable[[], Any]) -> Any:
        with use_environment(environment):
            return work()

    def run(*works: Callable[[], Any]) -> Counter:
        return outcomes(at_once([partial(retrying, partial(opened, work)) for work in works]))

    return run


@pytest.fixture
def sound(environment):
    """After the test the ledger does not drift."""
    yield
    with use_environment(environment):
        assert drift.report().faults == ()


@pytest.mark.usefixtures("sound")
class TestRaces:
    def fund(self, caller, environment, *specs, minor=1000):
        with use_environment(environment):
            journal.post_many(caller, [transfer(WORLD, each, minor, key=f"fund:{each.path}") for each in specs])

    def balance(self, environment, path):
        with use_environment(environment):
            return balances.for_path(path)

    def test_opposite_transfers_do_not_deadlock(self, caller, environment, together):
        pair = spec("a", floor=0), spec("b", floor=0)
        self.fund(caller, environment, *pair)

        def work(number):
            source, destination = pair if number % 2 else pair[::-1]
            return lambda: [
                journal.post(caller, transfer(source, destination, 1, key=f"{number}:{n}")) for n in range(10)
            ]

        assert together(*map(work, range(16))) == {"done": 16}
        assert self.balance(environment, "a").balance == self.balance(environment, "b").balance == 1000

    def test_opposite_batches_do_not_deadlock(self, caller, environment, together):
        specs = [spec(f"a{n}", floor=0) for n in range(6)]
        self.fund(caller, environment, *specs)

        def work(number):
            order = specs if number % 2 else specs[::-1]
            return lambda: journal.post_many(
                caller, [transfer(s, d, 1, key=f"{number}:{s.path}") for s, d in pairwise(order)]
            )

        assert together(*map(work, range(12))) == {"done": 12}

    def test_a_drained_account_never_falls_below_its_floor(self, caller, environment, together):
        wallet = spec("wallet", floor=0)
        self.fund(caller, environment, wallet, minor=500)
        works = [lambda n=n: journal.post(caller, transfer(wallet, WORLD, 100, key=f"out:{n}")) for n in range(12)]
        assert together(*works) == {"done": 5, InsufficientFunds.__name__: 7}
        assert self.balance(environment, "wallet").available == 0

    def test_holds_in_both_directions_never_promise_what_is_not_there(self, caller, environment, together):
        pair = spec("a", floor=0), spec("b", floor=0)
        self.fund(caller, environment, *pair, minor=100)

        def work(number):
            source, destination = pair if number % 2 else pair[::-1]
            return lambda: holds.place(
                caller, source=source, destination=destination, amount=Money(60, "eur"), idempotency_key=f"h{number}"
            )

        assert together(*map(work, range(8))) == {"done": 2, InsufficientFunds.__name__: 6}
        assert self.balance(environment, "a").available == self.balance(environment, "b").available == 40

    def test_holds_and_postings_share_one_floor(self, caller, environment, together):
        wallet, shop = spec("wallet", floor=0), spec("shop")
        self.fund(caller, environment, wallet, minor=300)
        works: list[Callable[[], Any]] = [
            lambda n=n: journal.post(caller, transfer(wallet, shop, 100, key=f"p{n}")) for n in range(4)
        ]
        works += [
            lambda n=n: holds.place(
                caller, source=wallet, destination=shop, amount=Money(100, "eur"), idempotency_key=f"h{n}"
            )
            for n in range(4)
        ]
        assert together(*works) == {"done": 3, InsufficientFunds.__name__: 5}
        assert self.balance(environment, "wallet").available == 0

    def test_two_reversals_of_one_transaction_become_one(self, caller, environment, together):
        with use_environment(environment):
            original = journal.post(caller, transfer(WORLD, spec("wallet"), 100))
        works = [
            lambda n=n: journal.reverse(caller, transaction_id=original.id, idempotency_key=f"r{n}") for n in range(6)
        ]
        assert together(*works) == {"done": 1, AlreadyReversed.__name__: 5}
        assert self.balance(environment, "wallet").balance == 0

    def test_the_same_key_at_once_is_posted_once(self, caller, environment, together):
        works = [lambda: journal.post(caller, transfer(WORLD, spec("wallet"), 100, key="same"))] * 8
        assert together(*works) == {"done": 8}
        assert self.balance(environment, "wallet").balance == 100

    def test_a_hold_is_settled_once(self, caller, environment, together):
        wallet = spec("wallet", floor=0)
        self.fund(caller, environment, wallet, minor=100)
        with use_environment(environment):
            hold = holds.place(caller, source=wallet, destination=WORLD, amount=Money(100, "eur"), idempotency_key="h")
        works: list[Callable[[], Any]] = [
            lambda n=n: holds.post(caller, hold_id=hold.id, idempotency_key=f"c{n}") for n in range(4)
        ]
        works += [lambda: holds.void(caller, hold_id=hold.id)] * 4
        assert together(*works) == {"done": 1, HoldNotPending.__name__: 7}

    def test_a_new_account_opened_by_many_is_one(self, caller, environment, together):
        works = [lambda n=n: journal.post(caller, transfer(WORLD, spec("new"), 1, key=f"k{n}")) for n in range(8)]
        assert together(*works) == {"done": 8}
        assert self.balance(environment, "new").balance == 8

    def test_closing_and_posting_at_once_leave_no_money_in_a_closed_account(self, caller, environment, together):
        for number in range(5):
            path = f"closing{number}"
            with use_environment(environment):
                account = accounts.open(caller, spec(path))
            outcome = together(
                lambda account=account: accounts.close(caller, account_id=account.id),
                lambda path=path: journal.post(caller, transfer(WORLD, path, 1)),
            )
            assert outcome in ({"done": 1, AccountClosed.__name__: 1}, {"done": 1, AccountNotEmpty.__name__: 1})
            with use_environment(environment):
                closed = account_selectors.by_path(path).closed_at is not None
                assert balances.for_path(path).balance == (0 if closed else 1)
