"""A page of a list: what was asked for, how it is cut from rows, and the envelope it travels in.

Lists are always newest first, that is by id descending. A page that ends before an object is read upwards from it
and turned round, so that walking back gives every object once, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from connect.kit import ids, registry
from connect.kit.errors import MissingParameterTarget

DEFAULT_LIMIT: Final = 10
MAXIMUM_LIMIT: Final = 100

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Page:
    """At most one of the two cursors is set. `limit` is 1 to 100 objects."""

    limit: int = DEFAULT_LIMIT
    starting_after: UUID | None = None
    ending_before: UUID | None = None

    @property
    def cursor(self) -> UUID | None:
        """The id this page starts after or ends before."""
        return self.starting_after or self.ending_before

    @property
    def backwards(self) -> bool:
        """Whether the page is the one just above `ending_before`."""
        return self.ending_before is not None


class ListObject(msgspec.Struct, Generic[T], kw_only=True):
    """The envelope of every list. `url` is a relative path: official SDKs refuse an absolute one."""

    object: str = "list"
    url: str
    has_more: bool
    data: list[T]


class SearchResult(msgspec.Struct, Generic[T], kw_only=True):
    """The envelope of a search; `next_page` is given back as `page` to read on."""

    object: str = "search_result"
    url: str
    has_more: bool
    next_page: str | None = None
    total_count: int | msgspec.UnsetType = msgspec.UNSET
    data: list[T]


@dataclass(frozen=True, slots=True)
class Hits(Generic[T]):
    """A page of what a search found, newest first. `total_count` is None where nobody asked how many there are."""

    objects: list[T]
    has_more: bool
    total_count: int | None = None

    def shown(self, shape: Callable[[T], S]) -> Hits[S]:
        """The same with every object as `shape` makes it."""
        return Hits([shape(found) for found in self.objects], self.has_more, self.total_count)


def require_cursor(page: Page, prefix: str, exists: Callable[[UUID], bool]) -> None:
    """Refuse a cursor that names no object of this list: `exists` is the selector's own, already narrowed, question.

    One statement, and only for pages after the first. Raises `MissingParameterTarget`.
    """
    if page.cursor is None or exists(page.cursor):
        return
    raise MissingParameterTarget(
        param="ending_before" if page.backwards else "starting_after",
        resource=registry.object_name(prefix),
        id=ids.encode(prefix, page.cursor),
    )


def slice_queryset(queryset: Any, page: Page, *, key: str = "id", within: str = "") -> tuple[list[Any], bool]:
    """Cut `page` out of a queryset: the rows newest first, and whether more follow in the direction of reading.

    The queryset carries the filters; its own ordering is replaced by `key` (a UUIDv7). One statement, which reads one
    row more than asked to learn whether there are more. `within` names a column that holds the same in all rows, and
    before `key` in an index: ordered by both, they are read there and nowhere else.
    """
    if page.starting_after is not None:
        queryset = queryset.filter(**{f"{key}__lt": page.starting_after})
    elif page.ending_before is not None:
        queryset = queryset.filter(**{f"{key}__gt": page.ending_before})
    order = [column if page.backwards else f"-{column}" for column in (within, key) if column]
    return slice_rows(list(queryset.order_by(*order)[: page.limit + 1]), page)


def slice_rows(rows: Sequence[T], page: Page) -> tuple[list[T], bool]:
    """The same for rows already read with `clause()`: up to `limit + 1` of them, in the order of that clause."""
    kept = list(rows[: page.limit])
    if page.backwards:
        kept.reverse()
    return kept, len(rows) > page.limit


@dataclass(frozen=True, slots=True)
class Clause:
    """Parts of a SQL statement: `WHERE … AND {where} ORDER BY {order} LIMIT %s`, and the parameters in that order."""

    where: str
    order: str
    where_parameters: tuple[UUID, ...]
    limit: int


def clause(page: Page, *, column: str = "id") -> Clause:
    """The page as SQL for a selector that writes its own statement. `column` is the code's own text, never input.

    The limit is one more than the page's; hand the rows to `slice_rows`.
    """
    if page.starting_after is not None:
        return Clause(f"{column} < %s", f"{column} DESC", (page.starting_after,), page.limit + 1)
    if page.ending_before is not None:
        return Clause(f"{column} > %s", f"{column} ASC", (page.ending_before,), page.limit + 1)
    return Clause("TRUE", f"{column} DESC", (), page.limit + 1)


@dataclass(frozen=True, slots=True)
class ValueRange(Generic[T]):
    """A filter on a day or a whole number; bounds that are None do not bind."""

    gt: T | None = None
    gte: T | None = None
    lt: T | None = None
    lte: T | None = None

    def filters(self, column: str) -> dict[str, T]:
        """Conditions as `rows` and querysets take them: `{"amount_minor__gte": 100}`."""
        bounds = {"gt": self.gt, "gte": self.gte, "lt": self.lt, "lte": self.lte}
        return {f"{column}__{name}": bound for name, bound in bounds.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A filter on time; bounds that are None do not bind."""

    gt: datetime | None = None
    gte: datetime | None = None
    lt: datetime | None = None
    lte: datetime | None = None

    def filters(self, column: str) -> dict[str, datetime]:
        """Keyword arguments for a queryset: `queryset.filter(**created.filters("created"))`.

        The API counts in whole seconds, rows in microseconds: a bound means the second it names as a whole.
        """
        one = timedelta(seconds=1)
        bounds = {
            "gte": max((moment for moment in (self.gte, self.gt and self.gt + one) if moment), default=None),
            "lt": min((moment for moment in (self.lt, self.lte and self.lte + one) if moment), default=None),
        }
        return {f"{column}__{name}": moment for name, moment in bounds.items() if moment is not None}
