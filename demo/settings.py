"""The environment that the product's processes get: what the person set, and what `make run` fills in.

Order of truth: the real environment, then `.env`, then what is made once and kept in `.local/`.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LOWEST_PORT, HIGHEST_PORT, DEFAULT_PORT = 1, 65_535, 8000


class BadSetting(ValueError):
    """A setting cannot be used. The text names it and says what to write."""


def read_file(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file; empty when there is none. Quotes around a value are dropped."""
    if not path.exists():
        return {}
    values = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            values[name.strip()] = value[1:-1] if quoted else value
    return values


def write_file(path: Path, values: Mapping[str, str]) -> None:
    """Replace a file of `NAME=value` lines in one step; only its owner may read it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    fresh.replace(path)


def given(root: Path) -> dict[str, str]:
    """What the person set: `.env` of the checkout under the real environment. Empty values count as not set.

    PostgreSQL's own variables (PGHOST, …) are left out: they would silently bend every URL.
    """
    merged = read_file(root / ".env") | dict(os.environ)
    return {name: value for name, value in merged.items() if value and not name.startswith("PG")}


def port(values: Mapping[str, str]) -> int:
    """The web server's port. Raises `BadSetting`."""
    text = values.get("PORT", str(DEFAULT_PORT))
    if not (text.isascii() and text.isdigit() and LOWEST_PORT <= int(text) <= HIGHEST_PORT):
        raise BadSetting(f"PORT is {text!r}; set it to a number from {LOWEST_PORT} to {HIGHEST_PORT}, e.g. PORT=8001.")
    return int(text)


def signing_key() -> str:
    """A new RSA key for FC_OIDC_PRIVATE_KEY: PEM, in base64 so that it stands on one line."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return base64.b64encode(pem).decode()


def kept_secrets(path: Path) -> dict[str, str]:
    """SECRET_KEY, FC_ENCRYPTION_KEYS and FC_OIDC_PRIVATE_KEY of this checkout; made on the first call."""
    kept = read_file(path)
    made: dict[str, Callable[[], str]] = {
        "SECRET_KEY": lambda: secrets.token_urlsafe(48),
        "FC_ENCRYPTION_KEYS": lambda: f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "FC_OIDC_PRIVATE_KEY": signing_key,
    }
    if missing := made.keys() - kept.keys():
        kept |= {name: made[name]() for name in sorted(missing)}
        write_file(path, kept)
    return kept


def with_secrets(values: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """The given values, completed by the kept secrets.

    Encryption keys are joined, the given ones first (the first one encrypts), so that what was sealed before a key
    was set in `.env` still opens.
    """
    complete = {**kept, **values}
    keys = [part.strip() for part in values.get("FC_ENCRYPTION_KEYS", "").split(",") if part.strip()]
    names = {key.partition(":")[0] for key in keys}
    keys += [key for key in kept["FC_ENCRYPTION_KEYS"].split(",") if key.partition(":")[0] not in names]
    complete["FC_ENCRYPTION_KEYS"] = ",".join(keys)
    return complete
