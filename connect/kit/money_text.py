"""The one way in which amounts are written for people.

Django's localizer and Unicode's locale data are not used on purpose: the first has no grouping for Albanian,
the second prints RSD and ALL without their decimals.
"""

from __future__ import annotations

from typing import Final

from connect.kit import currencies, money

NBSP: Final = "\N{NO-BREAK SPACE}"
MINUS: Final = "\N{MINUS SIGN}"

SEPARATORS: Final = {
    "en": (",", "."),
    "mk": (".", ","),
    "sq": (NBSP, ","),
    "sr": (".", ","),
}
"""Thousands and decimal separators by language; `sr-latn` follows `sr`, a language not listed follows `en`."""


def format_count(number: int, language: str = "en") -> str:
    """A whole number with its thousands apart, as the language writes them: `format_count(12345, "mk")` is `12.345`."""
    thousands, _ = SEPARATORS.get(language.partition("-")[0], SEPARATORS["en"])
    return f"{MINUS if number < 0 else ''}{abs(number):,}".replace(",", thousands)


def format_money(minor: int, currency: str, language: str = "en") -> str:
    """`format_money(-123456, "eur", "mk")` is `−1.234,56 EUR`, joined by a no-break space so that it never wraps.

    `minor` is in minor units, `currency` any case of an ISO 4217 code; raises KeyError for an unknown currency.
    """
    code = currency.lower()
    thousands, decimal = SEPARATORS.get(language.partition("-")[0], SEPARATORS["en"])
    whole, _, fraction = money.decimal_text(abs(minor), code).partition(".")
    grouped = f"{int(whole):,}".replace(",", thousands)
    number = f"{grouped}{decimal}{fraction}" if currencies.exponent(code) else grouped
    return f"{MINUS if minor < 0 else ''}{number}{NBSP}{code.upper()}"
