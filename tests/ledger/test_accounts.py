"""Opening, naming, bounding and closing accounts."""

from __future__ import annotations

import pytest
from django.db import transaction

from connect.kit import ids
from connect.kit.pages import Page
from ledger.domain.errors import (
    AccountClosed,
    AccountMismatch,
    AccountNotEmpty,
    AccountUnknown,
    FloorForbidden,
    InsufficientFunds,
)
from ledger.selectors import accounts as selectors
from ledger.selectors import balances
from ledger.services import accounts, holds, journal
from tests.ledger.conftest import WORLD, spec, transfer

pytestmark = pytest.mark.usefixtures("opened")


@pytest.fixture
def refuse(caller):
    def attempt(error, work, *arguments, **named):
        with pytest.raises(error) as caught, transaction.atomic():
            work(caller, *arguments, **named)
        return caught.value

    return attempt


def test_opening_twice_gives_the_same_account(caller):
    first = accounts.open(caller, spec("customers:1", floor=0), name="Ana", metadata={"crm": "17"})
    again = accounts.open(caller, spec("customers:1"), name="Other")
    assert again == first == selectors.get(first.id) == selectors.by_path("customers:1")
    assert (first.name, first.metadata, first.floor_minor) == ("Ana", {"crm": "17"}, 0)
    assert balances.for_path("customers:1").balance == 0


@pytest.mark.parametrize("other", [spec("a", "debit"), spec("a", currency="rsd")])
def test_the_same_path_with_other_terms_is_refused(caller, refuse, other):
    accounts.open(caller, spec("a"))
    refuse(AccountMismatch, accounts.open, other)


def test_names_and_metadata_can_change_and_what_is_left_out_stays(caller, refuse):
    account = accounts.open(caller, spec("a"), name="A", metadata={"k": "v"})
    assert accounts.update(caller, account_id=account.id, name="B").metadata == {"k": "v"}
    assert accounts.update(caller, account_id=account.id, metadata={}).name == "B"
    assert selectors.get(account.id).metadata == {}
    refuse(AccountUnknown, accounts.update, account_id=ids.new(), name="x")


def test_a_closed_account_takes_nothing_and_stays_closed(caller, refuse):
    account = accounts.open(caller, spec("a"))
    assert accounts.close(caller, account_id=account.id).closed_at is not None
    refuse(AccountClosed, journal.post, transfer(WORLD, "a", 1))
    refuse(AccountClosed, accounts.close, account_id=account.id)
    refuse(AccountClosed, accounts.set_floor, account_id=account.id, floor_minor=0)
    refuse(
        AccountClosed,
        holds.place,
        source=WORLD,
        destination="a",
        amount=transfer(WORLD, "a", 1).lines[1].amount,
        idempotency_key="h",
    )


def test_only_an_empty_account_is_closed(caller, refuse):
    journal.post(caller, transfer(WORLD, spec("a"), 1))
    account = selectors.by_path("a")
    refuse(AccountNotEmpty, accounts.close, account_id=account.id)
    journal.post(caller, transfer("a", WORLD, 1))
    accounts.close(caller, account_id=account.id)
    refuse(AccountUnknown, accounts.close, account_id=ids.new())


def test_a_closed_striped_account_refuses_every_stripe(caller, refuse):
    account = accounts.open(caller, spec("s", stripes=64))
    accounts.close(caller, account_id=account.id)
    refuse(AccountClosed, journal.post, transfer(WORLD, "s", 1))


def test_a_floor_above_what_is_available_moves_nothing_and_lets_nothing_out(caller, refuse):
    journal.post(caller, transfer(WORLD, spec("a"), 100))
    account = accounts.set_floor(caller, account_id=selectors.by_path("a").id, floor_minor=500)
    assert account.floor_minor == 500
    refuse(InsufficientFunds, journal.post, transfer("a", WORLD, 1))
    journal.post(caller, transfer(WORLD, "a", 50))
    accounts.set_floor(caller, account_id=account.id, floor_minor=None)
    journal.post(caller, transfer("a", WORLD, 200))
    assert balances.for_path("a").balance == -50
    refuse(FloorForbidden, accounts.set_floor, account_id=accounts.open(caller, spec("s", stripes=2)).id, floor_minor=0)


def test_pages_and_filters(caller):
    from connect.kit.caller import PLATFORM_ACCOUNT

    made = [accounts.open(caller, spec(f"customers:{n}", currency="rsd" if n % 2 else "eur")).id for n in range(4)]
    accounts.close(caller, account_id=made[0])

    def page(**filters):
        return [account.id for account in selectors.page(Page(), owner=PLATFORM_ACCOUNT, **filters)[0]]

    assert page() == made[::-1]
    assert page(currency="rsd") == [made[3], made[1]]
    assert page(prefix="customers:2") == [made[2]]
    assert (page(closed=True), page(closed=False)) == ([made[0]], made[:0:-1])
    assert [account.id for account in selectors.page(Page(), owner=ids.new())[0]] == []
    assert selectors.get(made[0], owner=ids.new()) is None
    assert set(selectors.by_ids([*made, ids.new()])) == set(made)
