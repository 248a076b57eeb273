"""Columns and fields that rows of every app share: methods of a `RowAdmin`, made from the name of a model field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from connect.kit import ids
from connect.kit.caller import PLATFORM_ACCOUNT
from connect.kit.currencies import EXPONENTS
from connect.kit.money import decimal_text

Column = Callable[[Any, Any], Any]

NBSP: Final = "\N{NO-BREAK SPACE}"
NOTHING: Final = "-"


def amount(field: str, *, title: str = "", currency: str = "currency") -> Column:
    """An amount of minor units with its currency, `19.99 EUR`."""

    @display(description=title or _title(field.removesuffix("_minor")))
    def column(admin: Any, row: Any) -> str:
        return money_text(getattr(row, field), getattr(row, currency))

    return column


def money_text(minor: int | None, currency: str) -> str:
    """`19.99 EUR`, never wrapped; a currency that is not known here shows its minor units."""
    if minor is None:
        return NOTHING
    number = decimal_text(minor, currency) if currency in EXPONENTS else str(minor)
    return f"{number}{NBSP}{currency.upper()}"


def reference(field: str, prefix: str, *, title: str = "") -> Column:
    """A field that holds the UUID of another row, shown as its public id and linked to its page."""

    @display(description=title or _title(field.removesuffix("_id")))
    def column(admin: Any, row: Any) -> SafeString | str:
        value = getattr(row, field)
        return NOTHING if value is None else link(admin.admin_site, ids.encode(prefix, value))

    return column


def public_id(field: str, *, title: str = "") -> Column:
    """A field that holds a public id as text, linked where its page is on this site."""

    @display(description=title or _title(field.removesuffix("_id")))
    def column(admin: Any, row: Any) -> SafeString | str:
        return link(admin.admin_site, getattr(row, field)) if getattr(row, field) else NOTHING

    return column


def link(site: Any, public_id: str) -> SafeString | str:
    """A public id, linked to its page when this site has one."""
    url = site.link_to(public_id)
    return format_html('<a href="{}" class="text-link">{}</a>', url, public_id) if url else public_id


def state(field: str, colours: Mapping[str, str], *, title: str = "") -> Column:
    """A word in a coloured label. `colours` maps it to success, info, warning or danger; others are grey."""

    @display(description=title or _title(field), label=dict(colours))
    def column(admin: Any, row: Any) -> str:
        return str(getattr(row, field))

    return column


def account(field: str = "account_id") -> Column:
    """The connected account that a row belongs to, or the platform itself."""

    @display(description="Account")
    def column(admin: Any, row: Any) -> str:
        value = getattr(row, field)
        return "platform" if value == PLATFORM_ACCOUNT else ids.encode("acct", value)

    return column


def data(field: str, *, title: str = "") -> Column:
    """JSON, indented."""

    @display(description=title or _title(field))
    def column(admin: Any, row: Any) -> SafeString | str:
        return preformatted(getattr(row, field))

    return column


def json_text(field: str, *, title: str = "") -> Column:
    """A text that may be JSON, indented if it is."""

    @display(description=title or _title(field))
    def column(admin: Any, row: Any) -> SafeString | str:
        text = getattr(row, field)
        try:
            return preformatted(json.loads(text)) if text else NOTHING
        except ValueError:
            return preformatted(text)

    return column


def preformatted(value: Any) -> SafeString | str:
    """Text as it is, anything else as indented JSON; nothing for what is empty."""
    if value in (None, "", [], {}):
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return format_html('<pre class="staff-data">{}</pre>', text)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
