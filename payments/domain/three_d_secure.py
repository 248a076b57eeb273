"""Authenticating a payer on the sandbox issuer's page: its limits, its one-time code, and the way back.

The rules are those of strong customer authentication (RTS 2018/389, articles 4 and 5): the payer is shown amount and
payee, the code belongs to exactly these, a wrong answer does not say what was wrong, after five of them it is over, and
so it is after five idle minutes.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from connect.kit.money import Money

TRIES_MAX: Final = 5
"""Wrong codes after which the authentication has failed."""
IDLE: Final = timedelta(minutes=5)
"""How long an opened page may wait for the payer's next step."""
LIFETIME: Final = timedelta(hours=1)
"""How long the page can be opened at all; afterwards the intent has to be confirmed again."""
CODE_LENGTH: Final = 6

RedirectStatus = Literal["succeeded", "pending", "failed"]


class State(StrEnum):
    """How the authentication ended, or that it did not yet."""

    PENDING = "pending"
    AUTHENTICATED = "authenticated"
    FAILED = "failed"


class Answer(StrEnum):
    """What the payer did on the page."""

    CODE = "code"  # typed the one-time code
    COMPLETE = "complete"  # the button of the test environment
    FAIL = "fail"  # the other button
    LEAVE = "leave"  # gave up, or came too late


def is_timed_out(*, expires_at: datetime, seen_at: datetime | None, now: datetime) -> bool:
    """Whether the page was opened too late, or was left alone for too long. All moments are wall time."""
    return now >= expires_at or (seen_at is not None and now >= seen_at + IDLE)


def code_for(secret: str, *, amount: Money | None, payee: str) -> str:
    """The one-time code: six digits that hold for this page, this amount and this payee only (dynamic linking)."""
    told = f"{amount}|{payee}"
    digest = hmac.digest(secret.encode(), told.encode(), hashlib.sha256)
    return str(int.from_bytes(digest[:8], "big") % 10**CODE_LENGTH).rjust(CODE_LENGTH, "0")


def is_code(given: str, expected: str) -> bool:
    """Whether the payer typed the code; spaces and hyphens are fine. Compared in constant time."""
    digits = given.translate(str.maketrans("", "", " -"))
    return hmac.compare_digest(digits.encode(), expected.encode())


def way_back(return_url: str, parameters: dict[str, str]) -> str:
    """`return_url` with `parameters` added to its query; what it carries already stays."""
    parts = urlsplit(return_url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, parts.fragment))
