"""The request log: one row for each answered request to `/v1`."""

from __future__ import annotations

from django.db import models

from connect.models.base import ConnectTenantModel


class RequestLogFields(models.Model):
    """What a request and its answer were. `id` is the UUID of the request id, so a record that comes twice is known.

    Bodies are kept redacted, as JSON text, when they were JSON or a form of up to 8 kB; longer ones only by their size.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    created_at = models.DateTimeField(help_text="when the request arrived")
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    route = models.CharField(max_length=200, blank=True, help_text="the URL pattern, empty when none matched")
    status = models.SmallIntegerField()
    error_code = models.CharField(max_length=80, blank=True)
    duration_us = models.BigIntegerField(help_text="microseconds from the first byte read to the answer")
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    request_bytes = models.IntegerField()
    response_bytes = models.IntegerField()
    query = models.TextField(blank=True)
    request_body = models.TextField(blank=True)
    response_body = models.TextField(blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.status} {self.method} {self.path}"


class RequestLog(RequestLogFields, ConnectTenantModel):
    """A request that a credential of this environment made. `object_id` is the id of the object it answered with."""

    id = models.UUIDField(primary_key=True, editable=False)
    account_id = models.UUIDField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=255, blank=True)
    api_version = models.CharField(max_length=10, blank=True)
    object_id = models.CharField(max_length=64, blank=True)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_request_log"
        indexes = [
            models.Index(
                fields=["object_id", "-id"], name="connect_request_log_object", condition=~models.Q(object_id="")
            ),
            models.Index(fields=["-id"], name="connect_request_log_failed", condition=models.Q(status__gte=400)),
            # Errors of ours and methods that are seldom used are few: their indexes cost the other requests nothing.
            models.Index(fields=["-id"], name="connect_request_log_errors", condition=models.Q(status__gte=500)),
            models.Index(
                fields=["-id"], name="connect_request_log_seldom", condition=~models.Q(method__in=["GET", "POST"])
            ),
            models.Index(fields=["actor_id", "id"], name="connect_request_log_actor"),
            # Without the id, so that PostgreSQL keeps each path once: an eighth of the size.
            models.Index(fields=["path"], name="connect_request_log_path", opclasses=["varchar_pattern_ops"]),
        ]


class PublicRequestLog(RequestLogFields):
    """A request whose tenant never became known: no key, a wrong key, an unknown address. Bodies are not kept."""

    class Meta:
        app_label = "connect"
        db_table = "connect_public_request_log"
