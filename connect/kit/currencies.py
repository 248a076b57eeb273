"""Which currencies exist here, how many decimals each has, and the smallest charge we take.

Exponents are ISO 4217's. Do not take them from Unicode's locale data: it prints RSD and ALL without decimals.
Minimum charges follow Stripe's published table where it has the currency, and are about 0.50 EUR elsewhere.
"""

from __future__ import annotations

from typing import Final

_ZERO_DECIMAL: Final = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())  # noqa: SIM905
_THREE_DECIMAL: Final = frozenset("bhd jod kwd omr tnd".split())  # noqa: SIM905 - a list of words reads as one
_TWO_DECIMAL: Final = frozenset(
    (  # noqa: SIM905
        "aed all amd ars aud azn bam bgn brl cad chf cny czk dkk egp eur gbp gel hkd hrk huf idr ils inr isk kzt mad"
        " mdl mkd mxn myr nok nzd pen php pkr pln qar ron rsd sar sek sgd thb try twd uah usd uyu uzs zar"
    ).split()
)

EXPONENTS: Final[dict[str, int]] = (
    dict.fromkeys(_ZERO_DECIMAL, 0) | dict.fromkeys(_TWO_DECIMAL, 2) | dict.fromkeys(_THREE_DECIMAL, 3)
)
"""Decimals by lower-case ISO code."""

MINIMUM_CHARGE: Final[dict[str, int]] = {
    "eur": 50, "usd": 50, "gbp": 30, "chf": 50, "mkd": 3000, "rsd": 6000, "all": 5000, "bam": 100, "ron": 200,
    "bgn": 100, "huf": 17500, "jpy": 50, "pln": 200, "czk": 1500, "sek": 300, "nok": 300, "dkk": 250,
}  # fmt: skip
"""Smallest charge in minor units by currency; a currency not listed has a minimum of 1 minor unit."""

MAXIMUM_MINOR: Final = 999_999_999_999
"""No single amount has more than 12 digits of minor units."""


def is_known(currency: str) -> bool:
    """Whether `currency` (lower-case ISO 4217) can be used here."""
    return currency in EXPONENTS


def exponent(currency: str) -> int:
    """Decimals of a currency; raises KeyError for an unknown one."""
    return EXPONENTS[currency]


def minimum_charge(currency: str) -> int:
    """Smallest amount in minor units that can be charged in `currency`."""
    return MINIMUM_CHARGE.get(currency, 1)
