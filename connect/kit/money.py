"""Money is a whole number of minor units and a currency. It never meets a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connect.kit import currencies


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`Money(1999, "eur")` is 19.99 EUR. `minor` is signed, at most 12 digits; `currency` is lower-case ISO 4217."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError("minor units are whole numbers")
        if abs(self.minor) > currencies.MAXIMUM_MINOR:
            raise ValueError("an amount has at most 12 digits of minor units")
        if self.currency not in currencies.EXPONENTS:
            raise ValueError(f"unknown currency {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        """`19.99 EUR`: for logs and error texts; pages use the money filter."""
        return f"{decimal_text(self.minor, self.currency)} {self.currency.upper()}"

    def share(self, numerator: int, denominator: int) -> Money:
        """`numerator/denominator` of this amount, rounded half up (away from zero on a tie); integers only."""
        if denominator <= 0:
            raise ValueError("the denominator of a share is positive")
        product = self.minor * numerator
        magnitude = (2 * abs(product) + denominator) // (2 * denominator)
        return Money(magnitude if product >= 0 else -magnitude, self.currency)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by largest remainder, so that the parts always add up to the whole. Weights are whole, not all zero."""
        total = sum(weights)
        if not weights or total <= 0 or min(weights) < 0:
            raise ValueError("weights are not negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        parts = [whole * weight // total for weight in weights]
        remainders = [whole * weight % total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
        for index in by_remainder[: whole - sum(parts)]:
            parts[index] += 1
        return [Money(sign * part, self.currency) for part in parts]

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up; convert first")


def decimal_text(minor: int, currency: str) -> str:
    """Minor units as a plain decimal with the currency's own decimals: `decimal_text(-5, "eur")` is `-0.05`."""
    places = currencies.exponent(currency)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor))
    if not places:
        return sign + digits
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
