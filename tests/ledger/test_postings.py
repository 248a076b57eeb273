"""The pure rules of postings and paths, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit.money import Money
from ledger.domain import accounts
from ledger.domain.accounts import AccountSpec
from ledger.domain.errors import (
    CurrencyMismatch,
    FloorForbidden,
    PathInvalid,
    PathReserved,
    TooFewLines,
    UnbalancedTransaction,
)
from ledger.domain.postings import Line, Posting, credit, debit, per_account
from ledger.models.arrays import quoted

EUR = "eur"


def posting(*lines: Line) -> Posting:
    return Posting("test", "key", lines)


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ((), TooFewLines),
        ((Line("a", Money(1, EUR)),), TooFewLines),
        ((Line("a", Money(1, EUR)), Line("b", Money(-2, EUR))), UnbalancedTransaction),
        ((Line("a", Money(1, EUR)), Line("b", Money(-1, "rsd"))), UnbalancedTransaction),
        ((Line("a", Money(1, EUR)), Line("b", Money(-1, EUR)), Line("c", Money(5, "rsd"))), UnbalancedTransaction),
    ],
)
def test_what_does_not_balance_is_no_posting(lines, error):
    with pytest.raises(error):
        posting(*lines)


def test_an_unbalanced_posting_says_by_how_much():
    with pytest.raises(UnbalancedTransaction, match="in eur they sum to -1 minor units"):
        posting(Line("a", Money(1, EUR)), Line("b", Money(-2, EUR)))


def test_each_currency_balances_by_itself():
    made = posting(
        debit("a", Money(100, EUR)),
        credit("b", Money(100, EUR)),
        debit("c", Money(5, "rsd")),
        credit("d", Money(5, "rsd")),
    )
    assert sum(line.amount.minor for line in made.lines) == 0


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=20))
def test_a_split_balances_and_its_net_changes_sum_to_zero(parts):
    made = posting(
        debit("payer", Money(sum(parts), EUR)), *(credit(f"p{i % 3}", Money(p, EUR)) for i, p in enumerate(parts))
    )
    assert sum(change.minor for change in per_account(made.lines).values()) == 0


@pytest.mark.parametrize("minor", [0, -1])
def test_debit_and_credit_take_positive_amounts(minor):
    for helper in (debit, credit):
        with pytest.raises(ValueError, match="positive"):
            helper("a", Money(minor, EUR))


def test_a_line_of_zero_is_refused():
    with pytest.raises(ValueError, match="moves something"):
        Line("a", Money(0, EUR))


def test_a_line_in_another_currency_than_its_specification_is_refused():
    with pytest.raises(CurrencyMismatch):
        credit(AccountSpec("a", EUR, "credit"), Money(1, "rsd"))


@pytest.mark.parametrize("path", ["a", "a:b", "acct_1:available:eur", "x.y-z_0:1"])
def test_paths(path):
    assert accounts.check_path(path) == path


@pytest.mark.parametrize("path", ["", ":", "a:", ":a", "a::b", "a b", "a/b", "ä", 'a"', "a\n", "x" * 256])
def test_what_is_no_path(path):
    with pytest.raises(PathInvalid):
        accounts.check_path(path)


@pytest.mark.parametrize("path", ["platform:eur", "fees", "processor:sandbox:eur", "acct_123:available:eur", "fx:eur"])
def test_api_callers_keep_off_the_accounts_of_payments(path):
    with pytest.raises(PathReserved, match=path):
        accounts.refuse_reserved(path)
    assert accounts.system_path(*path.split(":")) == path


@pytest.mark.parametrize("path", ["customers:1", "platforms", "account:1", "my:fees"])
def test_other_paths_are_free_and_are_not_the_products(path):
    assert accounts.refuse_reserved(path) == path
    with pytest.raises(ValueError, match="not a reserved root"):
        accounts.system_path(*path.split(":"))


@pytest.mark.parametrize(
    "change",
    [{"currency": "xxx"}, {"normal_side": "left"}, {"stripes": 0}, {"stripes": 65}],
    ids=lambda c: next(iter(c)),
)
def test_specifications_are_checked(change):
    with pytest.raises(ValueError):
        AccountSpec(**{"path": "a", "currency": EUR, "normal_side": "credit", **change})


def test_a_striped_account_has_no_floor():
    with pytest.raises(FloorForbidden):
        AccountSpec("a", EUR, "credit", floor_minor=0, stripes=2)


@pytest.mark.parametrize(
    ("text", "literal"), [("a", '"a"'), ("null", '"null"'), ('a"b', '"a\\"b"'), ("a\\", '"a\\\\"')]
)
def test_texts_are_quoted_inside_array_literals(text, literal):
    assert quoted(text) == literal
