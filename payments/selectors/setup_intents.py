"""Setup intents as they are read: one, a page, many for expanding."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, TimeRange
from connect.selectors import lists
from payments.models import SetupIntent
from payments.selectors import authentications
from payments.shapes import setup_intents as shapes
from payments.shapes.setup_intents import SetupIntentOut

PREFIX = "seti"


def get(caller: Caller, intent_id: str) -> SetupIntentOut:
    """The caller's intent with its client secret. Raises `ResourceMissing`."""
    row = SetupIntent.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, intent_id))
    if row is None:
        raise ResourceMissing(resource="setup_intent", id=intent_id, param="intent")
    return shape(caller, row)


def page(
    caller: Caller,
    page: Page,
    *,
    customer: UUID | None = None,
    payment_method: UUID | None = None,
    created: TimeRange | None = None,
) -> tuple[list[SetupIntentOut], bool]:
    """A page of the caller's intents, newest first, and whether there are more."""
    found, has_more = lists.page(
        caller, SetupIntent, page, PREFIX, created=created, customer_id=customer, payment_method_id=payment_method
    )
    return [shape(caller, row) for row in found], has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, SetupIntentOut]:
    """Many at once, for expanding."""
    rows = SetupIntent.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def shape(caller: Caller, row: Any, *, secret: bool = True) -> SetupIntentOut:
    """The intent on the wire. Events leave its secrets out: they are kept and sent on."""
    return shapes.render(
        row,
        livemode=caller.livemode,
        client_secret=client_secret(caller, row.id) if secret else None,
        next_action=authentications.next_action(caller.environment, row.next_action, secret=secret),
    )


def as_data(caller: Caller, row: SetupIntent) -> dict[str, Any]:
    """The intent as plain data, as it travels inside an error."""
    return msgspec.to_builtins(shape(caller, row))


def client_secret(caller: Caller, identifier: UUID) -> str:
    """What a payer's browser shows to complete this one intent. Derived, so that it is stored nowhere."""
    message = b"setup_intent:" + caller.environment.id.bytes + identifier.bytes
    digest = hmac.digest(settings.SECRET_KEY.encode(), message, hashlib.sha256)
    tail = ids.base62(int.from_bytes(digest[:16], "big"), ids.BODY_LENGTH)
    return f"{ids.encode(PREFIX, identifier)}_secret_{tail}"
