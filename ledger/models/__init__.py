"""Rows of the ledger, to read. Writing goes through the SQL functions that `ledger.services` calls."""

from ledger.models.accounts import Account
from ledger.models.balances import Balance
from ledger.models.holds import Hold
from ledger.models.transactions import Entry, Transaction

__all__ = ["Account", "Balance", "Entry", "Hold", "Transaction"]
