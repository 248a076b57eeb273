"""What travels between the outbox and whoever sends: a request to make, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

BODY_MAX: Final = 64 * 1024
"""Bytes of a message that the inbox takes and keeps."""
ANSWER_MAX: Final = 8 * 1024
"""Bytes of an answer that are kept: enough for a person to see what went wrong. Whoever answers every request with
megabytes would otherwise fill the log, and hold up the circle that records for all endpoints of the environment."""
HEADERS_MAX: Final = 100
HEADER_LENGTH_MAX: Final = 1_000
INTERRUPTED: Final = "interrupted"
"""The error kind of an attempt whose sender never came back."""
UNREADABLE: Final = "secret_unreadable"
"""The error kind of an attempt that could not be signed, because its secret cannot be unsealed."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request to send with POST, exactly as it stands here. Its attempt row is written already."""

    delivery_id: UUID
    endpoint_id: UUID
    number: int
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt. `status` is None when no answer came; then `error_kind` says why (`timeout`,
    `connection`, `tls`, `dns`, `address_refused`, …) and `error` says it to a person. `headers` have lower-case names,
    `body` is what was read of the answer.
    """

    delivery_id: UUID
    number: int
    status: int | None
    duration_ms: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error_kind: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the answers meant for their endpoints: those that were disabled, and those to leave alone until when."""

    disabled: frozenset[UUID] = frozenset()
    paused: Mapping[UUID, datetime] = field(default_factory=dict)


def readable(body: bytes, limit: int = BODY_MAX) -> str:
    """A body as it can be stored and shown: at most `limit` of its bytes, whatever is no text replaced."""
    return body[:limit].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """An answer's headers as they can be stored: so many, so long, lower-case names, no NUL."""
    pairs = list(headers.items())[:HEADERS_MAX]
    return {_line(name.lower()): _line(value) for name, value in pairs}


def _line(text: str) -> str:
    return text[:HEADER_LENGTH_MAX].replace("\0", "").encode(errors="replace").decode()
