"""Card numbers: read, checked, and forgotten.

A card number (PAN) and a security code are used while the request runs and never stored, logged or shown. What is kept
is `CardDetails`. Two cards with the same number get the same fingerprint within one installation, by a keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from connect.kit import ids
from payments.domain import errors

YEARS_AHEAD_MAX: Final = 50
"""An expiry further ahead than this is a typing mistake."""

_FINGERPRINT_LENGTH: Final = 16
_SPACES: Final = str.maketrans("", "", " -")

_RANGES: Final[tuple[tuple[str, int, int, frozenset[int]], ...]] = (
    # brand, first and last prefix (same number of digits), lengths; the narrower range stands first
    ("discover", 622126, 622925, frozenset({16, 17, 18, 19})),
    ("discover", 6011, 6011, frozenset({16, 17, 18, 19})),
    ("discover", 644, 649, frozenset({16, 17, 18, 19})),
    ("discover", 65, 65, frozenset({16, 17, 18, 19})),
    ("unionpay", 62, 62, frozenset({16, 17, 18, 19})),
    ("unionpay", 81, 81, frozenset({16, 17, 18, 19})),
    ("amex", 34, 34, frozenset({15})),
    ("amex", 37, 37, frozenset({15})),
    ("diners", 300, 305, frozenset({14, 16, 17, 18, 19})),
    ("diners", 3095, 3095, frozenset({14, 16, 17, 18, 19})),
    ("diners", 36, 36, frozenset({14, 15, 16, 17, 18, 19})),
    ("diners", 38, 39, frozenset({14, 16, 17, 18, 19})),
    ("jcb", 3528, 3589, frozenset({16, 17, 18, 19})),
    ("mastercard", 51, 55, frozenset({16})),
    ("mastercard", 2221, 2720, frozenset({16})),
    ("visa", 4, 4, frozenset({13, 16, 19})),
)
BRANDS: Final = frozenset(row[0] for row in _RANGES)
"""Brands a number can be recognised as; any other is `unknown`."""


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A number that passed every check. `digits` must not leave the request; `repr` hides it."""

    digits: str = field(repr=False)
    brand: str

    @property
    def last4(self) -> str:
        """The part that may be shown."""
        return self.digits[-4:]


@dataclass(frozen=True, slots=True)
class CardDetails:
    """All that is kept of a card. `test_token` says which test instrument it is; it is None for a real card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    funding: str
    country: str | None
    fingerprint: str
    test_token: str | None = None
    cvc_check: str | None = None

    def stored(self) -> dict[str, Any]:
        """As the payment method's `card` column holds it."""
        return asdict(self)

    @classmethod
    def from_stored(cls, card: Mapping[str, Any]) -> CardDetails:
        """The card of a payment method row."""
        return cls(**card)


def luhn_valid(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def brand_of(digits: str) -> str:
    """The brand by the number's first digits (BIN ranges), or `unknown`."""
    match = _range_of(digits)
    return match[0] if match else "unknown"


def parse_number(text: str) -> CardNumber:
    """Read a number as people type it (spaces and hyphens are fine); raises `IncorrectNumber`."""
    digits = text.translate(_SPACES)
    if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and luhn_valid(digits)):
        raise errors.IncorrectNumber(param="number")
    match = _range_of(digits)
    if match and len(digits) not in match[3]:
        raise errors.IncorrectNumber(param="number")
    return CardNumber(digits, match[0] if match else "unknown")


def fingerprint(number: str, secret: bytes) -> str:
    """16 base62 characters, equal for equal numbers; without `secret` (32 bytes) nobody can guess the number back."""
    if len(secret) < 32:
        raise ValueError("the fingerprint secret has at least 32 bytes: card numbers are few enough to try them all")
    digest = hmac.new(secret, number.encode("ascii"), hashlib.sha256).digest()
    return ids.base62(int.from_bytes(digest, "big") % 62**_FINGERPRINT_LENGTH, _FINGERPRINT_LENGTH)


def full_year(year: int, at: datetime) -> int:
    """A two-digit year in the century of `at`; four digits stay."""
    return at.year // 100 * 100 + year if 0 <= year < 100 else year


def is_expired(exp_month: int, exp_year: int, at: datetime) -> bool:
    """Whether the card is past the last day of its month at `at` (aware; a card's month ends in UTC)."""
    moment = at.astimezone(UTC)
    return (exp_year, exp_month) < (moment.year, moment.month)


def check_expiry(exp_month: int, exp_year: int, *, at: datetime) -> tuple[int, int]:
    """Month and full year of a card that is good at `at`; raises `InvalidExpiryMonth` or `InvalidExpiryYear`."""
    if not 1 <= exp_month <= 12:
        raise errors.InvalidExpiryMonth(param="exp_month")
    moment = at.astimezone(UTC)
    year = full_year(exp_year, moment)
    if not moment.year <= year <= moment.year + YEARS_AHEAD_MAX:
        raise errors.InvalidExpiryYear(param="exp_year")
    if is_expired(exp_month, year, moment):
        raise errors.InvalidExpiryMonth(param="exp_month")
    return exp_month, year


def check_cvc(cvc: str, brand: str) -> None:
    """A security code has three digits, American Express also four; raises `InvalidCvc`."""
    lengths = (3, 4) if brand in {"amex", "unknown"} else (3,)
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) in lengths):
        raise errors.InvalidCvc(param="cvc")


def describe(
    number: CardNumber,
    *,
    exp_month: int,
    exp_year: int,
    at: datetime,
    secret: bytes,
    cvc: str | None = None,
    funding: str = "unknown",
    country: str | None = None,
    test_token: str | None = None,
) -> CardDetails:
    """Check expiry and security code at `at` and keep what may be kept. The code is `unchecked` until a charge."""
    month, year = check_expiry(exp_month, exp_year, at=at)
    if cvc is not None:
        check_cvc(cvc, number.brand)
    return CardDetails(
        brand=number.brand,
        last4=number.last4,
        exp_month=month,
        exp_year=year,
        funding=funding,
        country=country,
        fingerprint=fingerprint(number.digits, secret),
        test_token=test_token,
        cvc_check=None if cvc is None else "unchecked",
    )


def _range_of(digits: str) -> tuple[str, int, int, frozenset[int]] | None:
    for row in _RANGES:
        if row[1] <= int(digits[: len(str(row[1]))]) <= row[2]:
            return row
    return None
