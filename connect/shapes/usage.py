"""Usage on the wire, as the alerts about a month's quota carry it."""

from __future__ import annotations

from typing import Literal

import msgspec

OBJECT = "usage"


class UsageOut(msgspec.Struct, kw_only=True, gc=False):
    """What an environment has asked in a calendar month of UTC (`2026-11`), against what its tier has room for.

    `percent` is the share that was reached: 80 or 100.
    """

    object: Literal["usage"] = "usage"
    livemode: bool
    month: str
    percent: int
    quota: int
    requests: int
