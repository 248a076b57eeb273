"""Which of an account's balances stands for it."""

from __future__ import annotations

from typing import Any, Final

from django import template

_FIRST: Final = ("booked", "available", "expected")

register = template.Library()


@register.filter
def main_balance(account: Any) -> Any:
    """The balance in the books, else what can be spent, else what is expected; None for an account without any."""
    return min(account.balances, key=lambda balance: _FIRST.index(balance.kind), default=None)
