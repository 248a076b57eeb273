"""API keys: what a person needs to recognise one, and its end. Neither secret nor hash is ever read here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import display

from connect.admin import access
from connect.admin.confirmation import confirm
from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.domain.errors import KeyRevoked
from connect.models import ApiKey
from connect.selectors.api_keys import info
from connect.services import api_keys


@admin.register(ApiKey, site=platform_site)
class ApiKeyAdmin(RowAdmin):
    """One credential of one environment."""

    prefix = "key"
    references = {"env": "environment_id", "usr": "created_by_id"}
    exact = ("last4",)
    list_select_related = ("environment__organization", "environment__limit_override", "created_by")
    list_display = ("public_id", "name", "redacted", "environment", "standing", "last_used_at", "created_at")
    fields = (
        "public_id", "name", "redacted", "environment", "standing", "scopes", "ip_allowlist", "created_by",
        "created_at", "expires_at", "last_used_at", "revoked_at",
    )  # fmt: skip
    actions = ("revoke",)
    list_disable_select_all = True
    title = "API keys"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the hash: what is not read cannot be shown."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.defer("secret_hash")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the person may end keys."""
        user: Any = request.user
        return bool(user.has_perm("connect.change_apikey"))

    @admin.action(description="Revoke selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Ask, then end each key through the service, which notes it in its organization's log."""
        queryset = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))  # never "all that match"
        if "confirmed" not in request.POST:
            question = "Apps that use these keys stop working within seconds, and a key cannot be brought back."
            return confirm(
                self,
                request,
                title="Revoke API keys",
                question=question,
                button="Revoke",
                action="revoke",
                rows=[(str(key.pk), f"{key} · {key.environment}") for key in queryset],
            )
        ended = 0
        for key in queryset:
            try:
                api_keys.revoke(access.caller_in(key.environment.ref(), request), key_id=self.row_id(key))
            except KeyRevoked:
                continue
            ended += 1
        messages.success(request, f"{ended} of {len(queryset)} keys revoked; the others were already.")
        return None

    @display(description="Key")
    def redacted(self, row: ApiKey) -> str:
        """How a key may be shown."""
        return f"{row.prefix}…{row.last4}"

    @display(
        description="State",
        label={"active": "success", "expiring": "warning", "expired": "danger", "revoked": "danger"},
    )
    def standing(self, row: ApiKey) -> str:
        """Whether it works now."""
        return info(row).state(timezone.now())
