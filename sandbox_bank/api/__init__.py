"""The interface for third parties, below /v1."""
