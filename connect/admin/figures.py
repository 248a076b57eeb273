"""What the platform does, in figures, for the staff's first page.

Each app registers its own in its `admin.py`: a question that `sweeps.sums` asks every environment, and the lines that
its answers become. The questions read roll-ups and short tables, and a process keeps the answers for ten minutes, so
that looking at the page costs nobody anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import psycopg
import structlog

from connect.kit import clock
from connect.models import ApiClient, Environment, Organization
from connect.selectors import sweeps

log = structlog.get_logger(__name__)

KEPT: Final = timedelta(minutes=10)


@dataclass(slots=True)
class Amounts:
    """The answers to one question, added up over the environments: by label, live and test apart."""

    live: dict[str, int] = field(default_factory=dict)
    test: dict[str, int] = field(default_factory=dict)

    def add(self, *, livemode: bool, label: str, amount: int) -> None:
        """One more environment's."""
        kept = self.live if livemode else self.test
        kept[label] = kept.get(label, 0) + amount

    def labels(self) -> list[str]:
        """Every label, in alphabetical order."""
        return sorted(self.live.keys() | self.test.keys())


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table, as it is shown."""

    title: str
    live: str
    test: str


@dataclass(frozen=True, slots=True)
class Figure:
    """`question` is as `sweeps.sums` takes it; `lines` makes what is shown of its answers."""

    question: str
    lines: Callable[[Amounts], Sequence[Line]]


@dataclass(frozen=True, slots=True)
class Board:
    """The table as it was at `made_at`, and what is counted once for the platform."""

    lines: list[Line]
    organizations: int
    active_organizations: int
    api_clients: int
    verified_api_clients: int
    made_at: datetime


_FIGURES: Final[dict[str, Figure]] = {}


class _Kept:
    """The board as this process made it last."""

    board: Board | None = None
    lock = threading.Lock()


def register(name: str, figure: Figure) -> None:
    """Make a figure known; those with the same name replace each other."""
    _FIGURES[name] = figure


def board() -> Board | None:
    """The figures, at most `KEPT` old; None when the environments cannot be asked, which is logged."""
    with _Kept.lock:
        if _Kept.board is None or clock.wall() - _Kept.board.made_at > KEPT:
            try:
                _Kept.board = _make()
            except psycopg.Error:
                log.exception("staff.figures_not_read")
                return None
        return _Kept.board


def forget() -> None:
    """Have them made anew for the next reader."""
    _Kept.board = None


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")


def _make() -> Board:
    answers = {name: Amounts() for name in _FIGURES}
    for found in sweeps.sums({name: figure.question for name, figure in _FIGURES.items()}):
        answers[found.question].add(livemode=found.environment.livemode, label=found.label, amount=found.amount)
    ready = Environment.objects.filter(status=Environment.Status.READY)
    of_kind = {kind: ready.filter(kind=kind).count() for kind in Environment.Kind.values}
    lines = [Line("Environments", count(of_kind[Environment.Kind.LIVE]), count(of_kind[Environment.Kind.TEST]))]
    for name, figure in _FIGURES.items():
        lines += figure.lines(answers[name])
    return Board(
        lines=lines,
        organizations=Organization.objects.count(),
        active_organizations=Organization.objects.exclude(activated_at=None).count(),
        api_clients=ApiClient.objects.count(),
        verified_api_clients=ApiClient.objects.exclude(verified_at=None).count(),
        made_at=clock.wall(),
    )


def _calls(amounts: Amounts) -> list[Line]:
    """Today is that of UTC, as all of usage is."""
    days = {"today": ("today",), "30 days": ("today", "before")}
    return [
        Line(
            f"API calls, {title}",
            count(sum(amounts.live.get(label, 0) for label in labels)),
            count(sum(amounts.test.get(label, 0) for label in labels)),
        )
        for title, labels in days.items()
    ]


register(
    "calls",
    Figure(
        "SELECT CASE WHEN hour >= date_trunc('day', now(), 'UTC') THEN 'today' ELSE 'before' END,"
        " sum(requests)::bigint FROM {schema}.connect_usage_hour"
        " WHERE hour >= date_trunc('day', now(), 'UTC') - interval '29 days' GROUP BY 1",
        _calls,
    ),
)
