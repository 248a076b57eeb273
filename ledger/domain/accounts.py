"""Accounts: how paths are written, what a new account is like, and which paths API callers must leave alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from connect.kit import currencies
from connect.kit.caller import PLATFORM_ACCOUNT
from ledger.domain.errors import FloorForbidden, PathInvalid, PathReserved

NormalSide = Literal["debit", "credit"]
SIDES: Final = ("debit", "credit")
PATH_LENGTH_MAX: Final = 255
STRIPES_MAX: Final = 64

_PATH: Final = re.compile(r"[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*")

RESERVED_ROOTS: Final = frozenset(
    [
        "platform",
        "processor",
        "fees",
        "payouts",
        "disputes",
        "fx",
        "rounding",
        "bank",
        "wallets",
        "taxes",
        "reserves",
        "invoices",
        "adjustments",
    ]
)
"""First segments of the accounts that the product itself keeps."""

RESERVED_PREFIX: Final = "acct_"
"""A connected account's own accounts begin with its public id."""


def check_path(path: str) -> str:
    """`path` itself; raises `PathInvalid` when it is not segments of letters, digits, `.`, `-`, `_` joined by `:`."""
    if len(path) > PATH_LENGTH_MAX or not _PATH.fullmatch(path):
        raise PathInvalid(path=path[:PATH_LENGTH_MAX])
    return path


def is_reserved(path: str) -> bool:
    """Whether the path belongs to the product's own accounts."""
    root = path.partition(":")[0]
    return root in RESERVED_ROOTS or root.startswith(RESERVED_PREFIX)


def system_path(*segments: str) -> str:
    """The path of an account the product keeps: `system_path("fees", "platform", "eur")`.

    Other apps build theirs with this, so that no account of theirs can be one an API caller may post to: raises
    ValueError when the first segment is not reserved.
    """
    path = check_path(":".join(segments))
    if not is_reserved(path):
        raise ValueError(f"{segments[0]!r} is not a reserved root; add it to RESERVED_ROOTS")
    return path


def refuse_reserved(path: str) -> str:
    """`path` itself, for an API caller's account; raises `PathInvalid` or `PathReserved`."""
    check_path(path)
    if is_reserved(path):
        raise PathReserved(path=path, root=path.partition(":")[0])
    return path


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account to open when it is missing.

    `normal_side` is the side on which its balance grows: credit for what we owe, debit for what we own. `floor_minor`
    is the least it may have available, in minor units of its normal side; None lets it go below zero. `stripes` over 1
    splits a busy account without floor, so that postings do not wait for each other. `owner` is a connected account.
    """

    path: str
    currency: str
    normal_side: NormalSide
    floor_minor: int | None = None
    stripes: int = 1
    owner: UUID = PLATFORM_ACCOUNT

    def __post_init__(self) -> None:
        check_path(self.path)
        if self.currency not in currencies.EXPONENTS:
            raise ValueError(f"unknown currency {self.currency!r}")
        if self.normal_side not in SIDES:
            raise ValueError(f"{self.normal_side!r} is neither debit nor credit")
        if not 1 <= self.stripes <= STRIPES_MAX:
            raise ValueError(f"an account has 1 to {STRIPES_MAX} stripes")
        if self.floor_minor is not None and self.stripes > 1:
            raise FloorForbidden(path=self.path)
