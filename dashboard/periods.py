"""How far back a page with figures looks: `?period=` in the address, cut into hours or the reader's own days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final, Literal

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connect.kit import clock

HOURS: Final = 24
DAYS: Final = {"7d": 7, "30d": 30}
TITLES: Final[dict[str, Promise]] = {"24h": _("24 hours"), "7d": _("7 days"), "30d": _("30 days")}
DEFAULT: Final = "7d"


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of the switch."""

    key: str
    title: Promise
    is_current: bool


@dataclass(frozen=True, slots=True)
class Period:
    """`starts` are the beginnings of its hours or days, oldest first; the last one is still going on at `until`."""

    key: str
    unit: Literal["hour", "day"]
    zone: tzinfo
    starts: tuple[datetime, ...]
    until: datetime

    @property
    def since(self) -> datetime:
        """Its beginning."""
        return self.starts[0]

    @property
    def zone_name(self) -> str:
        """The time zone as PostgreSQL knows it."""
        return str(self.zone)

    @property
    def title(self) -> Promise:
        """Its length in words."""
        return TITLES[self.key]

    @property
    def choices(self) -> list[Choice]:
        """All there are, for the switch."""
        return [Choice(key, title, key == self.key) for key, title in TITLES.items()]

    def label(self, start: datetime) -> str:
        """How one of its hours or days is called: `14:00` or `3 Nov`."""
        return formats.date_format(start.astimezone(self.zone), "H:i" if self.unit == "hour" else "j M")


def of(key: str, *, now: datetime | None = None) -> Period:
    """The period of this name up to `now` (wall time); an unknown name counts as `DEFAULT`."""
    now = now or clock.wall()
    zone = timezone.get_current_timezone()
    key = key if key in TITLES else DEFAULT
    if key == "24h":
        this_hour = now.replace(minute=0, second=0, microsecond=0)
        hours = tuple(this_hour - timedelta(hours=back) for back in reversed(range(HOURS)))
        return Period(key, "hour", zone, hours, now)
    today = now.astimezone(zone).date()
    # Midnights are made one by one: a day with a change of the clocks has 23 or 25 hours.
    days = [today - timedelta(days=back) for back in reversed(range(DAYS[key]))]
    return Period(key, "day", zone, tuple(datetime.combine(day, time.min, tzinfo=zone) for day in days), now)
