"""The staff's pages: the platform at `/admin/`, every customer's environment at `/admin/e/<short id>/`.

What the other apps' `admin.py` need stands in `sites`, `rows` and `columns`. The rest of the modules register the
floor's own rows.
"""

from connect.admin import (
    api_clients,
    api_keys,
    audit_entries,
    environments,
    events,
    idempotency_keys,
    organizations,
    request_logs,
    support_grants,
    test_clocks,
    users,
    webhooks,
)

__all__ = [
    "api_clients",
    "api_keys",
    "audit_entries",
    "environments",
    "events",
    "idempotency_keys",
    "organizations",
    "request_logs",
    "support_grants",
    "test_clocks",
    "users",
    "webhooks",
]
