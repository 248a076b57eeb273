"""Bank transactions as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from banks.domain.connection_state import VISIBLE
from banks.domain.names import latin, words
from banks.models import BankTransaction, Connection
from banks.shapes import transactions as shapes
from banks.shapes.transactions import PREFIX, BankTransactionOut
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange, ValueRange
from connect.kit.rows import SqlCondition
from connect.selectors import lists

_OF_VISIBLE: Final = '"connection_id" IN (SELECT id FROM banks_connection WHERE account_id = %s AND status = ANY (%s))'
_DIRECTIONS: Final = {"in": '"amount_minor" >= 0', "out": '"amount_minor" < 0'}
_PRESENT: Final = "\"status\" <> 'removed'"
_NOTHING: Final = "FALSE"
_WORD: Final = '"search_text" LIKE %s'
_OTHER_WORD: Final = 'position(%s in "search_text") > 0'


def get(caller: Caller, transaction_id: str) -> BankTransactionOut:
    """The caller's transaction, also one the bank took back. Raises `ResourceMissing`, also of a removed connection."""
    key = {"account_id": caller.account, "id": ids.lookup(PREFIX, transaction_id)}
    rows = BankTransaction.objects.page(Page(limit=1), key, [_visible(caller)])
    if not rows:
        raise ResourceMissing(resource="banking.transaction", id=transaction_id, param="id")
    return shape(caller, rows[0])


def page(
    caller: Caller,
    page: Page,
    *,
    account: UUID | None = None,
    connection: UUID | None = None,
    status: str | None = None,
    booking_date: ValueRange[date] | None = None,
    amount: ValueRange[int] | None = None,
    direction: Literal["in", "out"] | None = None,
    currency: str | None = None,
    query: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[BankTransactionOut], bool]:
    """A page of the caller's transactions, newest first, and whether there are more.

    Those that the bank took back only when `status` asks for them. `query` is words that all have to occur.
    """
    always: dict[str, Any] = {**(booking_date.filters("booking_date") if booking_date else {})}
    always |= amount.filters("amount_minor") if amount else {}
    where = [_visible(caller)]
    if direction:
        where.append((_DIRECTIONS[direction], []))
    if not status:
        where.append((_PRESENT, []))
    where += _words(query or "")
    found, has_more = lists.page(
        caller, BankTransaction, page, PREFIX,
        created=created, always=always, where=where, bank_account_id=account, connection_id=connection, status=status,
        currency=currency,
    )  # fmt: skip
    return [shape(caller, row) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, BankTransactionOut]:
    """Many at once, for expanding."""
    connections = Connection.objects.filter(account_id=caller.account, status__in=VISIBLE).values("id")
    rows = BankTransaction.objects.filter(account_id=caller.account, pk__in=identifiers, connection_id__in=connections)
    return {row.id: shape(caller, row) for row in rows}


def shape(caller: Caller, row: Any) -> BankTransactionOut:
    """The transaction on the wire."""
    name = latin(row.counterparty_name) if row.counterparty_name else None
    return shapes.render(row, livemode=caller.livemode, name_latin=name)


def _words(query: str) -> list[SqlCondition]:
    """The longest word is looked up in the index, the others in what it finds: a common one has a row in every list."""
    wanted = words(query)
    if wanted is None:
        return [(_NOTHING, [])]
    longest_first = enumerate(sorted(wanted, key=len, reverse=True))
    return [(_OTHER_WORD, [word]) if place else (_WORD, [f"%{word}%"]) for place, word in longest_first]


def _visible(caller: Caller) -> SqlCondition:
    return _OF_VISIBLE, [caller.account, [status.value for status in VISIBLE]]
