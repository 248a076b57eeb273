"""Postings as the array parameters of the SQL functions, one element per transaction, account and line.

They are written as array literals. psycopg would adapt Python lists element by element, which takes longer than the
posting itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from connect.kit import ids
from ledger.domain.accounts import AccountSpec
from ledger.domain.postings import Line, Posting


class Batch(NamedTuple):
    """Parameters of `ledger_post`, the ids its transactions will have, and its accounts in the order of its answer."""

    parameters: list[str]
    ids: list[UUID]
    accounts: list[tuple[str, str]]


def of_postings(postings: Sequence[Posting], now: datetime) -> Batch:
    """Postings for one call. `now` dates what has no date. The accounts are distinct pairs of path and currency."""
    accounts = Accounts()
    position = accounts.position
    identifiers = [ids.new() for _ in postings]
    transactions: list[int] = []
    numbers: list[int] = []
    positions: list[int] = []
    amounts: list[int] = []
    for index, posting in enumerate(postings, start=1):
        lines = posting.lines
        transactions += [index] * len(lines)
        numbers += range(1, len(lines) + 1)
        positions += [position(line) for line in lines]
        amounts += [line.amount.minor for line in lines]
    parameters = [
        plain(identifiers),
        texts([posting.kind for posting in postings]),
        texts([posting.idempotency_key for posting in postings]),
        texts([(posting.effective_at or now).isoformat() for posting in postings]),
        texts([posting.reference for posting in postings]),
        texts([posting.description for posting in postings]),
        texts([json_text(posting.metadata) for posting in postings]),
        *accounts.parameters(),
        plain(transactions),
        plain(numbers),
        plain(positions),
        plain(amounts),
    ]
    return Batch(parameters, identifiers, list(accounts.positions))


def of_lines(lines: Sequence[Line]) -> list[str]:
    """The parameters of `ledger_hold_post` that carry further lines: accounts, then positions and amounts."""
    accounts = Accounts()
    positions = [accounts.position(line) for line in lines]
    return [*accounts.parameters(), plain(positions), plain(line.amount.minor for line in lines)]


class Accounts:
    """The accounts of one call, each once; those given as a specification can be opened."""

    __slots__ = ("positions", "specs")

    def __init__(self) -> None:
        self.positions: dict[tuple[str, str], int] = {}
        self.specs: list[AccountSpec | None] = []

    def position(self, line: Line) -> int:
        """The position, from 1, of the line's account."""
        account = line.account
        if isinstance(account, str):
            spec, key = None, (account, line.amount.currency)
        else:
            spec, key = account, (account.path, line.amount.currency)
        found = self.positions.get(key)
        if found is None:
            self.specs.append(spec)
            found = self.positions[key] = len(self.specs)
        elif spec is not None and self.specs[found - 1] is None:
            self.specs[found - 1] = spec
        return found

    def parameters(self) -> list[str]:
        """Paths, currencies, normal sides, floors, stripes, owners and ids for those that are opened."""
        named = list(self.positions)
        nulls = ["NULL"] * len(named)
        sides, floors, stripes, owners, identifiers = nulls[:], nulls[:], nulls[:], nulls[:], nulls
        for index, spec in enumerate(self.specs):
            if spec is not None:
                sides[index] = spec.normal_side
                stripes[index] = str(spec.stripes)
                owners[index] = str(spec.owner)
                identifiers[index] = str(ids.new())
                if spec.floor_minor is not None:
                    floors[index] = str(spec.floor_minor)
        paths = texts([path for path, _ in named])
        currencies = plain([currency for _, currency in named])
        return [paths, currencies, plain(sides), plain(floors), plain(stripes), plain(owners), plain(identifiers)]


def plain(values: Iterable[object]) -> str:
    """An array literal of values that need no quotes: numbers, UUIDs, codes and NULL."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Iterable[str]) -> str:
    """An array literal of any texts."""
    return "{" + ",".join([quoted(value) for value in values]) + "}"


def quoted(text: str) -> str:
    """One element of an array literal, in quotes, so that `null`, commas and braces mean themselves."""
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def json_text(value: Mapping[str, object]) -> str:
    """A JSON text."""
    return msgspec.json.encode(value).decode() if value else "{}"
