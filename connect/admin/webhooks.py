"""Webhook endpoints of one environment, their deliveries and attempts, and the inbox. Secrets stay sealed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.decorators import display

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site
from connect.models import InboxMessage, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from connect.shapes.webhook_endpoints import DELIVERY_PREFIX, PREFIX

DELIVERY_COLOURS = {"succeeded": "success", "pending": "info", "failed": "danger", "canceled": "warning"}


@admin.register(WebhookEndpoint, site=environment_site)
class WebhookEndpointAdmin(RowAdmin):
    """An address that wants events."""

    prefix = PREFIX
    exact = ("url",)
    view_permission = "connect.view_environment"
    progress = columns.state("status", {"enabled": "success", "disabled": "danger"})
    account = columns.account()
    wanted = columns.data("enabled_events", title="Wants")
    details = columns.data("metadata")
    list_display = ("public_id", "url", "progress", "disabled_reason", "failing_since", "account", "created_at",
                    "deleted_at")  # fmt: skip
    list_filter = ("status", "disabled_reason")
    fields = (
        "public_id", "url", "description", "progress", "disabled_reason", "disabled_at", "wanted", "api_version",
        "account", "previous_secret_until", "first_failure_at", "failure_count", "failing_since", "paused_until",
        "notice_due_at", "created_at", "deleted_at", "details",
    )  # fmt: skip


@admin.register(WebhookDelivery, site=environment_site)
class WebhookDeliveryAdmin(RowAdmin):
    """An event on its way to an endpoint."""

    prefix = DELIVERY_PREFIX
    references = {"evt": "event_id", "we": "endpoint_id"}
    title = "webhook deliveries"
    view_permission = "connect.view_environment"
    event = columns.reference("event_id", "evt")
    endpoint = columns.reference("endpoint_id", PREFIX)
    progress = columns.state("state", DELIVERY_COLOURS)
    list_display = ("public_id", "event", "endpoint", "progress", "attempts", "next_attempt_at", "created_at")
    list_filter = ("state",)
    fields = (
        "public_id", "event", "endpoint", "progress", "attempts", "failures", "next_attempt_at", "lease_until",
        "created_at", "finished_at",
    )  # fmt: skip


@admin.register(WebhookAttempt, site=environment_site)
class WebhookAttemptAdmin(RowAdmin):
    """One request to an endpoint, and its answer. The signatures that it carried are not shown."""

    references = {DELIVERY_PREFIX: "delivery_id"}
    view_permission = "connect.view_environment"
    delivery = columns.reference("delivery_id", DELIVERY_PREFIX)
    answered_with = columns.data("response_headers")
    answered = columns.json_text("response_body")
    list_display = ("id", "delivery", "number", "response_status", "error_kind", "duration_ms", "requested_at")
    fields = (
        "id", "delivery", "number", "url", "requested_at", "finished_at", "duration_ms", "body_bytes", "sent_headers",
        "response_status", "answered_with", "answered", "error_kind", "error",
    )  # fmt: skip

    @display(description="Request headers")
    def sent_headers(self, row: WebhookAttempt) -> Any:
        """Without the signatures: with them and the body somebody could send the event again."""
        return columns.preformatted(
            {name: value for name, value in row.request_headers.items() if not name.lower().endswith("signature")}
        )


@admin.register(InboxMessage, site=environment_site)
class InboxMessageAdmin(RowAdmin):
    """What reached the built-in inbox."""

    references = {"evt": "event_id"}
    view_permission = "connect.view_environment"
    event = columns.public_id("event_id")
    judged = columns.state("verdict", {"valid": "success", "invalid": "danger", "unsigned": "warning"})
    content = columns.json_text("body")
    list_display = ("id", "event", "event_type", "judged", "answered_status", "received_at")
    fields = ("id", "event", "event_type", "judged", "answered_status", "received_at", "content")
