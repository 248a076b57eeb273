"""What every file for a spreadsheet keeps to."""

from __future__ import annotations

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with, also in the wide letters that spreadsheets of East Asia take for the same."""


def harmless(text: str) -> str:
    """Somebody else's text, so that it does not become a formula in the reader's spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA) else text
