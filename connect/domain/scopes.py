"""Every scope, with the sentence a person reads when granting it. `*` stands for all of them."""

from __future__ import annotations

from typing import Final

ALL: Final = "*"

SCOPES: Final[dict[str, str]] = {
    "payments:read": "See payments, charges and payment methods",
    "payments:write": "Create, confirm, capture and cancel payments",
    "customers:read": "See customers",
    "customers:write": "Create and change customers",
    "products:read": "See products and prices",
    "products:write": "Create and change products and prices",
    "checkout:read": "See checkout sessions",
    "checkout:write": "Create and expire checkout sessions",
    "balance:read": "See the balance and its transactions",
    "institutions:read": "See the catalogue of banks and how they are doing",
    "link_sessions:read": "See link sessions",
    "link_sessions:write": "Create and cancel link sessions",
    "connections:read": "See connections to customers' banks",
    "connections:write": "Exchange what customers agreed to, and refresh, change and remove connections to their banks",
    "accounts:read": "See linked bank accounts and their balances",
    "accounts:write": "Change the metadata of linked bank accounts",
    "transactions:read": "See the transactions of linked bank accounts",
    "events:read": "See events",
    "events:write": "Send events to webhook endpoints again",
    "webhook_endpoints:read": "See webhook endpoints and what was delivered to them",
    "webhook_endpoints:write": "Create, change and test webhook endpoints, and see their new secrets",
    "ledger:read": "See ledger accounts, transactions and balances",
    "ledger:write": "Post to the ledger and place holds",
    "test_clocks:read": "See test clocks",
    "test_clocks:write": "Create, advance and delete test clocks",
}

IDENTITY: Final[dict[str, str]] = {
    "openid": "Know that it is you, by an id that says nothing else",
    "profile": "See your name, language and time zone",
    "email": "See your e-mail address",
}
"""What an app may ask about the person who lets it in. They open nothing of the API."""


def verb(method: str) -> str:
    """`read` for a safe HTTP method, else `write`."""
    return "read" if method in {"GET", "HEAD", "OPTIONS"} else "write"


def allows(granted: frozenset[str], wanted: str) -> bool:
    """Whether `granted` covers `wanted`; writing a resource includes reading it."""
    if ALL in granted or wanted in granted:
        return True
    resource, _, action = wanted.partition(":")
    return action == "read" and f"{resource}:write" in granted


def unknown(scopes: frozenset[str]) -> set[str]:
    """Those of `scopes` that do not exist."""
    return {scope for scope in scopes if scope != ALL and scope not in SCOPES}
