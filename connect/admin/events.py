"""Events of one environment."""

from __future__ import annotations

from django.contrib import admin

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site
from connect.models import Event


@admin.register(Event, site=environment_site)
class EventAdmin(RowAdmin):
    """What happened, as it was frozen."""

    prefix = "evt"
    exact = ("object_id",)
    view_permission = "connect.view_environment"
    object = columns.public_id("object_id")
    account = columns.account()
    payload_shown = columns.data("payload", title="Payload")
    before = columns.data("previous_attributes")
    list_display = ("public_id", "type", "object", "account", "created_at", "fanned_out_at")
    fields = (
        "public_id", "type", "object", "account", "api_version", "schema_version", "request_id", "idempotency_key",
        "created_at", "fanned_out_at", "payload_shown", "before",
    )  # fmt: skip
