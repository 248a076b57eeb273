"""What each permission lets a person do, in words: for the table of roles. The table itself is the domain's."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connect.domain.permissions import Role

ROLES: Final[dict[Role, tuple[Promise, Promise]]] = {
    Role.OWNER: (_("Owner"), _("Everything, and the only one who can hand the organization to somebody else.")),
    Role.ADMIN: (_("Admin"), _("Runs the organization: team, keys, money, settings. Cannot touch owners.")),
    Role.DEVELOPER: (_("Developer"), _("Builds: keys, webhooks, logs, banks. Sees money and moves none.")),
    Role.ANALYST: (_("Analyst"), _("Reads figures: payments, balance, ledger, usage. Changes nothing.")),
    Role.SUPPORT: (_("Support"), _("Helps customers: finds payments, refunds them, sends checkout links.")),
}
"""Name of a role, and whom it is for."""

GROUPS: Final[tuple[tuple[Promise, dict[str, Promise]], ...]] = (
    (
        _("Money"),
        {
            "home:read": _("See the home page"),
            "payments:read": _("See payments, charges and refunds"),
            "payments:write": _("Capture, cancel and refund payments"),
            "checkout:read": _("See checkout links"),
            "checkout:write": _("Create and expire checkout links"),
            "customers:read": _("See customers"),
            "customers:write": _("Create, change and delete customers"),
            "products:read": _("See products and prices"),
            "balance:read": _("See and export the balance"),
            "ledger:read": _("See the ledger"),
        },
    ),
    (
        _("Banks"),
        {
            "banks:view": _("See bank connections, accounts and transactions"),
            "banks:manage": _("Link banks, refresh and remove connections"),
            "sandbox:write": _("Break something in test mode: put the sandbox bank down, decline, move a clock"),
        },
    ),
    (
        _("Developers"),
        {
            "api_keys:read": _("See API keys, never their secrets"),
            "api_keys:write": _("Create, roll and revoke API keys"),
            "webhook_endpoints:read": _("See webhook endpoints and deliveries"),
            "webhook_endpoints:write": _("Create, change and test webhook endpoints"),
            "events:read": _("See events"),
            "events:write": _("Send events again"),
            "logs:read": _("See the request log"),
            "usage:read": _("See and export usage"),
            "test_clocks:read": _("See test clocks"),
            "api_clients:read": _("See the organization's own OAuth apps"),
            "api_clients:write": _("Register and change OAuth apps"),
            "consents:read": _("See which apps were let in"),
            "consents:write": _("Take back what others allowed apps"),
        },
    ),
    (
        _("Organization"),
        {
            "team:read": _("See the team and leave it"),
            "team:write": _("Invite, change and remove members"),
            "audit:read": _("See and export the audit log"),
            "settings:read": _("See the settings"),
            "settings:write": _("Change the settings, require two factors"),
            "live:activate": _("Open live mode"),
            "support_access:write": _("Let support look into an environment"),
            "organization:transfer": _("Transfer ownership"),
        },
    ),
)
"""Every permission once, in the order of the dashboard's sections."""


def name_of(role: str) -> str:
    """A role as people call it."""
    return str(ROLES[Role(role)][0]) if role in set(Role) else role
