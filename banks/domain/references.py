"""Payment references: what payers are asked to write, so that a payment finds its invoice.

Two kinds carry a check: the creditor reference of ISO 11649 (`RF18 5390 0754 7034`) and Serbia's model 97. Of Serbia's
models 11 and 22 we know the number but no rule that was verified, so they are kept unchecked.

In free text only what cannot be an accident is taken for a reference: one whose check holds, or one that is announced
by its model. A field that a bank sends as a structured reference is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Final

from banks.domain.ibans import remainder97

VALUE_MAX: Final = 60
_JUNK: Final = re.compile(r"[\s\u00a0./-]+")
_RF: Final = re.compile(r"(?<![A-Z0-9])RF[0-9]{2}(?:[ \u00a0]?[A-Z0-9]){1,21}(?![A-Z0-9])")
_WORDS: Final = r"(?:MODEL|МОДЕЛ|RO:|POZIV NA BROJ|ПОЗИВ НА БРОЈ|POZIV|ПОЗИВ|PNB|ПНБ)"
_NUMBER: Final = r"([A-Z0-9](?:[ \u00a0./-]?[A-Z0-9]){1,25})(?![A-Z0-9])"
_ANNOUNCED: Final = re.compile(rf"(?:{_WORDS}[\s:.]*\(?|\()(97|22|11)\)?[\s:./-]*(?:{_WORDS}[\s:.]*)?{_NUMBER}")
_BARE_97: Final = re.compile(rf"(?<![A-Z0-9])97[ -]{_NUMBER}")

_MARKS: Final = ("97", "22", "11", "RF", "rf", "Rf", "rF")
"""One of them is in every text that holds a reference."""


class Scheme(StrEnum):
    """By whose rules the reference was made; `other` by none that we know."""

    RF = "rf"
    RS97 = "rs97"
    RS22 = "rs22"
    RS11 = "rs11"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference without blanks and hyphens; Serbian ones without the model in front.

    `valid` says whether the check digits fit; None where the scheme has none that we could check.
    """

    scheme: Scheme
    value: str
    valid: bool | None


def find(remittance: str | None, structured: str | None) -> Reference | None:
    """The reference of an entry: the bank's own field when it has one, else what its text certainly holds."""
    return (read(structured) if structured else None) or (_in_text(remittance) if remittance else None)


def read(text: str) -> Reference | None:
    """A text that is a reference and nothing else. None only when nothing is in it."""
    plain = _JUNK.sub("", text).upper()
    if not plain or len(plain) > VALUE_MAX:
        return None
    if re.fullmatch(r"RF[0-9]{2}[A-Z0-9]{1,21}", plain):
        return Reference(Scheme.RF, plain, rf_holds(plain))
    if plain.startswith("97") and plain.isalnum() and rs97_holds(plain[2:]):
        return Reference(Scheme.RS97, plain[2:], True)
    return _in_text(text) or Reference(Scheme.OTHER, plain, None)


def rf_holds(value: str) -> bool:
    """Whether the check digits of an ISO 11649 reference fit."""
    return remainder97(value[4:] + value[:4]) == 1


def rs97_holds(value: str) -> bool:
    """Whether a reference of model 97, its two check digits in front, fits."""
    return value[:2].isdecimal() and len(value) > 2 and remainder97(value[2:] + value[:2]) == 1


def rf_of(body: str) -> str:
    """The ISO 11649 reference of a number of our own, such as an invoice's."""
    plain = _JUNK.sub("", body).upper()
    return f"RF{98 - remainder97(plain + 'RF00'):02d}{plain}"


def rs97_of(body: str) -> str:
    """The same by model 97, without the model in front."""
    plain = _JUNK.sub("", body).upper()
    return f"{98 - remainder97(plain + '00'):02d}{plain}"


def _in_text(text: str) -> Reference | None:
    if not any(mark in text for mark in _MARKS):  # most texts, at a fifth of the time
        return None
    return next(_sure(text.upper()), None)


def _sure(text: str) -> Iterator[Reference]:
    for found in _RF.finditer(text):
        yield from _longest_rf(found[0])
    for found in _ANNOUNCED.finditer(text):
        if found[1] == "97":
            yield from _longest_rs97(found[2])
        elif value := "".join(_numbers(found[2])):
            yield Reference(Scheme(f"rs{found[1]}"), value, None)
    for found in _BARE_97.finditer(text):
        yield from _longest_rs97(found[1])


def _longest_rf(text: str) -> Iterator[Reference]:
    """Words may follow a reference that was written in groups: the longest beginning whose check holds is it."""
    words = re.split(r"[ \u00a0]", text)
    for count in range(len(words), 0, -1):
        value = "".join(words[:count])
        if 5 <= len(value) <= 25 and rf_holds(value):
            yield Reference(Scheme.RF, value, True)
            return


def _longest_rs97(text: str) -> Iterator[Reference]:
    groups = _numbers(text)
    for count in range(len(groups), 0, -1):
        value = "".join(groups[:count])
        if rs97_holds(value):
            yield Reference(Scheme.RS97, value, True)
            return


def _numbers(text: str) -> list[str]:
    """The groups of a number without the words that follow it: each of them holds a digit."""
    return list(takewhile(re.compile("[0-9]").search, _JUNK.split(text)))
