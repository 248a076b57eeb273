"""The form of an API key: `fc_test_` + 30 random base62 characters + 6 characters of checksum.

The checksum (CRC-32 of everything before it) lets a scanner tell a leaked key from noise without asking us.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from typing import Final

from connect.kit.caller import Kind
from connect.kit.ids import ALPHABET, base62

PATTERN: Final = re.compile(r"fc_(live|test)_[0-9A-Za-z]{36}")
_RANDOM_LENGTH: Final = 30
_CHECKSUM_LENGTH: Final = 6


def generate(kind: Kind) -> str:
    """A new secret of about 178 random bits."""
    return with_checksum(f"fc_{kind}_")


def is_well_formed(secret: str) -> bool:
    """Whether `secret` looks like a key and its checksum holds; says nothing about whether it was ever issued."""
    return PATTERN.fullmatch(secret) is not None and has_checksum(secret)


def with_checksum(prefix: str) -> str:
    """`prefix`, 30 random characters, and their checksum: the form that all our secrets have."""
    body = prefix + "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM_LENGTH))
    return body + _checksum(body)


def has_checksum(secret: str) -> bool:
    """Whether the last six characters are the checksum of what stands before them."""
    return _checksum(secret[:-_CHECKSUM_LENGTH]) == secret[-_CHECKSUM_LENGTH:]


def digest(secret: str) -> bytes:
    """What is stored: SHA-256. The secret is random enough that a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)
