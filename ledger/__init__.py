"""The double-entry ledger: accounts, transactions, holds and balances, kept by the database."""
