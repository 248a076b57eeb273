"""Payment intents as they are read: one, a page, many for expanding."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Hits, Page, TimeRange
from connect.kit.search import Query
from connect.selectors import lists
from payments.domain import searchable
from payments.models import PaymentIntent
from payments.selectors import authentications, searches
from payments.shapes import payment_intents as shapes
from payments.shapes.payment_intents import PaymentIntentOut

PREFIX = "pi"


def get(caller: Caller, intent_id: str) -> PaymentIntentOut:
    """The caller's intent with its client secret. Raises `ResourceMissing`."""
    row = PaymentIntent.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, intent_id))
    if row is None:
        raise ResourceMissing(resource="payment_intent", id=intent_id, param="intent")
    return shape(caller, row)


def page(
    caller: Caller,
    page: Page,
    *,
    customer: UUID | None = None,
    status: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[PaymentIntentOut], bool]:
    """A page of the caller's intents, newest first, and whether there are more."""
    found, has_more = lists.page(
        caller, PaymentIntent, page, PREFIX, created=created, customer_id=customer, status=status
    )
    return [shape(caller, row) for row in found], has_more


def search(caller: Caller, *, query: Query, page: Page, count: bool) -> Hits[PaymentIntentOut]:
    """A page of the caller's intents that answer a query over `searchable.PAYMENT_INTENTS`, newest first."""
    hits = searches.find(
        caller,
        PaymentIntent,
        query=query,
        fields=searchable.PAYMENT_INTENTS,
        columns={"amount": "amount_minor", "created": "created_at", "customer": "customer_id"},
        words={"customer": partial(ids.lookup, "cus")},
        page=page,
        count=count,
    )
    return hits.shown(lambda row: shape(caller, row))


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, PaymentIntentOut]:
    """Many at once, for expanding."""
    rows = PaymentIntent.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def shape(caller: Caller, row: Any, *, secret: bool = True) -> PaymentIntentOut:
    """The intent on the wire. Events leave its secrets out: they are kept and sent on."""
    return shapes.render(
        row,
        livemode=caller.livemode,
        client_secret=client_secret(caller, row.id) if secret else None,
        next_action=authentications.next_action(caller.environment, row.next_action, secret=secret),
    )


def as_data(caller: Caller, row: PaymentIntent) -> dict[str, Any]:
    """The intent as plain data, as it travels inside an error."""
    return msgspec.to_builtins(shape(caller, row))


def client_secret(caller: Caller, identifier: UUID) -> str:
    """What a payer's browser shows to confirm this one intent. Derived, so that it is stored nowhere."""
    message = b"payment_intent:" + caller.environment.id.bytes + identifier.bytes
    digest = hmac.digest(settings.SECRET_KEY.encode(), message, hashlib.sha256)
    tail = ids.base62(int.from_bytes(digest[:16], "big"), ids.BODY_LENGTH)
    return f"{ids.encode(PREFIX, identifier)}_secret_{tail}"
