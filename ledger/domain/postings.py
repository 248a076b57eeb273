"""Postings: what is moved between which accounts, checked before the database sees it.

Posting(
    kind="charge.capture",
    idempotency_key=f"charge:{charge}:capture",
    lines=(debit(clearing, Money(1999, "eur")), credit(merchant, Money(1940, "eur")), credit(fees, Money(59, "eur"))),
    reference=charge,
)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connect.kit.money import Money
from ledger.domain.accounts import AccountSpec
from ledger.domain.errors import CurrencyMismatch, TooFewLines, UnbalancedTransaction

KEY_LENGTH_MAX = 255
KIND_LENGTH_MAX = 64
LINES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` is signed: credit +, debit -. `account` is a path, or an `AccountSpec` to open where it is missing."""

    account: str | AccountSpec
    amount: Money

    def __post_init__(self) -> None:
        if not self.amount.minor:
            raise ValueError("a line moves something; leave out lines of zero")
        account = self.account
        if type(account) is AccountSpec and account.currency != self.amount.currency:
            raise CurrencyMismatch(path=account.path, currency=account.currency, line_currency=self.amount.currency)

    @property
    def path(self) -> str:
        """The path of the account."""
        return self.account if isinstance(self.account, str) else self.account.path


def credit(account: str | AccountSpec, amount: Money) -> Line:
    """A line that credits `amount` (> 0)."""
    if amount.minor <= 0:
        raise ValueError("credit a positive amount")
    return Line(account, amount)


def debit(account: str | AccountSpec, amount: Money) -> Line:
    """A line that debits `amount` (> 0)."""
    if amount.minor <= 0:
        raise ValueError("debit a positive amount")
    return Line(account, -amount)


@dataclass(frozen=True, slots=True)
class Posting:
    """One transaction to post.

    `idempotency_key` names the business event, once for ever in its environment. `reference` is the public id of the
    object it belongs to. `effective_at` None means now by the caller's business clock. `metadata` never holds personal
    data. Raises `TooFewLines` and `UnbalancedTransaction`.
    """

    kind: str
    idempotency_key: str
    lines: tuple[Line, ...]
    reference: str = ""
    description: str = ""
    effective_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < len(self.kind) <= KIND_LENGTH_MAX:
            raise ValueError(f"a kind has 1 to {KIND_LENGTH_MAX} characters")
        if not 0 < len(self.idempotency_key) <= KEY_LENGTH_MAX:
            raise ValueError(f"a ledger key has 1 to {KEY_LENGTH_MAX} characters")
        if len(self.lines) < 2:
            raise TooFewLines
        if len(self.lines) > LINES_MAX:
            raise ValueError(f"a transaction has at most {LINES_MAX} lines")
        check_balanced(self.lines)


def check_balanced(lines: tuple[Line, ...]) -> None:
    """Raise `UnbalancedTransaction` unless the lines sum to zero in every currency."""
    sums: dict[str, int] = {}
    for line in lines:
        amount = line.amount
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    for currency, difference in sums.items():
        if difference:
            raise UnbalancedTransaction(currency=currency, difference=difference)


def per_account(lines: tuple[Line, ...]) -> dict[str, Money]:
    """The net change of each account by path, in minor units (credit +). Every account here has one currency."""
    changes: dict[str, Money] = {}
    for line in lines:
        known = changes.get(line.path)
        changes[line.path] = line.amount if known is None else known + line.amount
    return changes
