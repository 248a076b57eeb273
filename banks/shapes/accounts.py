"""A linked bank account on the wire."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from banks.domain.failures import MEANINGS, FailureKind
from connect.kit.clock import unix
from connect.kit.ids import encode

PREFIX = "bka"


class AccountBalanceOut(msgspec.Struct, kw_only=True):
    """One balance, in minor units of `currency`."""

    kind: Literal["booked", "available", "expected"]
    amount: int
    currency: str


class AccountErrorOut(msgspec.Struct, kw_only=True):
    """Why this account could not be read last; the others of its connection may be fresh."""

    code: str
    message: str
    since: int


class BankAccountOut(msgspec.Struct, kw_only=True):
    """An account a customer linked.

    `balances` are true at `as_of`; `stale` says that the bank should have been read since and could not be. `iban` or
    `national_number` is the account's lasting number, `last4` its last four characters.
    """

    expandable: ClassVar[dict[str, str]] = {"connection": "conn"}

    id: str
    object: Literal["banking.account"] = "banking.account"
    as_of: int | None = None
    balances: list[AccountBalanceOut] = []
    connection: str
    created: int
    currency: str | None = None
    error: AccountErrorOut | None = None
    iban: str | None = None
    last4: str | None = None
    livemode: bool
    metadata: dict[str, str] = {}
    name: str | None = None
    national_number: str | None = None
    owner_name: str | None = None
    product: str | None = None
    stale: bool
    status: Literal["open", "blocked", "closed"]
    type: str | None = None


def render(row: Any, *, livemode: bool) -> BankAccountOut:
    """The account of `row`. An account of several currencies has no currency of its own."""
    number = row.iban or row.national_number
    return BankAccountOut(
        id=encode(PREFIX, row.id),
        as_of=unix(row.balances_at) if row.balances_at else None,
        balances=[
            AccountBalanceOut(kind=balance["kind"], amount=balance["amount"], currency=balance["currency"])
            for balance in row.balances
        ],
        connection=encode("conn", row.connection_id),
        created=unix(row.created_at),
        currency=None if row.currency == "xxx" else row.currency,
        error=_error(row),
        iban=row.iban,
        last4=number[-4:] if number else None,
        livemode=livemode,
        metadata=row.metadata,
        name=row.name,
        national_number=row.national_number,
        owner_name=row.owner_name,
        product=row.product,
        stale=row.error is not None,
        status=row.status,
        type=row.cash_account_type,
    )


def _error(row: Any) -> AccountErrorOut | None:
    if row.error is None:
        return None
    return AccountErrorOut(code=row.error, message=MEANINGS[FailureKind(row.error)].message, since=unix(row.error_at))
