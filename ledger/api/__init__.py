"""The ledger's endpoints."""
