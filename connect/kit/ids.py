"""Public ids: a prefix, an underscore and exactly 22 base62 characters of a UUIDv7.

The alphabet is in ASCII order and the width is fixed, so ids of one kind sort as their UUIDs do: by the time
they were made. Anything that does not decode is treated as an object that does not exist.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY_LENGTH: Final = 22
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_CHUNK: Final = 62**8
_UUID_LIMIT: Final = 1 << 128
_NOBODY: Final = UUID(int=0)


def new() -> UUID:
    """A fresh UUIDv7. It is made here, not by the database, so that a row's id is known before it is written."""
    return uuid7()


def first_at(moment: datetime) -> UUID:
    """The least UUIDv7 of this millisecond: rows made at or after `moment` have ids that are not less.

    It is a bound to compare with, and never the id of a row.
    """
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (0b10 << 62))


def base62(number: int, width: int) -> str:
    """`number` (>= 0) in base 62, left-padded with zeros to `width` characters; raises OverflowError if it is wider."""
    text = ""
    while number:
        number, chunk = divmod(number, _CHUNK)  # eight digits at a time: small numbers divide much faster than 128 bits
        high, low = divmod(chunk, 62**4)
        text = f"{_PAIRS[high // 3844]}{_PAIRS[high % 3844]}{_PAIRS[low // 3844]}{_PAIRS[low % 3844]}{text}"
    text = text.lstrip("0").rjust(width, "0")
    if len(text) != width:
        raise OverflowError(f"{number} does not fit into {width} base62 characters")
    return text


def encode(prefix: str, identifier: UUID) -> str:
    """`encode("pi", uuid)` is `"pi_"` and 22 characters."""
    return f"{prefix}_{base62(identifier.int, BODY_LENGTH)}"


def decode(prefix: str, text: object) -> UUID | None:
    """The UUID behind a public id, or None when `text` is not exactly such an id of this prefix."""
    if not isinstance(text, str) or len(text) != len(prefix) + 1 + BODY_LENGTH:
        return None
    if not text.startswith(prefix) or text[len(prefix)] != "_":
        return None
    number = 0
    for character in text[len(prefix) + 1 :]:
        value = _VALUE.get(character)
        if value is None:
            return None
        number = number * 62 + value
    return UUID(int=number) if number < _UUID_LIMIT else None


def lookup(prefix: str, text: object) -> UUID:
    """The UUID to look a row up by: that of a public id, or the nil UUID, which no row has, for anything else."""
    return decode(prefix, text) or _NOBODY


def split(text: str) -> tuple[str, str] | None:
    """`("pi", "0…")` for a text that looks like an id, else None. Prefixes may hold underscores (`we_inbox_…`)."""
    prefix, underscore, body = text.rpartition("_")
    if not underscore or not prefix or len(body) != BODY_LENGTH or any(c not in _VALUE for c in body):
        return None
    return prefix, body
