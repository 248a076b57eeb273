"""Which page shows the object behind an id: every id on a page leads there, and so does the search."""

from __future__ import annotations

from typing import Final

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from connect.domain import permissions
from connect.kit import ids, registry

_OWN: Final = {"req": ("request_log", "logs:read")}
"""Objects of the floor that are not in the register: page and permission by prefix."""

KINDS: Final = {
    "balance_transaction": _("balance transaction"),
    "banking.account": _("banking account"),
    "banking.connection": _("banking connection"),
    "banking.institution": _("banking institution"),
    "banking.link_session": _("banking link session"),
    "banking.transaction": _("banking transaction"),
    "charge": _("charge"),
    "checkout.session": _("checkout session"),
    "customer": _("customer"),
    "event": _("event"),
    "ledger.account": _("ledger account"),
    "ledger.hold": _("ledger hold"),
    "ledger.transaction": _("ledger transaction"),
    "payment_intent": _("payment intent"),
    "payment_method": _("payment method"),
    "price": _("price"),
    "product": _("product"),
    "refund": _("refund"),
    "request": _("request"),
    "setup_intent": _("setup intent"),
    "test_helpers.test_clock": _("test clock"),
    "webhook_delivery": _("webhook delivery"),
    "webhook_endpoint": _("webhook endpoint"),
}
"""What people call each kind of object."""


def address_of(identifier: str, *, org_slug: str, mode: str, role: str) -> str:
    """The address of the page that shows the object; empty for what is no id, or not for this role to see.

    An object without a page of its own is shown by the page that takes any object.
    """
    parts = ids.split(identifier)
    if parts is None:
        return ""
    if parts[0] in _OWN:
        view, permission = _OWN[parts[0]]
        return reverse(f"dashboard:{view}", args=[org_slug, mode, identifier]) if _may(role, permission) else ""
    resource = registry.by_prefix(parts[0])
    if resource is None or not _may(role, resource.permission or resource.scope):
        return ""
    if resource.page:
        return reverse("dashboard:home", args=[org_slug, mode]) + resource.page.format(id=identifier)
    return reverse("dashboard:object", args=[org_slug, mode, identifier])


def kinds(role: str) -> list[tuple[str, str]]:
    """What a role may look for: prefix and name of each kind of object."""
    known = [(each.prefix, each.object, each.permission or each.scope) for each in registry.resources()]
    known += [(prefix, "request", permission) for prefix, (_, permission) in _OWN.items()]
    return sorted((prefix, name_of(name)) for prefix, name, permission in known if _may(role, permission))


def name_of(kind: str) -> str:
    """The kind of an object as people say it: `ledger.account` is a ledger account."""
    return str(KINDS[kind]) if kind in KINDS else kind.replace("_", " ").replace(".", " ")


def _may(role: str, permission: str) -> bool:
    return permission in permissions.PERMISSIONS and permissions.allows(role, permission)
