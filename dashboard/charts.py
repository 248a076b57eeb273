"""Bar charts as plain figures: what a template draws as SVG, and the same as a table for whoever does not see it.

Everything here is whole numbers in the chart's own units; colours are classes. The words of a chart (what it shows, its
highest bar) are its title and description for a screen reader.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from django.utils import translation
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from connect.kit.money_text import format_count

WIDTH: Final = 720
HEIGHT: Final = 160
_GAP: Final = 4
_STEPS: Final = (1, 2, 5, 10)

Tone = Literal["good", "warn", "bad"]
Format = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the bars, the lowest first. `values` are one for each place of the chart, none below zero."""

    name: str | Promise
    tone: Tone
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Part:
    """One rectangle."""

    tone: Tone
    x: int
    y: int
    width: int
    height: int

    @property
    def box(self) -> SafeString:
        """Its attributes in SVG. A template would ask of each number how the reader's language writes it."""
        return mark_safe(f'x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}"')  # noqa: S308 - numbers


@dataclass(frozen=True, slots=True)
class Bar:
    """What stands at one place: its parts, and the words that a pointer brings up."""

    title: str
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the place, and a text for each series."""

    label: str
    values: list[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """`name` is unique on its page. `scale` are the texts at the top and the middle; the bottom is zero."""

    name: str
    title: str
    description: str
    places: str
    series: Sequence[Series]
    bars: list[Bar]
    rows: list[Row]
    scale: tuple[str, str]
    ends: tuple[str, str]
    total: str

    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(bar.parts for bar in self.bars)


def bar_chart(
    name: str,
    *,
    title: str | Promise,
    places: str | Promise,
    labels: Sequence[str],
    series: Sequence[Series],
    show: Format | None = None,
) -> Chart:
    """Bars of stacked series. `labels` name the places, `places` is the heading above them, `show` writes a value.

    A value that is not zero always leaves a mark, however small it is beside the highest.
    """
    show = show or _count
    sums = [sum(values) for values in zip(*(each.values for each in series), strict=True)]
    top = ceiling(max(sums, default=0))
    step = WIDTH // len(labels) if labels else WIDTH
    names = [str(each.name) for each in series]
    rows = [Row(label, [show(each.values[place]) for each in series]) for place, label in enumerate(labels)]
    bars = [
        Bar(_words(names, row), _parts(series, place, left=place * step, step=step, top=top))
        for place, row in enumerate(rows)
    ]
    return Chart(
        name=name,
        title=str(title),
        description=_description(labels, sums, show),
        places=str(places),
        series=series,
        bars=bars,
        rows=rows,
        scale=(show(top), show(top // 2)),
        ends=(labels[0], labels[-1]) if labels else ("", ""),
        total=show(sum(sums)),
    )


def ceiling(value: int) -> int:
    """The round number at the top of the scale: 1, 2 or 5 with zeros, at least 2, so that half of it is whole too."""
    power = 1
    while True:
        for factor in _STEPS:
            found = factor * power
            if found >= max(value, 2) and found % 2 == 0:
                return found
        power *= 10


def _parts(series: Sequence[Series], place: int, *, left: int, step: int, top: int) -> list[Part]:
    parts: list[Part] = []
    base = HEIGHT
    for each in series:
        value = each.values[place]
        if not value:
            continue
        height = max(2, value * HEIGHT // top)
        base -= height
        parts.append(Part(each.tone, left + _GAP // 2, max(base, 0), max(step - _GAP, 1), height))
    return parts


def _words(names: Sequence[str], row: Row) -> str:
    return f"{row.label}: " + ", ".join(f"{name} {value}" for name, value in zip(names, row.values, strict=True))


def _description(labels: Sequence[str], sums: Sequence[int], show: Format) -> str:
    if not any(sums):
        return _("Nothing in this time.")
    most = max(range(len(sums)), key=sums.__getitem__)
    return _("%(total)s in all, from %(first)s to %(last)s. The most was %(most)s at %(place)s.") % {
        "total": show(sum(sums)),
        "first": labels[0],
        "last": labels[-1],
        "most": show(sums[most]),
        "place": labels[most],
    }


def _count(number: int) -> str:
    return format_count(number, translation.get_language() or "en")
