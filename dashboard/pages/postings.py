"""Ledger transactions as people read them: debits left, credits right, and sums that prove themselves.

The ledger signs credits + and debits -.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connect.kit import ids
from ledger.domain.records import Entry, Transaction


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of a posting as a T-account shows it: exactly one side is set, in positive minor units."""

    account_id: str
    path: str
    currency: str
    debit_minor: int | None
    credit_minor: int | None


@dataclass(frozen=True, slots=True)
class Posting:
    """One ledger transaction with its lines, or with those of one account. `reference` is a business object's id."""

    id: str
    kind: str
    description: str
    reference: str
    effective_at: datetime
    lines: list[LedgerLine]


@dataclass(frozen=True, slots=True)
class Sum:
    """What lines of a currency add up to; over whole transactions the two sides are equal in every sound ledger."""

    currency: str
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class TLine:
    """What one transaction did to one account; exactly one side is set."""

    kind: str
    debit_minor: int | None
    credit_minor: int | None


@dataclass(frozen=True, slots=True)
class TAccount:
    """One account with the lines of some transactions, oldest first. `balance_minor` is on the side that is ahead."""

    account_id: str
    path: str
    currency: str
    lines: list[TLine]
    balance_minor: int
    is_debit: bool


def posting(transaction: Transaction, *, account_id: UUID | None = None) -> Posting:
    """The transaction for people; with `account_id` only the lines of that account."""
    return Posting(
        id=ids.encode("ltxn", transaction.id),
        kind=transaction.kind,
        description=transaction.description,
        reference=transaction.reference,
        effective_at=transaction.effective_at,
        lines=[_line(entry) for entry in transaction.lines if account_id in (None, entry.account_id)],
    )


def sums(postings: Iterable[Posting]) -> list[Sum]:
    """Both sides of each currency."""
    debited: dict[str, int] = defaultdict(int)
    credited: dict[str, int] = defaultdict(int)
    for each in postings:
        for line in each.lines:
            debited[line.currency] += line.debit_minor or 0
            credited[line.currency] += line.credit_minor or 0
    return [Sum(currency, debited[currency], credited[currency]) for currency in sorted(debited)]


def t_accounts(postings: Iterable[Posting]) -> list[TAccount]:
    """The same lines by account, in the order in which the accounts were first touched."""
    by_account: dict[tuple[str, str, str], list[TLine]] = {}
    for each in postings:
        for line in each.lines:
            account = (line.account_id, line.path, line.currency)
            by_account.setdefault(account, []).append(TLine(each.kind, line.debit_minor, line.credit_minor))
    return [_t_account(*account, lines) for account, lines in by_account.items()]


def postings(transactions: Sequence[Transaction]) -> list[Posting]:
    """Many at once."""
    return [posting(transaction) for transaction in transactions]


def _t_account(account_id: str, path: str, currency: str, lines: list[TLine]) -> TAccount:
    balance = sum((line.debit_minor or 0) - (line.credit_minor or 0) for line in lines)
    return TAccount(account_id, path, currency, lines, balance_minor=abs(balance), is_debit=balance > 0)


def _line(entry: Entry) -> LedgerLine:
    return LedgerLine(
        account_id=ids.encode("lacct", entry.account_id),
        path=entry.path,
        currency=entry.currency,
        debit_minor=-entry.amount_minor if entry.amount_minor < 0 else None,
        credit_minor=entry.amount_minor if entry.amount_minor > 0 else None,
    )
