"""Which page shows the object behind an id: every id on a page leads there, and so does the search."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from connect.domain import permissions
from connect.kit import ids, registry

_OWN: Final = {"req": ("request_log", "logs:read")}
"""Objects of the floor that are not in the register: page and permission by prefix."""


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
    if resource is None or not _may(role, resource.scope):
        return ""
    if resource.page:
        return reverse("dashboard:home", args=[org_slug, mode]) + resource.page.format(id=identifier)
    return reverse("dashboard:object", args=[org_slug, mode, identifier])


def _may(role: str, permission: str) -> bool:
    return permission in permissions.PERMISSIONS and permissions.allows(role, permission)
