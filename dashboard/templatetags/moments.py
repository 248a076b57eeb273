"""Moments as pages show them: in UTC, to the minute, with the exact second for machines and on hover."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connect.kit import clock

register = template.Library()


@register.filter
def moment(value: datetime | int | None) -> SafeString | str:
    """A `<time>` element of an aware datetime or of Unix seconds, such as `3 Nov 2026, 14:05`; nothing for None."""
    if value is None or value == "":
        return ""
    when = clock.from_unix(value) if isinstance(value, int) else value.astimezone(UTC)
    exact = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = formats.date_format(when, "j M Y, H:i")
    return format_html('<time datetime="{}" title="{}">{}</time>', exact, exact, shown)
