"""What is known of a bank's interface: where it is, which rules it keeps, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SANDBOX: Final = "sandbox-bank"
"""Slug of the bank that comes with the product; it stands in test environments only."""


class Approach(StrEnum):
    """How a bank has its customer agree (strong customer authentication)."""

    REDIRECT = "redirect"
    DECOUPLED = "decoupled"
    EMBEDDED = "embedded"


class Operation(StrEnum):
    """What is asked of a bank. Health and breakers are kept apart for each."""

    CONSENTS = "consents"
    ACCOUNTS = "accounts"
    TRANSACTIONS = "transactions"
    PAYMENTS = "payments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a bank's interface can do. `history_days` and `consent_days` are its own maxima.

    `calls_per_day` counts unattended calls, per account and endpoint; the bank refuses more. `pending` says that it
    lists entries that are not booked yet. `overlap_days` is how far back a sync reads again.
    """

    accounts: bool = True
    payments: bool = False
    pending: bool = True
    history_days: int = 90
    consent_days: int = 90
    calls_per_day: int = 4
    overlap_days: int = 10
    approaches: tuple[Approach, ...] = (Approach.REDIRECT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankProfile:
    """One bank as a connector sees it: plain values, no row.

    `base_url` ends before `/v1`. `payment_products` names the bank's product by lower-case currency; domestic transfers
    have names of the bank's own. `headers` go with every call.
    """

    slug: str
    name: str
    country: str
    connector: str
    base_url: str
    capabilities: Capabilities = field(default_factory=Capabilities)
    payment_products: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
