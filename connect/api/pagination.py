"""Paging of lists: `limit`, `starting_after`, `ending_before`, and the envelope `{object, url, has_more, data}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import UNSET
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from connect.api.fields import IdField, IntegerField
from connect.api.parsers import parse_query
from connect.kit import ids
from connect.kit.errors import ParameterInvalid, ParameterInvalidEmpty
from connect.kit.pages import (
    MAXIMUM_LIMIT,
    Hits,
    ListObject,
    Page,
    SearchResult,
    require_cursor,
    slice_queryset,
)

T = TypeVar("T")

_LIMIT: Final = IntegerField(min_value=1, max_value=MAXIMUM_LIMIT)
_CURSORS: Final = ("starting_after", "ending_before")
TOTAL_COUNT: Final = "total_count"
"""The one thing of a search's envelope that is expanded."""


class CursorPage(BasePagination):
    """DRF's paginator of this API. Views usually call `parse` and `envelope` and let a selector read the rows."""

    @staticmethod
    def parse(query: Mapping[str, Any], prefix: str) -> Page:
        """The page asked for, from parsed parameters. `prefix` is that of the list's own ids.

        Raises for a limit outside 1 to 100, for both cursors at once, and for a cursor that cannot be an id.
        """
        limit = query.get("limit")
        given = {name: query[name] for name in _CURSORS if name in query}
        if len(given) == 2:
            raise ParameterInvalid(
                "You cannot parameterize both starting_after and ending_before. Send the one you read towards.",
                param="ending_before",
            )
        for name in ("limit", *given):
            if query.get(name, 1) in (None, ""):
                raise ParameterInvalidEmpty(param=name)
        cursors: dict[str, Any] = {name: IdField(prefix).read(text, name) for name, text in given.items()}
        return Page(**cursors) if limit is None else Page(limit=_LIMIT.read(limit, "limit"), **cursors)

    @staticmethod
    def envelope(path: str, rows: Sequence[T], has_more: bool) -> ListObject[T]:
        """The answer. `path` is the request's own, without host and query."""
        return ListObject(url=path, has_more=has_more, data=list(rows))

    # --- the same for a stock DRF list view --------------------------------------------------------------------------

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        """Rows of the page; the view names its id prefix in `id_prefix`."""
        self.path = request.path
        page = self.parse(parse_query(request), view.id_prefix)
        require_cursor(page, view.id_prefix, lambda identifier: queryset.filter(pk=identifier).exists())
        rows, self.has_more = slice_queryset(queryset, page)
        return rows

    def get_paginated_response(self, data: Any) -> Any:

        return Response(self.envelope(self.path, data, self.has_more))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope around a list of `schema`, for the API's description."""
        return list_schema(schema)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """`limit` and the two cursors, for the API's description."""
        return list_parameters()


def search_envelope(path: str, hits: Hits[T], objects: Sequence[T], prefix: str) -> SearchResult[T]:
    """The answer of a search: `hits`, with `objects` in the place of its own.

    `next_page` is a place in the order of all objects, so it stays good whatever becomes of those before it.
    """
    last = ids.decode(prefix, getattr(objects[-1], "id", None)) if hits.has_more else None
    return SearchResult(
        url=path,
        has_more=hits.has_more,
        next_page=ids.encode("page", last) if last else None,
        total_count=UNSET if hits.total_count is None else hits.total_count,
        data=list(objects),
    )


def search_schema(items: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of the search envelope around `items`."""
    return {
        "type": "object",
        "properties": {
            "object": {"type": "string", "const": "search_result"},
            "url": {"type": "string", "description": "The path of this search, without host."},
            "has_more": {"type": "boolean", "description": "Whether more objects follow."},
            "next_page": {
                "type": ["string", "null"],
                "description": "Send it as `page`, with the same query, to read on; null on the last page.",
            },
            TOTAL_COUNT: {
                "type": "integer",
                "description": "How many objects there are, counted up to 10,000. Only there when expanded.",
            },
            "data": {"type": "array", "items": items},
        },
        "required": ["object", "url", "has_more", "next_page", "data"],
    }


def list_schema(items: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of the list envelope around `items`."""
    return {
        "type": "object",
        "properties": {
            "object": {"type": "string", "const": "list"},
            "url": {"type": "string", "description": "The path of this list, without host."},
            "has_more": {"type": "boolean", "description": "Whether more objects follow in this direction."},
            "data": {"type": "array", "items": items},
        },
        "required": ["object", "url", "has_more", "data"],
    }


def list_parameters() -> list[dict[str, Any]]:
    """OpenAPI parameters that every list has."""
    texts = {
        "starting_after": "An object's id: the page begins with the next older one.",
        "ending_before": "An object's id: the page ends with the next newer one.",
    }
    limit = {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": 10}
    return [
        {"name": "limit", "in": "query", "schema": limit, "description": "How many objects, 1 to 100."},
        *(
            {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}
            for name, text in texts.items()
        ),
    ]
