"""Whether the credential may do this: one scope per view and method."""

from __future__ import annotations

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from connect.domain import scopes
from connect.domain.errors import PermissionMissing
from connect.selectors.credentials import Credential


class HasScope(BasePermission):
    """The view names its `scope_resource`; reading needs `<resource>:read`, everything else `<resource>:write`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = f"{view.scope_resource}:{scopes.verb(request.method or 'GET')}"
        if not scopes.allows(cast("Credential", request.auth).scopes, wanted):
            raise PermissionMissing(scope=wanted)
        return True
