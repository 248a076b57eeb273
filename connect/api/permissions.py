"""Whether the credential may do this: one scope per view and method."""

from __future__ import annotations

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from connect.domain import scopes
from connect.domain.errors import PermissionMissing, TokenScopeMissing
from connect.selectors.credentials import Credential


class HasScope(BasePermission):
    """The view names its `scope_resource`; reading needs `<resource>:read`, everything else `<resource>:write`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = f"{view.scope_resource}:{scopes.verb(request.method or 'GET')}"
        credential = cast("Credential", request.auth)
        if not scopes.allows(credential.scopes, wanted):
            raise (TokenScopeMissing if credential.kind == "api_client" else PermissionMissing)(scope=wanted)
        return True
