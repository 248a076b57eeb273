"""Idempotency keys of one environment. The stored replies are sealed, and stay so."""

from __future__ import annotations

from django.contrib import admin

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site
from connect.models import IdempotencyKey


@admin.register(IdempotencyKey, site=environment_site)
class IdempotencyKeyAdmin(RowAdmin):
    """Which requests were answered under which key, and which still wait."""

    exact = ("key",)
    view_permission = "connect.view_environment"
    account = columns.account()
    progress = columns.state("state", {"done": "success", "claimed": "warning"}, title="State")
    waits_for = columns.public_id("resume", title="Waits for")
    list_display = ("key", "progress", "status", "account", "request_id", "created_at")
    list_filter = ("state",)
    fields = ("id", "key", "progress", "status", "account", "request_id", "waits_for", "lease_until", "created_at")
