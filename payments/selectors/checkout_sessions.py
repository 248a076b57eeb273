"""Checkout sessions as they are read: by the app, and by the page through the secret in its address."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from connect.kit import ids, secretbox
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import ListObject, Page, TimeRange, require_cursor, slice_queryset
from connect.selectors import lists
from payments.domain.checkout_state import Status
from payments.models import CheckoutLineItem, CheckoutSession
from payments.selectors import prices
from payments.shapes import checkout_sessions as shapes
from payments.shapes.checkout_sessions import CheckoutSessionOut, LineItemOut

PREFIX: Final = "cs"
LINE_PREFIX: Final = "li"
LINES_SHOWN: Final = 10
"""Lines in an expanded `line_items`; the list of its own reads on."""


def get(caller: Caller, session_id: str) -> CheckoutSessionOut:
    """The caller's session. Raises `ResourceMissing`."""
    return shape(caller, _row(caller, session_id))


def page(
    caller: Caller,
    page: Page,
    *,
    customer: UUID | None = None,
    payment_intent: UUID | None = None,
    status: str | None = None,
    created: TimeRange | None = None,
) -> tuple[list[CheckoutSessionOut], bool]:
    """A page of the caller's sessions, newest first, and whether there are more."""
    found, has_more = lists.page(
        caller, CheckoutSession, page, PREFIX, created=created,
        customer_id=customer, payment_intent_id=payment_intent, status=status,
    )  # fmt: skip
    return [shape(caller, row) for row in found], has_more


def lines(caller: Caller, session_id: str, page: Page) -> tuple[list[LineItemOut], bool]:
    """A page of a session's lines, in the order the app gave them. Raises `ResourceMissing`."""
    row = _row(caller, session_id)
    items = CheckoutLineItem.objects.filter(session_id=row.id)
    require_cursor(page, LINE_PREFIX, lambda identifier: items.filter(pk=identifier).exists())
    # Line ids are made in reverse, so that newest first is the order of the app.
    found, has_more = slice_queryset(items, page)
    return _render_lines(caller, found), has_more


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, CheckoutSessionOut]:
    """Many at once, for expanding."""
    rows = CheckoutSession.objects.filter(account_id=caller.account, pk__in=identifiers)
    return {row.id: shape(caller, row) for row in rows}


def load_line_items(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, ListObject[LineItemOut]]:
    """The first lines of many sessions, for expanding `line_items`."""
    found: dict[UUID, list[CheckoutLineItem]] = {identifier: [] for identifier in identifiers}
    for item in CheckoutLineItem.objects.filter(session_id__in=identifiers).order_by("position"):
        found[item.session_id].append(item)
    shown = [item for items in found.values() for item in items[:LINES_SHOWN]]
    rendered = {line.id: line for line in _render_lines(caller, shown)}
    return {
        session: ListObject(
            url=f"/v1/checkout/sessions/{ids.encode(PREFIX, session)}/line_items",
            has_more=len(items) > LINES_SHOWN,
            data=[rendered[ids.encode(LINE_PREFIX, item.id)] for item in items[:LINES_SHOWN]],
        )
        for session, items in found.items()
    }


def all_lines(session_id: UUID) -> list[CheckoutLineItem]:
    """Every line of a session that was read already, in order: for the page and the receipt."""
    return list(CheckoutLineItem.objects.filter(session_id=session_id).order_by("position"))


def by_secret(secret: str) -> CheckoutSession | None:
    """The session whose page carries this secret, or None. The environment is open; any account's is found."""
    return CheckoutSession.objects.filter(secret_hash=digest(secret)).first()


def digest(secret: str) -> bytes:
    """What is kept of a page's secret."""
    return hashlib.sha256(secret.encode()).digest()


def shape(caller: Caller, row: Any) -> CheckoutSessionOut:
    """The session on the wire, with the page's address while it is open."""
    url = page_url(caller, row) if row.status == Status.OPEN else None
    return shapes.render(row, livemode=caller.livemode, url=url)


def page_url(caller: Caller, row: Any) -> str:
    """Where the payer goes: `/c/<environment short id>.<secret>`."""
    secret = secretbox.unseal(row.secret_sealed, place=place(caller, row.id)).decode()
    return f"{settings.FC_PUBLIC_URL.rstrip('/')}/c/{caller.environment.short_id}.{secret}"


def place(caller: Caller, identifier: UUID) -> str:
    """What a session's sealed secret is bound to."""
    return f"{caller.environment.schema_name}.payments_checkout_session.secret_sealed:{identifier}"


def _render_lines(caller: Caller, items: Sequence[CheckoutLineItem]) -> list[LineItemOut]:
    known = prices.load(caller, list({item.price_id for item in items}))
    return [shapes.render_line(item, known.get(item.price_id)) for item in items]


def _row(caller: Caller, session_id: str) -> CheckoutSession:
    row = CheckoutSession.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, session_id))
    if row is None:
        raise ResourceMissing(resource="checkout.session", id=session_id, param="session")
    return row
