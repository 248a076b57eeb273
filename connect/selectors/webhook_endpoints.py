"""Webhook endpoints as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, require_cursor, slice_queryset
from connect.models import WebhookEndpoint
from connect.shapes import webhook_endpoints as shapes
from connect.shapes.webhook_endpoints import PREFIX, WebhookEndpointOut


def get(caller: Caller, endpoint_id: str) -> WebhookEndpointOut:
    """The caller's endpoint. Raises `ResourceMissing`."""
    return shape(caller, _one(caller, endpoint_id))


def require(caller: Caller, endpoint_id: str) -> UUID:
    """The UUID of an endpoint that is there. Raises `ResourceMissing`."""
    return _one(caller, endpoint_id).id


def page(caller: Caller, page: Page) -> tuple[list[WebhookEndpointOut], bool]:
    """A page of the caller's endpoints, newest first, and whether there are more."""
    rows = _own(caller)
    require_cursor(page, PREFIX, lambda identifier: rows.filter(pk=identifier).exists())
    found, has_more = slice_queryset(rows, page)
    return [shape(caller, row) for row in found], has_more


def every(caller: Caller) -> list[WebhookEndpointOut]:
    """All of the caller's endpoints, newest first; there are never many."""
    return [shape(caller, row) for row in _own(caller).order_by("-id")]


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, WebhookEndpointOut]:
    """Many at once, for expanding."""
    return {row.id: shape(caller, row) for row in _own(caller).filter(pk__in=identifiers)}


def shape(caller: Caller, row: Any, *, secret: str | None = None) -> WebhookEndpointOut:
    """The endpoint on the wire; `secret` only where it was just made."""
    return shapes.render(row, livemode=caller.livemode, now=caller.clock.wall(), secret=secret)


def _own(caller: Caller) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(account_id=caller.account, deleted_at=None)


def _one(caller: Caller, endpoint_id: str) -> WebhookEndpoint:
    row = WebhookEndpoint.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, endpoint_id))
    if row is None or row.deleted_at is not None:
        raise ResourceMissing(resource="webhook_endpoint", id=endpoint_id, param="id")
    return row
