"""Signatures of webhooks: one secret, two schemes in the same request.

A secret is `whsec_` and the base64 of 32 random bytes. Stripe's libraries key their HMAC with that whole text, those of
Standard Webhooks with the bytes behind it. While a secret is being rotated both sign, so a receiver may know either.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets as random
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
TOLERANCE_SECONDS: Final = 300
"""How far a signature's time may be off, in either direction."""

Verdict = Literal["valid", "invalid", "unsigned"]


def generate() -> str:
    """A new secret."""
    return PREFIX + base64.b64encode(random.token_bytes(SECRET_BYTES)).decode()


def stripe_signature(body: bytes, *, secrets: Sequence[str], at: int) -> str:
    """The `Stripe-Signature` header of `body` at `at` (unix seconds): `t=…,v1=…`, one `v1` for each secret."""
    signed = f"{at}.".encode() + body
    return ",".join([f"t={at}", *(f"v1={_hex(secret.encode(), signed)}" for secret in secrets)])


def standard_signature(body: bytes, *, message_id: str, secrets: Sequence[str], at: int) -> str:
    """The `webhook-signature` header: `v1,<base64>` for each secret. `message_id` must not contain a dot."""
    if "." in message_id:
        raise ValueError("a message id with a dot would make two messages sign alike")
    signed = f"{message_id}.{at}.".encode() + body
    return " ".join(f"v1,{_base64(key_of(secret), signed)}" for secret in secrets)


def headers(body: bytes, *, message_id: str, secrets: Sequence[str], at: int) -> dict[str, str]:
    """Every header that a receiver needs to verify `body`, by either scheme."""
    return {
        "Stripe-Signature": stripe_signature(body, secrets=secrets, at=at),
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": standard_signature(body, message_id=message_id, secrets=secrets, at=at),
    }


def key_of(secret: str) -> bytes:
    """The bytes behind `whsec_…`. Raises ValueError for what is not such a secret."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a signing secret is whsec_ and base64") from error


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Iterable[str], now: int) -> Verdict:
    """Whether any of `secrets` signed this request within the tolerance. `headers` have lower-case names.

    Every scheme that is present has to hold; without any the request is `unsigned`.
    """
    schemes = [
        scheme
        for name, scheme in (("stripe-signature", _stripe_holds), ("webhook-signature", _standard_holds))
        if name in headers
    ]
    if not schemes:
        return "unsigned"
    known = list(secrets)
    return "valid" if all(holds(headers, body, known, now) for holds in schemes) else "invalid"


def _stripe_holds(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    parts = [part.partition("=") for part in headers["stripe-signature"].split(",")]
    at = _moment(next((value for name, _, value in parts if name.strip() == "t"), ""))
    if at is None or abs(now - at) > TOLERANCE_SECONDS:
        return False
    given = [value for name, _, value in parts if name.strip() == "v1"]
    signed = f"{at}.".encode() + body
    return _any_equal((_hex(secret.encode(), signed) for secret in secrets), given)


def _standard_holds(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    at = _moment(headers.get("webhook-timestamp", ""))
    if at is None or abs(now - at) > TOLERANCE_SECONDS:
        return False
    signed = f"{headers.get('webhook-id', '')}.{at}.".encode() + body
    given = [part.removeprefix("v1,") for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    return _any_equal((_base64(key_of(secret), signed) for secret in secrets), given)


def _any_equal(expected: Iterable[str], given: Sequence[str]) -> bool:
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in given)


def _moment(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text.strip()) else None


def _hex(key: bytes, signed: bytes) -> str:
    return hmac.digest(key, signed, "sha256").hex()


def _base64(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
