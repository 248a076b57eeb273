"""Moments as pages show them: in the zone of the page, which it names, with the exact second in UTC for machines.

The zone is the person's (`dashboard.middleware`), and UTC for whoever has none. It is named beside every moment and not
once above a table: on the night the clocks go back, 02:30 comes twice.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connect.kit import clock

register = template.Library()


@register.filter
def moment(value: datetime | int | None) -> SafeString | str:
    """A `<time>` element of an aware datetime or of Unix seconds, such as `3 Nov 2026, 14:05 CET`; nothing for None."""
    if value is None or value == "":
        return ""
    when = clock.from_unix(value) if isinstance(value, int) else value
    exact = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}" title="{}">{}</time>', exact, exact, moment_text(when))


@register.filter
def day(value: date | str | None) -> SafeString | str:
    """A `<time>` element of a date, or of one as the API writes it, such as `3 Nov 2026`; nothing for None.

    A bank's day has no hour, and so no zone.
    """
    if not value:
        return ""
    when = date.fromisoformat(value) if isinstance(value, str) else value
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), formats.date_format(when, "j M Y"))


@register.simple_tag
def zone_name() -> str:
    """The name of the zone of the page, beside fields in which a person writes a moment."""
    return timezone.get_current_timezone_name()


def moment_text(when: datetime) -> str:
    """An aware datetime in the zone of the page, as plain text: `3 Nov 2026, 14:05 CET`."""
    local = timezone.localtime(when)
    return f"{formats.date_format(local, 'j M Y, H:i')} {local.tzname()}"


def moment_field(when: datetime) -> str:
    """The same as a `datetime-local` field holds it, to the minute."""
    return f"{timezone.localtime(when):%Y-%m-%dT%H:%M}"
