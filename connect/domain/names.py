"""Names that somebody gives and others read: of organizations, apps and people, on pages, in mails and in logs."""

from __future__ import annotations

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf"})
"""Unicode's control and format characters: line breaks, marks that turn the rest of a line around, joiners."""


def cleaned(text: str) -> str:
    """The name in one line, without what cannot be seen and could make a sentence around it say something else."""
    kept = (letter for letter in text if letter.isspace() or unicodedata.category(letter) not in _UNSEEN)
    return " ".join("".join(kept).split())
