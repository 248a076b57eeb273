"""The types of payment methods, under Stripe's names."""

from __future__ import annotations

from typing import Final

CARD: Final = "card"
PAY_BY_BANK: Final = "pay_by_bank"
"""The payer's bank moves the money at our request; the payer agrees to it there, once for each payment."""
ALL: Final = (CARD, PAY_BY_BANK)
