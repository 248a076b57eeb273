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


def _bare(text: str) -> str:
    letters = "".join(_FOLDED.get(letter, letter) for letter in text.lower())
    return "".join(letter for letter in unicodedata.normalize("NFD", letters) if not unicodedata.combining(letter))


# Every transaction's text goes through here: one pass by table, and letter by letter only for what is in none.
_TO_LATIN: Final = str.maketrans(
    _CYRILLIC | {letter.upper(): found[0].upper() + found[1:] for letter, found in _CYRILLIC.items()}
)
_TO_BARE: Final = str.maketrans(
    {letter: _bare(found) for letter, found in _CYRILLIC.items()}
    | _FOLDED
    | {chr(code): _bare(chr(code)) for code in range(0xDF, 0x180) if chr(code).islower() and chr(code) not in _FOLDED}
)


def latin(text: str) -> str:
    """`text` with every Cyrillic letter written in Latin ones; the rest, and capitals, stay as they are."""
    return text if text.isascii() else text.translate(_TO_LATIN)


def fold(text: str) -> str:
    """`text` as it is searched: Latin, lower case, without marks, words parted by single blanks."""
    plain = text.lower()
    if not plain.isascii():
        plain = plain.translate(_TO_BARE)
        if not plain.isascii():
            plain = _bare(plain)
    return _OTHER.sub(" ", plain).strip()


def words(query: str) -> list[str] | None:
    """The folded words of a search, none of a blank one; None when there is something but no letter or digit in it.

    Such a search finds nothing: the same as no search, it would answer everything to who asked for something.
    """
    return fold(query).split() or (None if query.strip() else [])
