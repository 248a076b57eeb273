"""What each role may do in an organization: the one permission table. Pages and the team's tests read it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """A member's role, from most to least powerful."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    ANALYST = "analyst"
    SUPPORT = "support"


_EVERYONE: Final = frozenset(Role)
_ADMINS: Final = frozenset({Role.OWNER, Role.ADMIN})
_BUILDERS: Final = _ADMINS | {Role.DEVELOPER}

PERMISSIONS: Final[dict[str, frozenset[Role]]] = {
    "home:read": _EVERYONE,
    "payments:read": _EVERYONE,
    "payments:write": _ADMINS | {Role.SUPPORT},
    "customers:read": _EVERYONE,
    "customers:write": _BUILDERS | {Role.SUPPORT},
    "products:read": _EVERYONE,
    "checkout:read": _EVERYONE,
    "checkout:write": _BUILDERS | {Role.SUPPORT},
    "balance:read": _ADMINS | {Role.DEVELOPER, Role.ANALYST},
    "ledger:read": _ADMINS | {Role.DEVELOPER, Role.ANALYST},
    "banks:view": _EVERYONE,
    "banks:manage": _BUILDERS,
    "api_keys:read": _BUILDERS,
    "api_keys:write": _BUILDERS,
    "events:read": _BUILDERS | {Role.SUPPORT},
    "events:write": _BUILDERS,
    "webhook_endpoints:read": _BUILDERS,
    "webhook_endpoints:write": _BUILDERS,
    "test_clocks:read": _BUILDERS,
    "sandbox:write": _BUILDERS,
    "logs:read": _BUILDERS | {Role.SUPPORT},
    "usage:read": _BUILDERS | {Role.ANALYST},
    "api_clients:read": _BUILDERS,
    "api_clients:write": _BUILDERS,
    "consents:read": _BUILDERS,
    "consents:write": _ADMINS,
    "audit:read": _ADMINS,
    "settings:read": _EVERYONE,
    "live:activate": _ADMINS,
    "support_access:write": _ADMINS,
    "team:read": _EVERYONE,
    "team:write": _ADMINS,
    "settings:write": _ADMINS,
    "organization:transfer": frozenset({Role.OWNER}),
}


def allows(role: str, permission: str) -> bool:
    """Whether `role` holds `permission`; raises KeyError for a permission that is not in the table."""
    return role in PERMISSIONS[permission]
