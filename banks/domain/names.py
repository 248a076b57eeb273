"""Names in two scripts: folded to plain Latin letters, so that a search finds a bank however it is typed.

The tables are those of Macedonian and Serbian Cyrillic. Folding loses marks on purpose: `Стопанска`, `stopanska` and
`STOPANSKA` are one, so are `Čačanska` and `cacanska`, `Banka e Përgjithshme` and `banka e pergjithshme`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CYRILLIC: Final = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "ђ": "đ", "ѓ": "gj", "е": "e", "ж": "ž", "з": "z", "ѕ": "dz",
    "и": "i", "ј": "j", "к": "k", "л": "l", "љ": "lj", "м": "m", "н": "n", "њ": "nj", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "ћ": "ć", "ќ": "kj", "у": "u", "ф": "f", "х": "h", "ц": "c", "ч": "č", "џ": "dž", "ш": "š",
    "ѐ": "e", "ѝ": "i",
}  # fmt: skip
_FOLDED: Final = {"đ": "dj", "ð": "d", "ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"}
_OTHER: Final = re.compile(r"[^a-z0-9]+")


def latin(text: str) -> str:
    """`text` with every Cyrillic letter written in Latin ones; the rest, and capitals, stay as they are."""
    return "".join(_latin_letter(letter) for letter in text)


def fold(text: str) -> str:
    """`text` as it is searched: Latin, lower case, without marks, words parted by single blanks."""
    plain = "".join(_FOLDED.get(letter, letter) for letter in latin(text).lower())
    bare = "".join(letter for letter in unicodedata.normalize("NFD", plain) if not unicodedata.combining(letter))
    return _OTHER.sub(" ", bare).strip()


def _latin_letter(letter: str) -> str:
    found = _CYRILLIC.get(letter.lower())
    if found is None:
        return letter
    return found if letter.islower() else found[0].upper() + found[1:]
