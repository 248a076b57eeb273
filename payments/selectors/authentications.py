"""Where a payer authenticates: the page's address, and what an intent says about it.

The secret in the address is derived, as a client secret is: the row keeps its hash, to find it again.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from uuid import UUID

from django.conf import settings

from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from payments.models import Authentication


def secret(environment: EnvironmentRef, identifier: UUID) -> str:
    """The secret in the page's address: 22 base62 characters."""
    message = b"three_d_secure:" + environment.id.bytes + identifier.bytes
    digest = hmac.digest(settings.SECRET_KEY.encode(), message, hashlib.sha256)
    return ids.base62(int.from_bytes(digest[:16], "big"), ids.BODY_LENGTH)


def hash_of(secret: str) -> bytes:
    """What the row keeps of the secret."""
    return hashlib.sha256(secret.encode()).digest()


def page_url(environment: EnvironmentRef, identifier: UUID) -> str:
    """The page's whole address; whoever has it can answer in the payer's place."""
    return f"{settings.FC_PUBLIC_URL}/3ds/{environment.short_id}.{secret(environment, identifier)}"


def next_action(environment: EnvironmentRef, kept: dict[str, Any] | None, *, secret: bool) -> dict[str, Any] | None:
    """`next_action` on the wire for what an intent keeps of it. Without `secret`, as events are, without the address.

    What a processor with a page of its own answered is kept, and shown, as it is. A payment by bank keeps the attempt
    whose page it is, too.
    """
    if kept is not None and "attempt" in kept:
        to = kept["redirect_to_url"]
        return {"type": kept["type"], "redirect_to_url": to if secret else {**to, "url": None}}
    if kept is None or "authentication" not in kept:
        return kept
    url = page_url(environment, UUID(kept["authentication"])) if secret else None
    return {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": kept["return_url"]}}


def account_of(secret: str) -> UUID | None:
    """The account whose payer this secret belongs to, or None when it belongs to nobody."""
    found = Authentication.objects.one(secret_hash=hash_of(secret))
    return found.account_id if found else None
