"""The payment service user: the bank's customer, as far as the bank is told of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Psu:
    """The bank's customer, as far as the bank is told. `ip_address` is only sent while `present`."""

    present: bool
    ip_address: str | None = None
    user_agent: str | None = None


ABSENT = Psu(present=False)
