"""Money: whole minor units, exact shares, and parts that always add up."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit import currencies
from connect.kit.money import Money, decimal_text

AMOUNTS = st.integers(-currencies.MAXIMUM_MINOR, currencies.MAXIMUM_MINOR)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any)


@given(AMOUNTS, WEIGHTS)
def test_parts_add_up_to_the_whole(minor, weights):
    parts = Money(minor, "eur").allocate(weights)
    assert sum(part.minor for part in parts) == minor
    assert len(parts) == len(weights)


@given(AMOUNTS, WEIGHTS)
def test_every_part_is_within_one_unit_of_its_exact_share(minor, weights):
    for part, weight in zip(Money(minor, "eur").allocate(weights), weights, strict=True):
        assert abs(part.minor - Fraction(minor * weight, sum(weights))) < 1
        assert weight or part.minor == 0


@given(AMOUNTS, WEIGHTS)
def test_splitting_a_debt_mirrors_splitting_a_credit(minor, weights):
    assert Money(-minor, "eur").allocate(weights) == [-part for part in Money(minor, "eur").allocate(weights)]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [-1]])
def test_weights_that_split_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        Money(100, "eur").allocate(weights)


@pytest.mark.parametrize(
    ("minor", "numerator", "denominator", "expected"),
    [
        (100, 1, 3, 33),
        (200, 1, 3, 67),
        (5, 1, 2, 3),
        (-5, 1, 2, -3),
        (1, 1, 2, 1),
        (0, 1, 2, 0),
        (7, -1, 2, -4),
        (3, 5, 1, 15),
    ],
)
def test_a_share_rounds_half_away_from_zero(minor, numerator, denominator, expected):
    assert Money(minor, "eur").share(numerator, denominator).minor == expected


@given(AMOUNTS, st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_is_within_half_a_unit(minor, numerator, denominator):
    if abs(minor * numerator) // denominator >= currencies.MAXIMUM_MINOR:
        return
    share = Money(minor, "eur").share(numerator, denominator)
    assert abs(share.minor - Fraction(minor * numerator, denominator)) <= Fraction(1, 2)


def test_a_share_needs_a_positive_denominator():
    for denominator in (0, -1):
        with pytest.raises(ValueError, match="positive"):
            Money(1, "eur").share(1, denominator)


def test_currencies_do_not_mix():
    euro, denar = Money(1, "eur"), Money(1, "mkd")
    for mix in (lambda: euro + denar, lambda: euro - denar, lambda: euro < denar, lambda: euro <= denar):
        with pytest.raises(ValueError, match="do not add up"):
            mix()
    assert euro != denar


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_only_whole_numbers_are_money(minor):
    with pytest.raises(TypeError):
        Money(minor, "eur")


@pytest.mark.parametrize(("minor", "currency"), [(10**12, "eur"), (-(10**12), "eur"), (1, "EUR"), (1, "xxx"), (1, "")])
def test_money_that_cannot_be(minor, currency):
    with pytest.raises(ValueError, match=r"12 digits|unknown currency"):
        Money(minor, currency)


@given(AMOUNTS, AMOUNTS)
def test_arithmetic_is_that_of_whole_numbers(one, other):
    if abs(one + other) > currencies.MAXIMUM_MINOR:
        with pytest.raises(ValueError, match="12 digits"):
            Money(one, "eur") + Money(other, "eur")
        return
    total = Money(one, "eur") + Money(other, "eur")
    assert total.minor == one + other
    assert total - Money(other, "eur") == Money(one, "eur")
    assert bool(total) == (one + other != 0)
    assert (Money(one, "eur") < Money(other, "eur")) == (one < other)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1999, "eur", "19.99"), (-5, "eur", "-0.05"), (0, "eur", "0.00"), (500, "jpy", "500"), (-7, "jpy", "-7"),
     (1234, "kwd", "1.234"), (1, "rsd", "0.01"), (100, "all", "1.00"), (7, "kwd", "0.007")],
)  # fmt: skip
def test_decimal_text_has_the_currency_s_own_decimals(minor, currency, text):
    assert decimal_text(minor, currency) == text
    assert str(Money(minor, currency)) == f"{text} {currency.upper()}"


@given(AMOUNTS, st.sampled_from(sorted(currencies.EXPONENTS)))
def test_decimal_text_is_the_amount(minor, currency):
    assert Fraction(decimal_text(minor, currency)) == Fraction(minor, 10 ** currencies.exponent(currency))
