"""Currencies: every code once, the region's own ones with two decimals, and a minimum for each."""

import pytest

from connect.kit import currencies


def test_codes_are_three_small_letters():
    assert all(code.isascii() and code.islower() and code.isalpha() and len(code) == 3 for code in currencies.EXPONENTS)


@pytest.mark.parametrize("code", ["mkd", "rsd", "all", "bam", "eur", "ron", "bgn", "huf"])
def test_the_region_s_currencies_have_two_decimals(code):
    assert currencies.exponent(code) == 2
    assert currencies.minimum_charge(code) > 1


@pytest.mark.parametrize(("code", "places"), [("jpy", 0), ("krw", 0), ("xof", 0), ("kwd", 3), ("bhd", 3), ("usd", 2)])
def test_exponents_of_iso_4217(code, places):
    assert currencies.exponent(code) == places


def test_no_currency_is_in_two_groups():
    groups = (currencies._ZERO_DECIMAL, currencies._TWO_DECIMAL, currencies._THREE_DECIMAL)
    assert sum(map(len, groups)) == len(currencies.EXPONENTS)


def test_minimums_belong_to_known_currencies():
    assert set(currencies.MINIMUM_CHARGE) <= set(currencies.EXPONENTS)
    assert currencies.minimum_charge("aed") == 1


@pytest.mark.parametrize("code", ["EUR", "xxx", "", "eu", "euro"])
def test_unknown_currencies(code):
    assert not currencies.is_known(code)
    with pytest.raises(KeyError):
        currencies.exponent(code)
