"""The rail: what a role may open, grouped, with the current page marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connect.domain import permissions


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the rail. `views` are the URL names that belong to it, the first being its address."""

    title: Promise
    icon: str
    permission: str | None
    views: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as the template draws it; `key` is its letter after a `g`, if it has one."""

    title: str
    icon: str
    url: str
    is_current: bool
    key: str


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one heading; the first group has none."""

    title: str
    items: list[Link]


RAIL: Final[tuple[tuple[Promise | str, tuple[Entry, ...]], ...]] = (
    ("", (Entry(_("Home"), "icons/home.html", None, ("home", "first_key", "first_endpoint", "break_something")),)),
    (
        _("Money"),
        (
            Entry(
                _("Payments"),
                "icons/payments.html",
                "payments:read",
                ("payments", "payment", "payment_capture", "payment_cancel", "payment_refund"),
            ),
            Entry(
                _("Checkout links"),
                "icons/links.html",
                "checkout:read",
                ("checkout_sessions", "checkout_session", "checkout_session_new", "checkout_session_expire"),
            ),
            Entry(_("Balance"), "icons/balance.html", "balance:read", ("balance",)),
            Entry(
                _("Ledger"),
                "icons/ledger.html",
                "ledger:read",
                ("ledger_accounts", "ledger_account", "ledger_drift", "ledger_transactions", "ledger_transaction"),
            ),
            Entry(
                _("Customers"),
                "icons/customers.html",
                "customers:read",
                ("customers", "customer", "customer_new", "customer_edit", "customer_delete"),
            ),
        ),
    ),
    (
        _("Banks"),
        (
            Entry(
                _("Connections"),
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
            Entry(_("Accounts"), "icons/bank_accounts.html", "banks:view", ("bank_accounts", "bank_account")),
            Entry(
                _("Transactions"), "icons/transactions.html", "banks:view", ("bank_transactions", "bank_transaction")
            ),
            Entry(
                _("Institutions"),
                "icons/institutions.html",
                "banks:view",
                ("institutions", "institution", "sandbox_bank"),
            ),
            Entry(
                _("Link sessions"),
                "icons/link_sessions.html",
                "banks:view",
                ("link_sessions", "link_session", "link_session_new", "link_session_cancel"),
            ),
        ),
    ),
    (
        _("Developers"),
        (
            Entry(
                _("API keys"),
                "icons/keys.html",
                "api_keys:read",
                ("api_keys", "api_key_new", "api_key_roll", "api_key_revoke"),
            ),
            Entry(
                _("OAuth apps"),
                "icons/apps.html",
                "api_clients:read",
                (
                    "api_clients",
                    "api_client",
                    "api_client_new",
                    "api_client_edit",
                    "api_client_roll",
                    "api_client_delete",
                ),
            ),
            Entry(_("Apps let in"), "icons/consents.html", "consents:read", ("consents", "consent_revoke")),
            Entry(
                _("Webhooks"),
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
            Entry(_("Events"), "icons/events.html", "events:read", ("events", "event", "event_resend")),
            Entry(_("Request log"), "icons/logs.html", "logs:read", ("request_logs", "request_log")),
            Entry(_("Usage"), "icons/usage.html", "usage:read", ("usage",)),
        ),
    ),
    (
        _("Organization"),
        (
            Entry(
                _("Team"),
                "icons/team.html",
                "team:read",
                (
                    "team",
                    "team_roles",
                    "invitation_new",
                    "invitation_resend",
                    "invitation_withdraw",
                    "member_role",
                    "member_remove",
                    "team_leave",
                    "ownership_transfer",
                ),
            ),
            Entry(_("Audit log"), "icons/audit.html", "audit:read", ("audit_log", "audit_export")),
            Entry(
                _("Settings"),
                "icons/settings.html",
                "settings:read",
                ("settings", "settings_edit", "settings_second_factor", "activation", "activation_details"),
            ),
            Entry(
                _("Support access"),
                "icons/support.html",
                "support_access:write",
                ("support_access", "support_access_revoke"),
            ),
        ),
    ),
)

TEST_ONLY: Final = frozenset({"sandbox_bank", "webhook_inbox", "break_something"})
"""Pages of what exists in test mode only."""


KEYS: Final = {
    "home": "h",
    "payments": "p",
    "checkout_sessions": "o",
    "balance": "b",
    "ledger_accounts": "d",
    "customers": "c",
    "bank_connections": "n",
    "bank_accounts": "a",
    "bank_transactions": "t",
    "institutions": "i",
    "link_sessions": "s",
    "api_keys": "k",
    "webhook_endpoints": "w",
    "events": "e",
    "request_logs": "l",
    "usage": "u",
    "team": "m",
}
"""The letter that leads to a page after a `g`, by the page's URL name."""


def rail(*, org_slug: str, mode: str, role: str, view_name: str) -> list[Group]:
    """The groups a role sees; entries it may not open are left out, and so are groups without an entry."""
    groups = [
        Group(str(title), [_link(entry, org_slug, mode, view_name) for entry in entries if _may_open(role, entry)])
        for title, entries in RAIL
    ]
    return [group for group in groups if group.items]


def section_of(view_name: str) -> str:
    """The URL name of the list a page belongs to: where a mode switch leads, as an object exists in one mode only."""
    for _title, entries in RAIL:
        for entry in entries:
            if view_name in entry.views:
                return entry.views[0]
    return "home"


def other_mode(view_name: str, *, names_object: bool) -> str:
    """Where a mode switch leads: to the same page, or from an object, or a page of test mode only, to its section."""
    if names_object or not view_name or view_name in TEST_ONLY:
        return section_of(view_name)
    return view_name


def _may_open(role: str, entry: Entry) -> bool:
    return entry.permission is None or permissions.allows(role, entry.permission)


def _link(entry: Entry, org_slug: str, mode: str, view_name: str) -> Link:
    return Link(
        str(entry.title),
        entry.icon,
        reverse(f"dashboard:{entry.views[0]}", args=[org_slug, mode]),
        view_name in entry.views,
        KEYS.get(entry.views[0], ""),
    )
