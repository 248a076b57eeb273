"""Webhook endpoints, their deliveries and attempts on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from connect.kit.clock import unix
from connect.kit.ids import encode

PREFIX = "we"
DELIVERY_PREFIX = "whd"


class WebhookEndpointOut(msgspec.Struct, kw_only=True):
    """An address that receives events. `secret` is shown when it is made and when it is rotated, never again."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    api_version: str | None = None
    application: str | None = None
    created: int
    description: str | None = None
    disabled_reason: Literal["by_caller", "failing", "gone"] | None = None
    enabled_events: list[str]
    failing_since: int | None = None
    livemode: bool
    metadata: dict[str, str]
    previous_secret_expires_at: int | None = None
    secret: str | UnsetType = UNSET
    status: Literal["enabled", "disabled"]
    url: str


class DeletedWebhookEndpointOut(msgspec.Struct, kw_only=True):
    """What is left of a deleted webhook endpoint."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    deleted: Literal[True] = True


class WebhookReplayOut(msgspec.Struct, kw_only=True):
    """How many deliveries a replay set going."""

    object: Literal["webhook_replay"] = "webhook_replay"
    deliveries: int
    webhook_endpoint: str


class AttemptRequestOut(msgspec.Struct, kw_only=True):
    """What was sent. The body is the event; its size and SHA-256 are kept."""

    body_bytes: int
    body_sha256: str
    headers: dict[str, str]
    url: str


class AttemptResponseOut(msgspec.Struct, kw_only=True):
    """What came back. `body` holds the first 8 kB."""

    body: str
    headers: dict[str, str]
    status: int


class AttemptErrorOut(msgspec.Struct, kw_only=True):
    """Why no answer came."""

    message: str
    type: str


class WebhookAttemptOut(msgspec.Struct, kw_only=True):
    """One request to an endpoint. While it is under way `duration_ms`, `error` and `response` are null."""

    object: Literal["webhook_attempt"] = "webhook_attempt"
    created: int
    duration_ms: int | None = None
    error: AttemptErrorOut | None = None
    number: int
    request: AttemptRequestOut
    response: AttemptResponseOut | None = None


class WebhookDeliveryOut(msgspec.Struct, kw_only=True):
    """An event on its way to an endpoint. `attempts` counts them, `last_attempt` is the newest."""

    id: str
    object: Literal["webhook_delivery"] = "webhook_delivery"
    attempts: int
    created: int
    event: str
    event_type: str
    finished_at: int | None = None
    last_attempt: WebhookAttemptOut | None = None
    livemode: bool
    next_attempt_at: int | None = None
    status: Literal["pending", "succeeded", "failed", "canceled"]
    webhook_endpoint: str


def render(row: Any, *, livemode: bool, now: datetime, secret: str | None = None) -> WebhookEndpointOut:
    """The endpoint of `row`; with its secret only where it was just made. `now` is wall time."""
    expires = row.previous_secret_until
    return WebhookEndpointOut(
        id=encode(PREFIX, row.id),
        api_version=row.api_version or None,
        created=unix(row.created_at),
        description=row.description or None,
        disabled_reason=row.disabled_reason or None,
        enabled_events=list(row.enabled_events),
        failing_since=_unix(row.failing_since),
        livemode=livemode,
        metadata=row.metadata,
        previous_secret_expires_at=unix(expires) if expires is not None and expires > now else None,
        secret=secret if secret is not None else UNSET,
        status=row.status,
        url=row.url,
    )


def delivery(row: Any, *, event_type: str, last_attempt: Any, livemode: bool) -> WebhookDeliveryOut:
    """The delivery of `row`, the type of its event, and its newest attempt's row or None."""
    return WebhookDeliveryOut(
        id=encode(DELIVERY_PREFIX, row.id),
        attempts=row.attempts,
        created=unix(row.created_at),
        event=encode("evt", row.event_id),
        event_type=event_type,
        finished_at=_unix(row.finished_at),
        last_attempt=None if last_attempt is None else attempt(last_attempt),
        livemode=livemode,
        next_attempt_at=_unix(row.next_attempt_at),
        status=row.state,
        webhook_endpoint=encode(PREFIX, row.endpoint_id),
    )


def attempt(row: Any) -> WebhookAttemptOut:
    """The attempt of `row`."""
    response, error = None, None
    if row.response_status is not None:
        response = AttemptResponseOut(
            body=row.response_body, headers=row.response_headers or {}, status=row.response_status
        )
    elif row.error_kind:
        error = AttemptErrorOut(message=row.error, type=row.error_kind)
    return WebhookAttemptOut(
        created=unix(row.requested_at),
        duration_ms=row.duration_ms,
        error=error,
        number=row.number,
        request=AttemptRequestOut(
            body_bytes=row.body_bytes,
            body_sha256=bytes(row.body_sha256).hex(),
            headers=row.request_headers,
            url=row.url,
        ),
        response=response,
    )


def replay(endpoint_id: UUID, deliveries: int) -> WebhookReplayOut:
    """The answer to a replay."""
    return WebhookReplayOut(deliveries=deliveries, webhook_endpoint=encode(PREFIX, endpoint_id))


def _unix(moment: datetime | None) -> int | None:
    return None if moment is None else unix(moment)
