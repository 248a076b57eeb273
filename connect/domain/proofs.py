"""How long a person who has shown who they are may see and make secrets, and let others in.

A sign-in is such a proof, and so is a password, code or passkey asked for later. It is kept in the session, which is
the server's: nothing here trusts the browser.
"""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from typing import Any, Final

KEY: Final = "proved_at"
FRESH_SECONDS: Final = 600
"""A proof older than this is asked for again before a form that makes or shows a secret is opened."""
SENDING_SECONDS: Final = 1200
"""A form opened in time may be filled in for as long again, so that what was typed is not lost."""


def note(session: MutableMapping[str, Any], *, now: float) -> None:
    """The person has just shown who they are; `now` in seconds since 1970."""
    session[KEY] = now


def age(session: MutableMapping[str, Any], *, now: float) -> float:
    """How many seconds ago the person last showed who they are; endless when nothing says that they did."""
    proved_at = session.get(KEY)
    return now - proved_at if isinstance(proved_at, int | float) and proved_at <= now else math.inf


def is_fresh(session: MutableMapping[str, Any], *, now: float, sending: bool = False) -> bool:
    """Whether the last proof still counts; `sending` for a form that was opened under it."""
    return age(session, now=now) < (SENDING_SECONDS if sending else FRESH_SECONDS)
