"""The money filter: every currency's own decimals, every language's own separators, no line break inside."""

import pytest
from django.template import Context, Template
from django.utils import translation

from connect.kit import currencies
from connect.kit.money_text import format_money

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("minor", "currency", "language", "expected"),
    [
        (123456789, "eur", "en", "1,234,567.89 EUR"),
        (123456789, "eur", "mk", "1.234.567,89 EUR"),
        (123456789, "eur", "sq", f"1{NBSP}234{NBSP}567,89 EUR"),
        (123456789, "eur", "sr", "1.234.567,89 EUR"),
        (123456789, "eur", "sr-latn", "1.234.567,89 EUR"),
        (123456789, "eur", "fr", "1,234,567.89 EUR"),
        (990000, "rsd", "en", "9,900.00 RSD"),  # Unicode's locale data would drop these decimals
        (150000, "all", "sq", f"1{NBSP}500,00 ALL"),  # and these
        (700, "jpy", "en", "700 JPY"),
        (1234567, "jpy", "mk", "1.234.567 JPY"),
        (1234567, "kwd", "en", "1,234.567 KWD"),
        (5, "eur", "en", "0.05 EUR"),
        (0, "eur", "en", "0.00 EUR"),
        (-5, "eur", "en", "\u22120.05 EUR"),
        (-123456, "EUR", "mk", "\u22121.234,56 EUR"),
        (999_999_999_999, "eur", "en", "9,999,999,999.99 EUR"),
    ],
)
def test_formats_by_language_and_currency(minor, currency, language, expected):
    assert format_money(minor, currency, language) == expected.replace(" ", NBSP)


@pytest.mark.parametrize("currency", sorted(currencies.EXPONENTS))
def test_never_loses_a_digit(currency):
    """Whatever the currency, the digits shown are the digits of the minor units, padded to one whole digit."""
    for minor in (0, 1, 99, 100, 123456789012):
        shown = "".join(character for character in format_money(minor, currency, "sq") if character.isdigit())
        assert shown == str(minor).rjust(currencies.exponent(currency) + 1, "0")


def test_an_amount_never_wraps():
    assert " " not in format_money(123456789, "eur", "sq")


def test_the_filter_follows_the_page_and_shows_nothing_for_none():
    template = Template("{% load money %}{{ amount|money:'eur' }}")
    with translation.override("mk"):
        assert template.render(Context({"amount": 123456})) == f"1.234,56{NBSP}EUR"
    assert template.render(Context({"amount": None})) == ""


def test_an_unknown_currency_is_an_error_not_a_guess():
    with pytest.raises(KeyError):
        format_money(1, "xxx")
