"""IBANs with right check digits, also the national ones. The bank's own code is 999, which no bank has."""

from __future__ import annotations

import re


def macedonian(account: int) -> str:
    """`MK07 999…`: bank, ten digits of account, two check digits."""
    return _with_national_check("MK", f"999{account:010}")


def serbian(account: int) -> str:
    """`RS35 999…`: bank, thirteen digits of account, two check digits."""
    return _with_national_check("RS", f"999{account:013}")


def albanian(account: int) -> str:
    """`AL.. 999…`: bank, branch, a check digit over both, sixteen digits of account."""
    head = "9990001"
    weighed = sum(int(digit) * weight for digit, weight in zip(head, (9, 7, 3, 1, 9, 7, 3), strict=True))
    return _with_check("AL", f"{head}{(10 - weighed % 10) % 10}{account:016}")


def is_right(iban: str) -> bool:
    """Whether the check digits of an IBAN of any country fit."""
    return bool(re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}", iban)) and int(_digits(iban[4:] + iban[:4])) % 97 == 1


def _with_national_check(country: str, body: str) -> str:
    return _with_check(country, f"{body}{98 - int(body) * 100 % 97:02}")


def _with_check(country: str, bban: str) -> str:
    return f"{country}{98 - int(_digits(bban + country + '00')) % 97:02}{bban}"


def _digits(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)
