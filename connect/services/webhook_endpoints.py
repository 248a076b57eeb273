"""Webhook endpoints: making, changing, rotating and ending them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from connect.domain import events as domain_events
from connect.domain import versions, webhook_signatures
from connect.domain.errors import EventTypeUnknown, WebhookEndpointLimit
from connect.domain.webhook_endpoints import ENDPOINTS_MAX, EVERY_EVENT, OVERLAP_SECONDS_MAX, normal_url
from connect.kit import event_types, ids, secretbox
from connect.kit.caller import Caller
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.kit.metadata import merge
from connect.models import WebhookEndpoint
from connect.selectors.webhook_endpoints import shape
from connect.services import audit, events
from connect.services.events import NewEvent
from connect.shapes.webhook_endpoints import PREFIX, DeletedWebhookEndpointOut, WebhookEndpointOut


def create(
    caller: Caller,
    *,
    url: str,
    enabled_events: Sequence[str],
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    api_version: str | None = None,
) -> WebhookEndpointOut:
    """Make an endpoint; the answer holds its secret, which cannot be read again. It gets what happens from now on.

    Raises `UrlInvalid`, `EventTypeUnknown`, `WebhookEndpointLimit`, `ApiVersionUnknown`.
    """
    _lock_account(caller)
    if WebhookEndpoint.objects.filter(account_id=caller.account, deleted_at=None).count() >= ENDPOINTS_MAX:
        raise WebhookEndpointLimit(maximum=ENDPOINTS_MAX)
    row = WebhookEndpoint(
        account_id=caller.account,
        url=_checked_url(caller, url),
        description=description or "",
        enabled_events=_checked_events(enabled_events),
        enabled_after=ids.new(),
        api_version=_checked_version(api_version),
        metadata=merge({}, metadata),
        created_at=caller.clock.wall(),
    )
    secret = webhook_signatures.generate()
    row.secret = _sealed(caller, row, secret)
    row.save(force_insert=True)
    audit.record(caller, action="webhook_endpoint.created", target=ids.encode(PREFIX, row.id), url=row.url)
    return shape(caller, row, secret=secret)


def update(caller: Caller, *, endpoint_id: str, **given: Any) -> WebhookEndpointOut:
    """Change `url`, `enabled_events`, `description` or `metadata`, or disable and enable it by `disabled`.

    Disabling cancels what was still to be delivered. Enabling begins anew: failures are forgotten, and what happened
    meanwhile is not sent unless it is replayed. Raises `ResourceMissing`, `UrlInvalid`, `EventTypeUnknown`.
    """
    row = lock(caller, endpoint_id)
    if "url" in given:
        row.url = _checked_url(caller, given["url"])
    if "enabled_events" in given:
        row.enabled_events = _checked_events(given["enabled_events"])
    if "description" in given:
        row.description = given["description"] or ""
    if "metadata" in given:
        row.metadata = merge(row.metadata, given["metadata"])
    is_disabled = row.status == WebhookEndpoint.Status.DISABLED
    if given.get("disabled") is True and not is_disabled:
        _end(caller, row, WebhookEndpoint.DisabledReason.BY_CALLER)
    elif given.get("disabled") is False and is_disabled:
        row.status, row.disabled_reason, row.disabled_at = WebhookEndpoint.Status.ENABLED, "", None
        row.enabled_after, row.notice_due_at, row.paused_until = ids.new(), None, None
        row.first_failure_at, row.failure_count, row.failing_since = None, 0, None
    row.save()
    changed = sorted(name for name in given if name != "metadata")
    audit.record(caller, action="webhook_endpoint.updated", target=endpoint_id, changed=changed, url=row.url)
    return shape(caller, row)


def rotate_secret(caller: Caller, *, endpoint_id: str, overlap_seconds: int = 0) -> WebhookEndpointOut:
    """Give the endpoint a new secret; the answer holds it. The old one signs too for `overlap_seconds`, at most 24 h.

    An older secret that was still signing stops. Raises `ResourceMissing`, `ParameterInvalid`.
    """
    if not 0 <= overlap_seconds <= OVERLAP_SECONDS_MAX:
        raise ParameterInvalid(
            f"The old secret can go on signing for at most {OVERLAP_SECONDS_MAX} seconds.", param="overlap_seconds"
        )
    row = lock(caller, endpoint_id)
    old, secret = _unsealed(caller, row, "secret"), webhook_signatures.generate()
    row.secret = _sealed(caller, row, secret)
    row.previous_secret, row.previous_secret_until = None, None
    if overlap_seconds:
        row.previous_secret = _sealed(caller, row, old, column="previous_secret")
        row.previous_secret_until = caller.clock.wall() + timedelta(seconds=overlap_seconds)
    row.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    audit.record(caller, action="webhook_endpoint.secret_rotated", target=endpoint_id, overlap_seconds=overlap_seconds)
    return shape(caller, row, secret=secret)


def delete(caller: Caller, *, endpoint_id: str) -> DeletedWebhookEndpointOut:
    """Delete an endpoint: nothing more is sent to it, its secrets are gone, its log stays. Raises `ResourceMissing`."""
    row = lock(caller, endpoint_id)
    row.deleted_at = caller.clock.wall()
    row.secret, row.previous_secret, row.previous_secret_until, row.notice_due_at = None, None, None, None
    row.save(update_fields=["deleted_at", "secret", "previous_secret", "previous_secret_until", "notice_due_at"])
    cancel_pending(caller, row)
    audit.record(caller, action="webhook_endpoint.deleted", target=endpoint_id, url=row.url)
    return DeletedWebhookEndpointOut(id=endpoint_id)


def disable(caller: Caller, row: WebhookEndpoint, reason: WebhookEndpoint.DisabledReason) -> None:
    """Disable an endpoint that failed for days or is gone; `row` is locked. Publishes `webhook_endpoint.disabled`.

    What was still to be delivered is canceled, and can be replayed. People are told by mail: `webhook_notices`.
    """
    owner = replace(caller, account=row.account_id)
    _end(owner, row, reason)
    row.notice_due_at = caller.clock.wall()
    row.save()
    audit.record(
        owner, action="webhook_endpoint.disabled", target=ids.encode(PREFIX, row.id), url=row.url, reason=str(reason)
    )
    events.publish(owner, NewEvent(domain_events.ENDPOINT_DISABLED, shape(owner, row)))


def lock(caller: Caller, endpoint_id: str) -> WebhookEndpoint:
    """The caller's endpoint, locked until the transaction ends. Raises `ResourceMissing`."""
    row = WebhookEndpoint.objects.one(lock=True, account_id=caller.account, id=ids.lookup(PREFIX, endpoint_id))
    if row is None or row.deleted_at is not None:
        raise ResourceMissing(resource="webhook_endpoint", id=endpoint_id, param="id")
    return row


def secrets(caller: Caller, row: WebhookEndpoint) -> list[str]:
    """The secrets that sign for this endpoint now, the newest first. Raises `SealBroken`."""
    found = [_unsealed(caller, row, "secret")]
    until = row.previous_secret_until
    if until is not None and until > caller.clock.wall():
        found.append(_unsealed(caller, row, "previous_secret"))
    return found


def cancel_pending(caller: Caller, row: WebhookEndpoint) -> int:
    """Give up what was still to be delivered to this endpoint; returns how many deliveries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE connect_webhook_delivery SET state = 'canceled', next_attempt_at = NULL, lease_until = NULL,"
            " finished_at = %s WHERE endpoint_id = %s AND state = 'pending'",
            [caller.clock.wall(), row.id],
        )
        return cursor.rowcount


def _end(caller: Caller, row: WebhookEndpoint, reason: WebhookEndpoint.DisabledReason) -> None:
    row.status, row.disabled_reason = WebhookEndpoint.Status.DISABLED, reason
    row.disabled_at = caller.clock.wall()
    cancel_pending(caller, row)


def _lock_account(caller: Caller) -> None:
    """One endpoint is made at a time, so that two requests cannot both be the last one allowed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{caller.environment.schema_name} webhook_endpoints {caller.account}"],
        )


def _checked_url(caller: Caller, url: str) -> str:
    return normal_url(url, is_test=not caller.livemode, allowed=settings.FC_PRIVATE_HOSTS_ALLOWED)


def _checked_events(names: Sequence[str]) -> list[str]:
    """Each name once, in the order given; `*` stands alone, because it covers the others."""
    for position, name in enumerate(names):
        if name != EVERY_EVENT and event_types.get(name) is None:
            raise EventTypeUnknown(type=name[:80], param=f"enabled_events[{position}]")
    if EVERY_EVENT in names:
        return [EVERY_EVENT]
    return list(dict.fromkeys(names))


def _checked_version(version: str | None) -> str:
    return versions.chosen(version, "") if version else ""


def _sealed(caller: Caller, row: WebhookEndpoint, secret: str, *, column: str = "secret") -> bytes:
    return secretbox.seal(secret.encode(), place=_place(caller, row, column))


def _unsealed(caller: Caller, row: WebhookEndpoint, column: str) -> str:
    return secretbox.unseal(getattr(row, column), place=_place(caller, row, column)).decode()


def _place(caller: Caller, row: WebhookEndpoint, column: str) -> str:
    return f"{caller.environment.schema_name}.connect_webhook_endpoint.{column}:{row.id}"
