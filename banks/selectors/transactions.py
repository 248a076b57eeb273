"""Bank transactions as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from banks.domain.names import latin
from banks.models import BankTransaction
from banks.shapes import transactions as shapes
from banks.shapes.transactions import PREFIX, BankTransactionOut
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing


def get(caller: Caller, transaction_id: str) -> BankTransactionOut:
    """The caller's transaction, also a removed one. Raises `ResourceMissing`."""
    row = BankTransaction.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, transaction_id))
    if row is None:
        raise ResourceMissing(resource="banking.transaction", id=transaction_id, param="id")
    return shape(caller, row)


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, BankTransactionOut]:
    """Many at once, for expanding."""
    rows = BankTransaction.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def shape(caller: Caller, row: Any) -> BankTransactionOut:
    """The transaction on the wire."""
    name = latin(row.counterparty_name) if row.counterparty_name else None
    return shapes.render(row, livemode=caller.livemode, name_latin=name)
