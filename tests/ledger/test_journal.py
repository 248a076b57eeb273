"""Posting through the service: one call, idempotent, floored, all or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from connect.kit import ids
from connect.kit.errors import ParameterInvalid
from connect.kit.money import Money
from connect.kit.tenancy import EnvironmentRequired, use_environment
from ledger.domain.errors import (
    AccountMismatch,
    AccountUnknown,
    AlreadyReversed,
    CurrencyMismatch,
    DuplicateTransaction,
    InsufficientFunds,
    TransactionUnknown,
)
from ledger.domain.postings import Posting, credit, debit
from ledger.selectors import balances, drift, transactions
from ledger.services import journal
from tests.ledger.conftest import WORLD, spec, transfer

pytestmark = pytest.mark.usefixtures("opened")
WALLET = spec("customers:1", floor=0)
OTHER = spec("customers:2", floor=0)


def refused(error, caller, posting):
    """The posting is refused with `error`, and a savepoint keeps the test's transaction alive."""
    with pytest.raises(error) as caught, transaction.atomic():
        journal.post(caller, posting)
    return caught.value


def test_one_posting_is_one_statement(caller, django_assert_num_queries):
    journal.post(caller, transfer(WORLD, WALLET, 100))
    with django_assert_num_queries(1):
        journal.post(caller, transfer(WALLET, OTHER, 30))


def test_balances_follow_and_come_back_with_the_posting(caller):
    posted = journal.post(caller, transfer(WORLD, WALLET, 100))
    assert posted.existed is False
    assert posted.balances["customers:1"].available == 100
    assert posted.balances["world"].balance == 100  # debit-normal: what came in from the world
    assert posted.balances == balances.for_paths(["world", "customers:1"])
    assert drift.report().ok


def test_lines_of_several_accounts_and_currencies(caller):
    money, dinars = Money(100, "eur"), Money(11_700, "rsd")
    journal.post(
        caller,
        Posting(
            "fx",
            "fx:1",
            (
                debit(spec("a", "debit"), money),
                credit(spec("position:eur"), money),
                debit(spec("position:rsd", currency="rsd"), dinars),
                credit(spec("b", currency="rsd"), dinars),
            ),
        ),
    )
    assert balances.for_path("b").balance == 11_700
    assert balances.for_path("position:rsd").balance == -11_700
    assert drift.report().ok


def test_the_same_key_gives_back_what_it_made(caller):
    posting = transfer(WORLD, WALLET, 100, key="charge:1")
    first, again = journal.post(caller, posting), journal.post(caller, posting)
    assert (again.id, again.existed) == (first.id, True)
    assert (again.created_at, again.effective_at) == (first.created_at, first.effective_at)
    assert balances.for_path("customers:1").balance == 100


@pytest.mark.parametrize(
    "other",
    [
        transfer(WORLD, WALLET, 101, key="charge:1"),
        transfer(WORLD, OTHER, 100, key="charge:1"),
        transfer(WALLET, WORLD, 100, key="charge:1"),
        replace(transfer(WORLD, WALLET, 100, key="charge:1"), kind="else"),
        replace(transfer(WORLD, WALLET, 100, key="charge:1"), reference="pi_else"),
    ],
    ids=["amount", "account", "direction", "kind", "reference"],
)
def test_the_same_key_with_other_content_is_refused(caller, other):
    journal.post(caller, transfer(WORLD, WALLET, 100, key="charge:1"))
    assert "charge:1" in refused(DuplicateTransaction, caller, other).text
    assert balances.for_path("customers:1").balance == 100


def test_a_batch_is_one_statement_and_answers_in_order(caller, django_assert_num_queries):
    journal.post(caller, transfer(WORLD, WALLET, 1000, key="seed"))
    batch = [
        transfer(WORLD, WALLET, 1000, key="seed"),
        *(transfer(WALLET, OTHER, n, key=f"b{n}") for n in range(9, 0, -1)),
    ]
    with django_assert_num_queries(1):
        posted = journal.post_many(caller, batch)
    assert [each.existed for each in posted] == [True, *[False] * 9]
    for made, wanted in zip(posted, batch, strict=True):
        assert transactions.get(made.id).idempotency_key == wanted.idempotency_key
    assert balances.for_path("customers:2").balance == 45
    assert posted[-1].balances["customers:1"].balance == 955
    assert drift.report().ok


def test_a_key_twice_in_one_batch_is_posted_once_or_refused(caller):
    one = transfer(WORLD, WALLET, 5, key="twice")
    first, second = journal.post_many(caller, [one, one])
    assert (first.id, sorted([first.existed, second.existed])) == (second.id, [False, True])
    with pytest.raises(DuplicateTransaction), transaction.atomic():
        journal.post_many(caller, [transfer(WORLD, WALLET, 5, key="x"), transfer(WORLD, WALLET, 6, key="x")])
    assert balances.for_path("customers:1").balance == 5


def test_a_batch_stands_or_falls_as_a_whole(caller):
    with pytest.raises(InsufficientFunds), transaction.atomic():
        journal.post_many(caller, [transfer(WORLD, OTHER, 100), transfer(WALLET, OTHER, 1)])
    assert balances.for_paths(["customers:1", "customers:2"]) == {}


def test_the_floor_holds_to_the_cent(caller):
    journal.post(caller, transfer(WORLD, WALLET, 100))
    error = refused(InsufficientFunds, caller, transfer(WALLET, OTHER, 101))
    assert (error.data["path"], error.data["available_after"]) == ("customers:1", -1)
    journal.post(caller, transfer(WALLET, OTHER, 100))
    assert balances.for_path("customers:1").available == 0


def test_a_debit_normal_account_has_its_floor_on_its_own_side(caller):
    till = spec("till", "debit", floor=0)
    journal.post(caller, transfer(till, WALLET, 50))
    refused(InsufficientFunds, caller, transfer(OTHER, till, 51))
    journal.post(caller, transfer(WALLET, till, 50))
    assert balances.for_path("till").available == 0


def test_an_allowed_overdraft_is_a_negative_floor(caller):
    credit_line = spec("customers:3", floor=-500)
    journal.post(caller, transfer(credit_line, OTHER, 500))
    refused(InsufficientFunds, caller, transfer(credit_line, OTHER, 1))


def test_unknown_and_mismatched_accounts(caller):
    assert "nobody" in refused(AccountUnknown, caller, transfer(WORLD, "nobody", 1)).text
    journal.post(caller, transfer(WORLD, WALLET, 1))
    refused(AccountMismatch, caller, transfer(WORLD, spec("customers:1", "debit"), 1))
    dinars = Money(1, "rsd")
    lines = (debit(spec("w2", "debit", currency="rsd"), dinars), credit("customers:1", dinars))
    assert refused(CurrencyMismatch, caller, Posting("test", "k", lines)).data["currency"] == "eur"


def test_a_path_named_null_is_a_path(caller):
    journal.post(caller, transfer(WORLD, spec("null"), 7))
    assert balances.for_path("null").balance == 7


def test_what_was_said_about_a_posting_is_kept(caller):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    posted = journal.post(
        caller,
        transfer(
            WORLD, WALLET, 5, key='k "1"\\, {x}', reference="pi_1", description='say "hi", {you}\\',
            effective_at=moment, metadata={"order": 'A "1"', "šifra": "ж"},
        ),
    )  # fmt: skip
    (found,) = transactions.for_reference("pi_1")
    assert found == transactions.get(posted.id) == transactions.by_key('k "1"\\, {x}')
    assert (found.description, found.metadata) == ('say "hi", {you}\\', {"order": 'A "1"', "šifra": "ж"})
    assert (found.effective_at, found.created_at) == (moment, posted.created_at)
    assert [(line.path, line.amount_minor) for line in found.lines] == [("world", -5), ("customers:1", 5)]


def test_a_zero_byte_in_metadata_is_refused_readably(caller):
    assert "U+0000" in refused(ParameterInvalid, caller, transfer(WORLD, WALLET, 5, metadata={"a": "\0"})).text


def test_the_business_clock_dates_what_has_no_date(caller):
    frozen = datetime(2030, 5, 6, tzinfo=UTC)
    posted = journal.post(replace(caller, clock=replace(caller.clock, frozen_at=frozen)), transfer(WORLD, WALLET, 5))
    assert posted.effective_at == frozen
    assert posted.created_at < frozen


def test_a_reversal_mirrors_once(caller):
    original = journal.post(caller, transfer(WORLD, WALLET, 100, reference="pi_1"))
    reversal = journal.reverse(caller, transaction_id=original.id, idempotency_key="r1")
    again = journal.reverse(caller, transaction_id=original.id, idempotency_key="r1")
    assert (again.id, again.existed, again.created_at) == (reversal.id, True, reversal.created_at)
    with pytest.raises(AlreadyReversed, match=ids.encode("ltxn", reversal.id)), transaction.atomic():
        journal.reverse(caller, transaction_id=original.id, idempotency_key="r2")
    assert transactions.get(original.id).reversed_by == reversal.id
    assert [(line.path, line.amount_minor) for line in transactions.get(reversal.id).lines] == [
        ("world", 100),
        ("customers:1", -100),
    ]
    assert len(transactions.for_reference("pi_1")) == 2
    assert balances.for_path("customers:1").balance == 0
    assert drift.report().ok


def test_a_reversal_respects_floors_keys_and_existence(caller):
    original = journal.post(caller, transfer(WORLD, WALLET, 100, key="used"))
    journal.post(caller, transfer(WALLET, OTHER, 1))
    for error, identifier, key in (
        (InsufficientFunds, original.id, "r1"),
        (DuplicateTransaction, original.id, "used"),
        (TransactionUnknown, ids.new(), "r2"),
    ):
        with pytest.raises(error), transaction.atomic():
            journal.reverse(caller, transaction_id=identifier, idempotency_key=key)


def test_striped_accounts_sum_up_and_are_left_out_of_answers(caller):
    fees = spec("fees:platform:eur", stripes=8)
    for _ in range(3):
        posted = journal.post(caller, transfer(WORLD, fees, 10))
    assert "fees:platform:eur" not in posted.balances
    assert balances.for_path("fees:platform:eur").balance == 30
    assert drift.report().ok


def test_nothing_posted_for_no_postings(caller, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert journal.post_many(caller, []) == []


def test_another_environment_than_the_open_one_is_refused(caller, environments):
    with pytest.raises(EnvironmentRequired):
        journal.post(replace(caller, environment=environments["other/test"]), transfer(WORLD, WALLET, 1))


def test_pages_of_transactions_walk_back_to_the_first(caller):
    from connect.kit.pages import Page

    posted = [journal.post(caller, transfer(WORLD, WALLET, n + 1)).id for n in range(5)]
    first, more = transactions.page(Page(limit=3))
    rest, end = transactions.page(Page(limit=3, starting_after=first[-1].id))
    assert [found.id for found in first + rest] == posted[::-1]
    assert (more, end) == (True, False)
    account = balances.for_path("customers:1").account_id
    assert [found.id for found in transactions.page(Page(limit=2), account_id=account)[0]] == posted[:-3:-1]


@pytest.mark.django_db
def test_another_environment_sees_none_of_it(caller, environments, request):
    journal.post(caller, transfer(WORLD, WALLET, 1))
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{environments["other/test"].schema_name}".ledger_entry')
        assert cursor.fetchone()[0] == 0


def test_outside_of_an_environment_nothing_is_posted(caller, environment):
    import contextvars

    with pytest.raises(EnvironmentRequired, match="use_environment"):
        contextvars.Context().run(journal.post, caller, transfer(WORLD, WALLET, 1))
    with use_environment(environment):
        assert balances.for_paths(["world"]) == {}
