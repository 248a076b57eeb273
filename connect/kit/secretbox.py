"""Sealing of secrets: AES-256-GCM with a key id, bound to the place it is stored in.

A sealed value is `id || 0x00 || nonce(12) || ciphertext+tag`. The associated data names schema, table, column and row,
so a value copied to another row or tenant does not open. Keys come from `FC_ENCRYPTION_KEYS=id:base64,…`: the first
seals, all open, so a key is rotated by putting a new one in front and re-sealing.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class SealBroken(Exception):
    """The value was not sealed here, was altered, or its key is gone."""


def raw_keys(text: str) -> dict[str, bytes]:
    """The keys in `id:base64,id:base64`, 32 bytes each. Raises ValueError with what is wrong, and never with a key."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key_id, colon, encoded = part.partition(":")
        if not colon or not key_id or len(key_id) > 32:
            raise ValueError("FC_ENCRYPTION_KEYS is a list of id:base64 pairs")
        raw = base64.b64decode(encoded, validate=True)
        if len(raw) != 32:
            raise ValueError(f"encryption key {key_id!r} has {len(raw)} bytes instead of 32")
        keys[key_id] = raw
    if not keys:
        raise ValueError("FC_ENCRYPTION_KEYS holds no key")
    return keys


@dataclass(frozen=True)
class Keyring:
    """Keys by id, newest first."""

    keys: dict[str, AESGCM]

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read `id:base64,id:base64`; each key is 32 bytes. Raises ValueError with what is wrong."""
        return cls({key_id: AESGCM(raw) for key_id, raw in raw_keys(text).items()})

    def seal(self, plain: bytes, *, place: str) -> bytes:
        """Seal `plain` for `place` (`schema.table.column:row`)."""
        key_id, key = next(iter(self.keys.items()))
        nonce = os.urandom(12)
        return key_id.encode() + b"\0" + nonce + key.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """The plain bytes; raises `SealBroken` when value, place or key do not match."""
        key_id, _, rest = bytes(sealed).partition(b"\0")
        key = self.keys.get(key_id.decode(errors="replace"))
        if key is None:
            raise SealBroken("the key that sealed this value is not among FC_ENCRYPTION_KEYS")
        try:
            return key.decrypt(rest[:12], rest[12:], place.encode())
        except InvalidTag as error:
            raise SealBroken("the sealed value does not belong here, or was altered") from error


@cache
def keyring() -> Keyring:
    """The process's keys, from settings."""
    return Keyring.parse(settings.FC_ENCRYPTION_KEYS)


def seal(plain: bytes, *, place: str) -> bytes:
    """`Keyring.seal` with the process's keys."""
    return keyring().seal(plain, place=place)


def unseal(sealed: bytes, *, place: str) -> bytes:
    """`Keyring.open` with the process's keys."""
    return keyring().open(sealed, place=place)
