"""The rail: what a role may open, grouped, with the current page marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from connect.domain import permissions


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the rail. `views` are the URL names that belong to it, the first being its address."""

    title: str
    icon: str
    permission: str | None
    views: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as the template draws it."""

    title: str
    icon: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one heading; the first group has none."""

    title: str
    items: list[Link]


RAIL: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    ("", (Entry("Home", "icons/home.html", None, ("home",)),)),
    (
        "Money",
        (
            Entry(
                "Payments",
                "icons/payments.html",
                "payments:read",
                ("payments", "payment", "payment_capture", "payment_cancel", "payment_refund"),
            ),
            Entry(
                "Checkout links",
                "icons/links.html",
                "checkout:read",
                ("checkout_sessions", "checkout_session", "checkout_session_new", "checkout_session_expire"),
            ),
            Entry("Balance", "icons/balance.html", "balance:read", ("balance",)),
            Entry(
                "Ledger",
                "icons/ledger.html",
                "ledger:read",
                ("ledger_accounts", "ledger_account", "ledger_drift", "ledger_transactions", "ledger_transaction"),
            ),
            Entry(
                "Customers",
                "icons/customers.html",
                "customers:read",
                ("customers", "customer", "customer_new", "customer_edit", "customer_delete"),
            ),
        ),
    ),
    (
        "Banks",
        (
            Entry(
                "Connections",
                "icons/connections.html",
                "banks:view",
                (
                    "bank_connections",
                    "bank_connection",
                    "bank_connection_refresh",
                    "bank_connection_renew",
                    "bank_connection_remove",
                ),
            ),
            Entry("Accounts", "icons/bank_accounts.html", "banks:view", ("bank_accounts", "bank_account")),
            Entry("Transactions", "icons/transactions.html", "banks:view", ("bank_transactions", "bank_transaction")),
            Entry(
                "Institutions", "icons/institutions.html", "banks:view", ("institutions", "institution", "sandbox_bank")
            ),
            Entry(
                "Link sessions",
                "icons/link_sessions.html",
                "banks:view",
                ("link_sessions", "link_session", "link_session_new", "link_session_cancel"),
            ),
        ),
    ),
    (
        "Developers",
        (
            Entry(
                "API keys",
                "icons/keys.html",
                "api_keys:read",
                ("api_keys", "api_key_new", "api_key_roll", "api_key_revoke"),
            ),
            Entry(
                "Webhooks",
                "icons/webhooks.html",
                "webhook_endpoints:read",
                (
                    "webhook_endpoints",
                    "webhook_endpoint",
                    "webhook_endpoint_new",
                    "webhook_endpoint_edit",
                    "webhook_endpoint_rotate",
                    "webhook_endpoint_switch",
                    "webhook_endpoint_delete",
                    "webhook_endpoint_test",
                    "webhook_endpoint_replay",
                    "webhook_delivery",
                    "webhook_delivery_resend",
                    "webhook_inbox",
                ),
            ),
            Entry("Events", "icons/events.html", "events:read", ("events", "event", "event_resend")),
            Entry("Request log", "icons/logs.html", "logs:read", ("request_logs", "request_log")),
        ),
    ),
    (
        "Organization",
        (
            Entry(
                "Support access",
                "icons/support.html",
                "support_access:write",
                ("support_access", "support_access_revoke"),
            ),
        ),
    ),
)


def rail(*, org_slug: str, mode: str, role: str, view_name: str) -> list[Group]:
    """The groups a role sees; entries it may not open are left out, and so are groups without an entry."""
    groups = [
        Group(title, [_link(entry, org_slug, mode, view_name) for entry in entries if _may_open(role, entry)])
        for title, entries in RAIL
    ]
    return [group for group in groups if group.items]


def section_of(view_name: str) -> str:
    """The URL name of the list a page belongs to: where a mode switch leads, as an object exists in one mode only."""
    for _, entries in RAIL:
        for entry in entries:
            if view_name in entry.views:
                return entry.views[0]
    return "home"


def _may_open(role: str, entry: Entry) -> bool:
    return entry.permission is None or permissions.allows(role, entry.permission)


def _link(entry: Entry, org_slug: str, mode: str, view_name: str) -> Link:
    return Link(
        entry.title, entry.icon, reverse(f"dashboard:{entry.views[0]}", args=[org_slug, mode]), view_name in entry.views
    )
