"""Amounts as the standard writes them. Every currency of this bank has two decimals."""

from __future__ import annotations

import re
from typing import Any

CURRENCIES = ("MKD", "EUR", "RSD", "ALL")
BLANK, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


def shown(minor: int, currency: str) -> dict[str, str]:
    """`{"currency": "EUR", "amount": "-12.30"}`"""
    return {"currency": currency, "amount": text(minor)}


def text(minor: int) -> str:
    """`-12.30`"""
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02}"


def grouped(minor: int, currency: str) -> str:
    """`-1 234.50 EUR`, for people."""
    whole = f"{abs(minor) // 100:,}".replace(",", BLANK)
    return f"{MINUS if minor < 0 else ''}{whole}.{abs(minor) % 100:02}{BLANK}{currency}"


def read(value: Any) -> int | None:
    """Minor units of an amount's text; None when it is none, or has parts of a minor unit."""
    found = re.fullmatch(r"(-?)([0-9]{1,14})(?:\.([0-9]{1,2})0?)?", value) if isinstance(value, str) else None
    if found is None:
        return None
    minor = int(found[2]) * 100 + int((found[3] or "0").ljust(2, "0"))
    return -minor if found[1] else minor
