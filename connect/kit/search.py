"""Stripe's search query language: a text becomes clauses, or a refusal that says what is wrong and what is allowed.

    email:'ana@example.com' AND -metadata['order']:null
    amount>=1000 amount<5000 -status:'canceled'

A clause is a field, an operator and a value. Clauses are joined by AND (or only a space) or by OR, never by both. `-`
turns a clause round. Nothing here knows rows; what a clause means for them is the selectors' business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Never

from connect.kit.errors import SearchQueryInvalid

CLAUSES_MAX: Final = 10
SUBSTRING_MIN: Final = 3
SECONDS_MAX: Final = 253_402_300_798
"""The last second but one of the year 9999, so that the next one can still be named."""


class Kind(StrEnum):
    """What a field holds, and with that how it can be asked for."""

    WORD = "word"
    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class Field:
    """What can be asked about. `values` are all a word can be; empty when they are not known beforehand."""

    kind: Kind
    values: Sequence[str] = ()

    @property
    def operators(self) -> tuple[str, ...]:
        """The operators it takes."""
        return _OPERATORS[self.kind]


@dataclass(frozen=True, slots=True)
class Clause:
    """`field` with `operator` and `value`: None is null, numbers are ints, the rest is text. `key` is metadata's."""

    field: str
    operator: str
    value: str | int | None
    key: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Clauses that hold all, or with `either` at least one."""

    clauses: tuple[Clause, ...]
    either: bool = False


_OPERATORS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.WORD: (":",),
    Kind.TEXT: (":", "~"),
    Kind.NUMBER: (":", ">", "<", ">=", "<="),
    Kind.TIME: (":", ">", "<", ">=", "<="),
    Kind.METADATA: (":",),
}
_SPACE: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_OPERATOR: Final = re.compile(r">=|<=|[:~><=!]+")
_QUOTED: Final = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_BARE: Final = re.compile(r"[^\s'\"()\[\]]+")
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
_JOINS: Final = ("AND", "OR")


def parse(text: str, fields: Mapping[str, Field]) -> Query:
    """Read a query over `fields`. Raises `SearchQueryInvalid`."""
    return _Reader(text, fields).query()


def described(fields: Mapping[str, Field]) -> str:
    """The fields and their operators in words, for the API's description."""
    parts = [f"`{_written(name, field)}` ({' '.join(field.operators)})" for name, field in fields.items()]
    return ", ".join(parts)


def _written(name: str, field: Field) -> str:
    return f"{name}['key']" if field.kind is Kind.METADATA else name


class _Reader:
    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        self.text, self.fields, self.place = text, fields, 0

    def query(self) -> Query:
        clauses: list[Clause] = []
        joins: set[str] = set()
        self._skip()
        if self._ended():
            self._refuse("it is empty. Write a clause such as " + self._example())
        while True:
            clauses.append(self._clause())
            if len(clauses) > CLAUSES_MAX:
                self._refuse(f"it has more than {CLAUSES_MAX} clauses")
            before = self.place
            self._skip()
            if self._ended():
                break
            joins.add(self._join(spaced=self.place > before))
            if len(joins) > 1:
                self._refuse("it mixes AND and OR (a space between two clauses is AND). Use one of them")
        return Query(tuple(clauses), either="OR" in joins)

    def _join(self, *, spaced: bool) -> str:
        word = _WORD.match(self.text, self.place)
        if word is None or word[0].upper() not in _JOINS:
            if not spaced:
                self._refuse(f"a space, AND or OR is missing before {self._rest()}")
            return "AND"
        self.place = word.end()
        self._skip()
        if self._ended():
            self._refuse(f"a clause is missing after {word[0].upper()}")
        return word[0].upper()

    def _clause(self) -> Clause:
        negated = self._take("-")
        name, key = self._field()
        field = self.fields[name]
        self._skip()
        operator = self._operator(name, field)
        self._skip()
        return Clause(name, operator, self._value(name, field, operator), key, negated)

    def _field(self) -> tuple[str, str]:
        word = _WORD.match(self.text, self.place)
        if word is None:
            if self.text[self.place] in "()":
                self._refuse("parentheses are not part of the language")
            self._refuse(f"a field is expected where {self._rest()} begins. {self._allowed_fields()}")
        name = word[0]
        if name.upper() in _JOINS and name not in self.fields:
            self._refuse(f"a clause is missing before {name.upper()}")
        if name not in self.fields:
            self._refuse(f"'{name}' is not a field that can be searched here. {self._allowed_fields()}")
        self.place = word.end()
        return name, self._key(name) if self.fields[name].kind is Kind.METADATA else ""

    def _key(self, name: str) -> str:
        found = _QUOTED.match(self.text, self.place + 1) if self.text.startswith("[", self.place) else None
        if found is None or not self.text.startswith("]", found.end()):
            self._refuse(f"{name} needs a key in quotes and brackets: {name}['order']")
        self.place = found.end() + 1
        return _unquoted(found)

    def _operator(self, name: str, field: Field) -> str:
        found = _OPERATOR.match(self.text, self.place)
        allowed = " ".join(field.operators)
        if found is None:
            self._refuse(f"'{name}' needs an operator and a value. It takes {allowed}")
        if found[0] not in field.operators:
            self._refuse(f"'{name}' does not take the operator {found[0]}. It takes {allowed}")
        self.place = found.end()
        return found[0]

    def _value(self, name: str, field: Field, operator: str) -> str | int | None:
        quoted = _QUOTED.match(self.text, self.place)
        bare = None if quoted else _BARE.match(self.text, self.place)
        found = quoted or bare
        if found is None:
            if self.text[self.place : self.place + 1] in ("'", '"'):
                self._refuse(f"the quote that begins {self._rest()} is not closed")
            self._refuse(f"'{name}' has no value. {_how(field)}")
        self.place = found.end()
        text = _unquoted(found) if quoted else found[0]
        if bare and text.lower() == "null":
            if operator != ":":
                self._refuse(f"null is compared with : only, not with {operator}")
            return None
        if field.kind in (Kind.NUMBER, Kind.TIME):
            return self._number(name, field, text)
        if bare:
            self._refuse(f"the value of '{name}' must be in quotes: {name}{operator}'{_short(text)}'")
        if operator == "~" and len(text) < SUBSTRING_MIN:
            self._refuse(f"~ needs at least {SUBSTRING_MIN} characters, and '{text}' has {len(text)}")
        if field.values and text.lower() not in field.values:
            self._refuse(f"'{name}' is never '{_short(text)}'. It is one of {', '.join(field.values)}")
        return text

    def _number(self, name: str, field: Field, text: str) -> int:
        whole = int(text) if _WHOLE.fullmatch(text) else None
        if whole is None or (field.kind is Kind.TIME and not 0 <= whole <= SECONDS_MAX):
            self._refuse(f"'{_short(text)}' is no value for '{name}'. {_how(field)}")
        return whole

    def _take(self, character: str) -> bool:
        if not self.text.startswith(character, self.place):
            return False
        self.place += 1
        if self._ended():
            self._refuse(f"a clause is missing after {character}")
        return True

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.place)
        assert found is not None
        self.place = found.end()

    def _ended(self) -> bool:
        return self.place >= len(self.text)

    def _rest(self) -> str:
        return f"`{_short(self.text[self.place :])}`"

    def _example(self) -> str:
        return next(
            f"{name}:'{field.values[0] if field.values else '…'}'"
            for name, field in self.fields.items()
            if field.kind in (Kind.WORD, Kind.TEXT)
        )

    def _allowed_fields(self) -> str:
        return f"Search by {', '.join(_written(name, field) for name, field in self.fields.items())}"

    def _refuse(self, reason: str) -> Never:
        raise SearchQueryInvalid(param="query", reason=reason)


def _how(field: Field) -> str:
    if field.kind is Kind.NUMBER:
        return "Give a whole number of at most 15 digits, or null"
    if field.kind is Kind.TIME:
        return "Give unix seconds, such as 1767225600"
    return "Give it in quotes, or null"


def _unquoted(found: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", found[1] if found[1] is not None else found[2], flags=re.DOTALL)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
