"""Bank transactions as people look for them: by words in either script, amount, direction, day, account and status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from banks.domain import references
from banks.domain.connection_state import VISIBLE
from banks.domain.names import words
from banks.models import BankTransaction, Change, Connection
from banks.selectors import transactions
from banks.shapes.transactions import PREFIX, BankTransactionOut
from connect.kit import currencies, ids
from connect.kit.caller import Caller
from connect.kit.pages import Page, require_cursor, slice_rows

STATUSES: Final = ("booked", "pending", "removed")
DIRECTIONS: Final = ("in", "out")
HISTORY_MAX: Final = 50
_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    references.Scheme.RF: references.rf_holds,
    references.Scheme.RS97: references.rs97_holds,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; None or empty does not narrow. Removed transactions are found by their status only.

    `text` is any words of the entry, or a whole id. `amount` is without a sign, in major units of whatever currency.
    """

    text: str = ""
    account: UUID | None = None
    status: str = ""
    direction: str = ""
    amount: Decimal | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One entry of the connection's change log that is about this transaction."""

    position: int
    kind: str


def page(caller: Caller, page: Page, wanted: Wanted) -> tuple[list[BankTransactionOut], bool]:
    """A page of the caller's transactions, by day with the newest first, and whether there are more.

    People read by day. The API lists by id instead: in the order in which entries became known.
    """
    rows = _found(caller, wanted)
    require_cursor(page, PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    order = ("sort_date", "id") if page.backwards else ("-sort_date", "-id")
    beyond = list(_beyond(rows, page).order_by(*order)[: page.limit + 1])
    found, has_more = slice_rows(beyond, page)
    return [transactions.shape(caller, row) for row in found], has_more


def history(known: BankTransactionOut) -> list[ChangeLine]:
    """What the change log says of a transaction that the caller was given, newest first."""
    rows = Change.objects.filter(
        connection_id=ids.lookup("conn", known.connection), transaction_id=ids.lookup(PREFIX, known.id)
    ).order_by("-position")[:HISTORY_MAX]
    return [ChangeLine(row.position, row.kind) for row in rows]


def reference_holds(found: BankTransactionOut) -> bool | None:
    """Whether the check digits of its reference fit; None without a reference, or with one that has none we know."""
    check = _CHECKS.get(found.reference.scheme) if found.reference else None
    return check(found.reference.value) if check and found.reference else None


def _beyond(rows: QuerySet[BankTransaction], page: Page) -> QuerySet[BankTransaction]:
    """What lies on the other side of the page's cursor. Said of the day alone first, the index goes to it at once."""
    if page.cursor is None:
        return rows
    day = BankTransaction.objects.values_list("sort_date", flat=True).get(pk=page.cursor)
    if page.backwards:
        return rows.filter(Q(sort_date__gt=day) | Q(id__gt=page.cursor), sort_date__gte=day)
    return rows.filter(Q(sort_date__lt=day) | Q(id__lt=page.cursor), sort_date__lte=day)


def _found(caller: Caller, wanted: Wanted) -> QuerySet[BankTransaction]:
    connections = Connection.objects.filter(account_id=caller.account, status__in=VISIBLE).values("id")
    rows = BankTransaction.objects.filter(account_id=caller.account, connection_id__in=connections)
    rows = rows.filter(status=wanted.status) if wanted.status else rows.exclude(status="removed")
    if wanted.account:
        rows = rows.filter(bank_account_id=wanted.account)
    if wanted.direction:
        rows = rows.filter(amount_minor__lt=0) if wanted.direction == "out" else rows.filter(amount_minor__gt=0)
    if wanted.since:
        rows = rows.filter(sort_date__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(sort_date__lte=wanted.until)
    if wanted.amount is not None:
        rows = rows.filter(_of_amount(wanted.amount))
    if wanted.text.startswith(f"{PREFIX}_"):
        identifier = ids.decode(PREFIX, wanted.text)
        return rows.filter(pk=identifier) if identifier else rows.none()
    looked_for = words(wanted.text)
    if looked_for is None:
        return rows.none()
    for word in looked_for:
        rows = rows.filter(search_text__contains=word)
    return rows


def _of_amount(amount: Decimal) -> Q:
    """Entries of this many major units, whichever way: an amount means another number in a currency without cents."""
    conditions = list(_amounts(amount))
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found


def _amounts(amount: Decimal) -> Iterator[Q]:
    for places in set(currencies.EXPONENTS.values()):
        minor = amount.scaleb(places)
        if minor == minor.to_integral_value() and minor <= currencies.MAXIMUM_MINOR:
            codes: list[Any] = [code for code, decimals in currencies.EXPONENTS.items() if decimals == places]
            yield Q(currency__in=codes, amount_minor__in=[int(minor), -int(minor)])
