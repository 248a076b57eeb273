"""What the ledger brings to the register of objects, so that expand, events and the search by id find it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connect.kit import registry
from connect.kit.caller import PLATFORM_ACCOUNT, Caller
from connect.kit.registry import Resource
from ledger.selectors import accounts, holds, transactions
from ledger.shapes import accounts as account_shapes
from ledger.shapes import holds as hold_shapes
from ledger.shapes import transactions as transaction_shapes


def register() -> None:
    """Fill the register; called once, when the apps are ready."""
    for resource in (
        Resource(
            "lacct",
            "ledger.account",
            account_shapes.LedgerAccountOut,
            load_accounts,
            "ledger/accounts/{id}",
            "ledger:read",
        ),
        Resource(
            "ltxn",
            "ledger.transaction",
            transaction_shapes.LedgerTransactionOut,
            load_transactions,
            "ledger/transactions/{id}",
            "ledger:read",
        ),
        Resource("lhold", "ledger.hold", hold_shapes.LedgerHoldOut, load_holds, None, "ledger:read"),
    ):
        registry.register(resource)


def load_accounts(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, account_shapes.LedgerAccountOut]:
    """Accounts by id, those of another connected account left out."""
    found = accounts.by_ids(identifiers)
    return {
        identifier: account_shapes.render(account, livemode=caller.livemode)
        for identifier, account in found.items()
        if account.owner == caller.account or caller.account == PLATFORM_ACCOUNT
    }


def load_transactions(
    caller: Caller, identifiers: Sequence[UUID]
) -> dict[UUID, transaction_shapes.LedgerTransactionOut]:
    """Transactions by id, those that touch no account of the caller left out."""
    found = transactions.by_ids(identifiers, owner=owner_of(caller))
    return {found.id: transaction_shapes.render(found, livemode=caller.livemode) for found in found}


def load_holds(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, hold_shapes.LedgerHoldOut]:
    """Holds by id, those between accounts of others left out."""
    found = holds.by_ids(identifiers, owner=owner_of(caller))
    return {hold.id: hold_shapes.render(hold, livemode=caller.livemode) for hold in found}


def owner_of(caller: Caller) -> UUID | None:
    """Whose rows the caller sees: a connected account's own, or, for the environment itself, everybody's."""
    return None if caller.account == PLATFORM_ACCOUNT else caller.account
