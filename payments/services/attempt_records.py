"""Writing an attempt's outcome into its row: what every recorder of outcomes does alike."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connect.kit import clock
from payments.models import PaymentAttempt
from payments.services.processor_calls import Answer


def settle(attempt: PaymentAttempt, state: PaymentAttempt.State, answer: Answer) -> None:
    """The attempt has come to this end."""
    attempt.state = state
    attempt.outcome = stored(answer)
    attempt.settled_at = clock.wall()
    attempt.save(update_fields=["state", "outcome", "settled_at"])


def stored(answer: Answer) -> dict[str, Any]:
    """An answer as the row keeps it: its kind as `outcome`, and its values."""
    return {"outcome": type(answer).__name__, **asdict(answer)}
