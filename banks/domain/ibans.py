"""Account numbers of the region: IBANs and the national numbers inside them, read, checked, written and hidden.

`banks/data/iban_structures.csv` says for each country how long an IBAN is, where the bank's code stands and which
check digits of its own the national number has. In five countries that check and the IBAN's own come out of the same
rule, so their IBANs always carry the same two digits (MK07, RS35, ME25, XK05, BA39).
"""

from __future__ import annotations

import csv
import re
import string
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parents[1] / "data" / "iban_structures.csv"
_LETTERS: Final = {letter: str(value) for value, letter in enumerate(string.ascii_uppercase, start=10)}
_PART: Final = re.compile(r"(\d+)!([nac])")
_CLASSES: Final = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
_BLANKS: Final = re.compile(r"[\s\u00a0-]+")
_ALBANIAN_WEIGHTS: Final = (9, 7, 3, 1, 9, 7, 3)


class NationalCheck(StrEnum):
    """How a country's own number is checked."""

    MOD97 = "mod97"
    ALBANIAN = "albanian"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Structure:
    """The numbers of one country. `parts` are the lengths of the national number's parts, `pattern` what it is made of.

    `bank_code` and `account` are where these begin and end in it.
    """

    country: str
    length: int
    pattern: str
    parts: tuple[int, ...]
    bank_code: slice
    account: slice
    check: NationalCheck


@dataclass(frozen=True, slots=True)
class Iban:
    """A checked IBAN, without blanks. Its parts follow from its country's structure."""

    text: str

    @property
    def country(self) -> str:
        """Two letters, upper case."""
        return self.text[:2]

    @property
    def national(self) -> str:
        """What the country itself numbers accounts by."""
        return self.text[4:]

    @property
    def bank_code(self) -> str:
        """The code of the bank, as the catalogue of institutions has it."""
        return self.national[structures()[self.country].bank_code]

    @property
    def account(self) -> str:
        """The account within the bank."""
        return self.national[structures()[self.country].account]


class NotAnIban(ValueError):
    """The text is no account number; the message says what is wrong with it."""


@cache
def structures() -> dict[str, Structure]:
    """What is known of every country, by its code."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {line["country"]: _structure(line) for line in csv.DictReader(file)}


def parse(text: str) -> Iban:
    """Read an IBAN, with or without blanks, in any case. Raises `NotAnIban` for one that cannot exist."""
    plain = _BLANKS.sub("", text).upper()
    known = structures().get(plain[:2])
    if known is None:
        raise NotAnIban(f"it begins with none of {', '.join(sorted(structures()))}")
    if len(plain) != known.length:
        raise NotAnIban(f"an IBAN of {known.country} has {known.length} characters, this one has {len(plain)}")
    if not re.fullmatch(f"[0-9]{{2}}{known.pattern}", plain[2:]):
        raise NotAnIban("it has a letter or a digit in the wrong place")
    if check_digits(known.country, plain[4:]) != plain[2:4]:
        raise NotAnIban("its check digits do not fit: at least one character is wrong")
    if not _national_holds(known, plain[4:]):
        raise NotAnIban("the check digit inside the national number does not fit: at least one digit is wrong")
    return Iban(plain)


def from_local(text: str, country: str) -> Iban:
    """Read a number as `country` writes it, with hyphens or blanks: `210-5015961024-57`, `160-182039-69`.

    Where the parts of the number are marked, zeros on the left of a part may be left out. Raises `NotAnIban`.
    """
    known = structures().get(country.upper())
    if known is None or known.check is not NationalCheck.MOD97:
        raise NotAnIban(f"numbers of {country.upper()} are written as IBANs only")
    groups = [group for group in re.split(r"[\s\u00a0-]+", text.strip()) if group]
    if len(groups) == len(known.parts) and groups[0] and all(group.isdecimal() for group in groups):
        national = "".join(group.zfill(width) for group, width in zip(groups, known.parts, strict=True))
    else:
        national = "".join(groups)
    if not re.fullmatch(known.pattern, national):
        raise NotAnIban(f"a number of {known.country} has {sum(known.parts)} digits")
    if not _national_holds(known, national):
        raise NotAnIban("its check digits do not fit: at least one digit is wrong")
    return Iban(known.country + check_digits(known.country, national) + national)


def readings(text: str) -> tuple[Iban, ...]:
    """Everything that `text` can be: an IBAN, or a local number of each country whose check digits fit.

    Serbia and Montenegro write numbers alike, so a local number may be both; the bank's code tells. Raises `NotAnIban`
    when it is nothing.
    """
    if text.strip()[:2].isalpha():
        return (parse(text),)
    found = []
    for country in structures():
        try:
            found.append(from_local(text, country))
        except NotAnIban:
            continue
    if not found:
        raise NotAnIban("it is neither an IBAN nor an account number of a country we know")
    return tuple(found)


def local(iban: Iban) -> str:
    """The number as its country writes it: parts with hyphens where it has check digits of its own, else the IBAN."""
    known = structures()[iban.country]
    if known.check is not NationalCheck.MOD97:
        return grouped(iban.text)
    groups, place = [], 0
    for width in known.parts:
        groups.append(iban.national[place : place + width])
        place += width
    return "-".join(groups)


def grouped(text: str) -> str:
    """An IBAN for people: in groups of four."""
    plain = _BLANKS.sub("", text)
    return " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))


def masked(text: str | None) -> str:
    """An account number that gives nobody away: country and the last four characters, `MK … 3453`."""
    if not text:
        return ""
    plain = _BLANKS.sub("", text)
    if len(plain) < 12:
        return "…"
    return f"{plain[:2] if plain[:2].isalpha() else ''} … {plain[-4:]}".strip()


def check_digits(country: str, national: str) -> str:
    """The two digits after the country of the IBAN of a national number."""
    return f"{98 - remainder97(f'{national}{country}00'):02d}"


def remainder97(text: str) -> int:
    """ISO 7064 mod 97 of digits and letters, where A is 10 and Z is 35."""
    return int("".join(_LETTERS.get(character, character) for character in text)) % 97


def _national_holds(known: Structure, national: str) -> bool:
    if known.check is NationalCheck.MOD97:
        return remainder97(national) == 1
    if known.check is NationalCheck.ALBANIAN:
        weighed = sum(int(digit) * weight for digit, weight in zip(national, _ALBANIAN_WEIGHTS, strict=False))
        return int(national[len(_ALBANIAN_WEIGHTS)]) == -weighed % 10
    return True


def _structure(line: dict[str, str]) -> Structure:
    parts = _PART.findall(line["bban_spec"])
    check = NationalCheck.NONE
    if "mod97" in line["national_check"]:
        check = NationalCheck.MOD97
    elif "weights" in line["national_check"]:
        check = NationalCheck.ALBANIAN
    return Structure(
        country=line["country"],
        length=int(line["iban_length"]),
        pattern="".join(f"{_CLASSES[kind]}{{{width}}}" for width, kind in parts),
        parts=tuple(int(width) for width, _ in parts),
        bank_code=_span(line["bank_code_pos"]),
        account=_span(line["account_pos"]),
        check=check,
    )


def _span(text: str) -> slice:
    begins, ends = text.split()[0].split("-")
    return slice(int(begins), int(ends))
