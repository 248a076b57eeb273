"""What every file for a spreadsheet keeps to."""

from __future__ import annotations

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Somebody else's text, so that it does not become a formula in the reader's spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA) else text
