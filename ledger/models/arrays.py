"""Postings as the array parameters of the SQL functions, one element per transaction, account and line.

They are written as array literals. psycopg would adapt Python lists element by element, which takes longer than the
posting itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from connect.kit import ids
from ledger.domain.accounts import AccountSpec
from ledger.domain.postings import Line, Posting

Named = list[tuple[str, str]]
"""The distinct `(path, currency)` of a call, in the order of its account arrays."""


def of_postings(postings: Sequence[Posting], now: datetime) -> tuple[list[str], Named]:
    """The parameters of `ledger_post`, and its accounts in the order its answer has them. `now` dates what has no date."""
    accounts = Accounts()
    transactions, numbers, positions, amounts = [], [], [], []
    for index, posting in enumerate(postings, start=1):
        for number, line in enumerate(posting.lines, start=1):
            transactions.append(index)
            numbers.append(number)
            positions.append(accounts.position(line))
            amounts.append(line.amount.minor)
    parameters = [
        plain(ids.new() for _ in postings),
        texts(posting.kind for posting in postings),
        texts(posting.idempotency_key for posting in postings),
        texts((posting.effective_at or now).isoformat() for posting in postings),
        texts(posting.reference for posting in postings),
        texts(posting.description for posting in postings),
        texts(json_text(posting.metadata) for posting in postings),
        *accounts.parameters(),
        plain(transactions),
        plain(numbers),
        plain(positions),
        plain(amounts),
    ]
    return parameters, list(accounts.positions)


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
        specs = self.specs
        return [
            texts(path for path, _ in self.positions),
            plain(currency for _, currency in self.positions),
            plain("NULL" if spec is None else spec.normal_side for spec in specs),
            plain("NULL" if spec is None or spec.floor_minor is None else spec.floor_minor for spec in specs),
            plain("NULL" if spec is None else spec.stripes for spec in specs),
            plain("NULL" if spec is None else spec.owner for spec in specs),
            plain("NULL" if spec is None else ids.new() for spec in specs),
        ]


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
